//! A requirement as PEP 508 writes it: `jupyterhub[x] >= 3, < 4 ; python_version > "3.8"`, `name @ https://…`.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

use super::normalized;

/// What is required.
#[derive(Clone, Debug, PartialEq)]
pub enum Requirement {
    /// A distribution of the index.
    Named(Named),
    /// Something else that pip understands: a path, an address, a repository.
    Other(String),
}

/// A distribution of the index.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Its normalized name.
    pub name: String,
    /// Optional parts of it.
    pub extras: Vec<String>,
    /// Which versions will do.
    pub versions: Versions,
    /// When it is required at all.
    pub marker: Option<String>,
}

/// Which versions will do.
#[derive(Clone, Debug, PartialEq)]
pub struct Versions {
    specifiers: VersionSpecifiers,
    /// `===`, which compares as text.
    exact: Option<String>,
}

impl Versions {
    /// Reads `>= 3, < 4`; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Versions, String> {
        let text = text.trim();
        if let Some(exact) = text.strip_prefix("===") {
            return Ok(Versions { specifiers: VersionSpecifiers::empty(), exact: Some(exact.trim().to_owned()) });
        }
        let specifiers = VersionSpecifiers::from_str(text.trim_end_matches(','));
        let specifiers = specifiers.map_err(|_| format!("expected versions such as >=3,<4, found `{text}`"))?;
        Ok(Versions { specifiers, exact: None })
    }

    /// Whether this version will do; a version that cannot be read will not, unless any does.
    pub fn accept(&self, version: &str) -> bool {
        if let Some(exact) = &self.exact {
            return exact.eq_ignore_ascii_case(version);
        }
        self.specifiers.is_empty() || Version::from_str(version).is_ok_and(|version| self.specifiers.contains(&version))
    }

    /// Whether any version will do.
    pub fn is_any(&self) -> bool {
        self.exact.is_none() && self.specifiers.is_empty()
    }
}

impl Requirement {
    /// Reads a requirement; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Requirement, String> {
        let text = text.trim();
        let is_place = text.contains("://") || text.starts_with(['.', '/', '~']) || text.contains(" @ ");
        if is_place || text.split([' ', ';', '[', '=', '<', '>', '!', '~']).next().is_some_and(|it| it.contains('/')) {
            return Ok(Requirement::Other(text.to_owned()));
        }
        Named::parse(text).map(Requirement::Named)
    }
}

impl Named {
    /// Reads `name[extra] versions ; marker`.
    pub fn parse(text: &str) -> Result<Named, String> {
        let (text, marker) = text.split_once(';').map_or((text, None), |(text, marker)| (text, Some(marker.trim())));
        let text = text.trim();
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let end = text.find(|letter| !is_name(letter)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let plain = |edge: Option<char>| edge.is_some_and(|letter| letter.is_ascii_alphanumeric());
        if !plain(name.chars().next()) || !plain(name.chars().next_back()) {
            return Err(format!("`{text}` is no requirement such as `requests>=2,<3`"));
        }
        let (extras, rest) = match rest.trim_start().strip_prefix('[') {
            None => ("", rest),
            Some(rest) => rest.split_once(']').ok_or_else(|| format!("the `[` of `{text}` is not closed"))?,
        };
        let rest = rest.trim();
        let rest = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest);
        Ok(Named {
            name: normalized(name),
            extras: extras.split(',').map(|extra| normalized(extra.trim())).filter(|extra| !extra.is_empty()).collect(),
            versions: Versions::parse(rest).map_err(|message| format!("{message} in `{text}`"))?,
            marker: marker.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Named {
        Named::parse(text).unwrap()
    }

    #[test]
    fn requirements() {
        let found = named("Jupyter_Hub [A, b.c] >= 3 , < 4 ; python_version > '3.8'");
        assert_eq!((found.name.as_str(), found.extras), ("jupyter-hub", vec!["a".to_owned(), "b-c".to_owned()]));
        assert_eq!(found.marker.as_deref(), Some("python_version > '3.8'"));
        assert!(found.versions.accept("3.1.1") && !found.versions.accept("4.0"));
        assert!(named("a (>=1)").versions.accept("1.0") && named("a").versions.is_any());
        assert!(named("a==3.1.*").versions.accept("3.1.7") && named("a==3.1.1").versions.accept("3.1.1+local"));
        assert!(named("a===1.0-x").versions.accept("1.0-X") && !named("a~=2.2").versions.accept("3.0"));
        for wrong in ["", "-x", "a b", "a>", "a[b", "a=1"] {
            assert!(Named::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn places_are_for_pip() {
        for place in ["./x", "/srv/x.whl", "git+https://h/x#egg=x", "a @ https://h/a.whl", "dir/a.tar.gz"] {
            assert!(matches!(Requirement::parse(place), Ok(Requirement::Other(_))), "{place}");
        }
    }
}

//! A package as the user names it: `nginx`, `nginx=1.22*`, `nginx>=1.22`, `libc6:i386`, `php*`.

use std::cmp::Ordering;

use crate::probe::dpkg::compare_versions;
use crate::probe::glob;

/// One package with what is asked of its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name, perhaps with an architecture, perhaps a pattern.
    pub name: String,
    /// Which versions will do.
    pub version: Version,
}

/// Which versions will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// Any.
    Any,
    /// One that matches this pattern.
    Like(String),
    /// This one or a newer one.
    AtLeast(String),
}

impl Spec {
    /// Reads what the user wrote; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Spec, String> {
        let text = text.trim();
        let (name, version) = match text.split_once('=') {
            None => (text, Version::Any),
            Some((name, version)) if version.contains('=') || version.is_empty() => {
                return Err(format!("`{name}={version}` is no package with a version such as `nginx=1.22*`"));
            }
            Some((name, version)) => match name.strip_suffix('>') {
                Some(name) => (name, Version::AtLeast(version.trim().into())),
                None => (name, Version::Like(version.trim().into())),
            },
        };
        let name = name.trim();
        let odd = |letter: char| !letter.is_ascii_alphanumeric() && !"+-.:_~*?[]!".contains(letter);
        // To apt-get `name-` means: remove it.
        if name.is_empty() || name.starts_with('-') || name.ends_with('-') || name.contains(odd) {
            return Err(format!("`{text}` is no name of a package"));
        }
        Ok(Spec { name: name.to_owned(), version })
    }

    /// Whether the name stands for several.
    pub fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?', '[', '!'])
    }

    /// Whether an installed version will do. An empty one is planned, and not known yet.
    pub fn accepts(&self, version: &str) -> bool {
        version.is_empty()
            || match &self.version {
                Version::Any => true,
                Version::Like(pattern) => glob::matches(pattern, version),
                Version::AtLeast(least) => compare_versions(version, least) != Ordering::Less,
            }
    }

    /// The word for `apt-get install`.
    pub fn word(&self) -> String {
        match &self.version {
            Version::Like(pattern) => format!("{}={pattern}", self.name),
            Version::Any | Version::AtLeast(_) => self.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions() {
        assert_eq!(Spec::parse("nginx").unwrap(), Spec { name: "nginx".into(), version: Version::Any });
        assert_eq!(Spec::parse(" nginx = 1.2* ").unwrap().version, Version::Like("1.2*".into()));
        assert_eq!(Spec::parse("nginx>=1.2").unwrap().version, Version::AtLeast("1.2".into()));
        assert_eq!(Spec::parse("libc6:i386").unwrap().name, "libc6:i386");
        assert_eq!(Spec::parse("g++").unwrap().name, "g++");
        for wrong in ["", "a=", "a=b=c", "a b", "nginx-", "-y", "a/b", "a;b"] {
            assert!(Spec::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_that_will_do() {
        let accepts = |spec: &str, version: &str| Spec::parse(spec).unwrap().accepts(version);
        assert!(accepts("a", "1") && accepts("a=1.*", "1.2") && accepts("a>=1.9", "1.10") && accepts("a=1", ""));
        assert!(!accepts("a=1.*", "11") && !accepts("a>=1.10", "1.9"));
    }
}

//! Which entries are wanted, and what `extra_opts` says of them.

use crate::probe::glob;

/// The options of tar and unzip that are understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Parts of names to leave out.
    pub strip: usize,
    /// Put all files into one directory.
    pub flat: bool,
    /// Files belong to who unpacks them.
    pub no_owner: bool,
    /// Permissions are subject to the umask.
    pub no_permissions: bool,
    /// Patterns of names to leave out.
    pub exclude: Vec<String>,
}

impl Options {
    /// Reads `extra_opts`; the error names what is not understood.
    pub fn parse(words: &[String]) -> Result<Options, String> {
        let mut options = Options::default();
        let mut words = words.iter().flat_map(|word| word.split_whitespace());
        while let Some(word) = words.next() {
            let (name, joined) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let mut value = || joined.or_else(|| words.next()).unwrap_or_default();
            match name {
                "--strip-components" | "--strip" => {
                    let text = value();
                    options.strip =
                        text.parse().map_err(|_| format!("expected a number after {name}, found `{text}`"))?;
                }
                "--exclude" => options.exclude.push(value().to_owned()),
                "--no-same-owner" => options.no_owner = true,
                "--no-same-permissions" => options.no_permissions = true,
                "-j" => options.flat = true,
                // What is done anyway.
                "--same-owner"
                | "--same-permissions"
                | "--preserve-permissions"
                | "-p"
                | "--overwrite"
                | "-o"
                | "-q"
                | "--wildcards"
                | "--numeric-owner" => {}
                other => {
                    let known = "--strip-components, --exclude, --no-same-owner, --no-same-permissions, -j";
                    return Err(format!("`{other}` is not supported; archives are read natively, with {known}"));
                }
            }
        }
        Ok(options)
    }
}

/// Whether a pattern means the entry, or a directory above it. Without a slash it may be any part of the name.
fn means(pattern: &str, name: &str) -> bool {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    let name = name.trim_start_matches("./").trim_end_matches('/');
    let starts = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at + 1));
    starts.into_iter().any(|start| {
        let tail = &name[start..];
        let ends = tail.match_indices('/').map(|(at, _)| at).chain(std::iter::once(tail.len()));
        ends.into_iter().any(|end| glob::matches(pattern, &tail[..end]))
    })
}

/// Whether an entry is to be unpacked.
pub fn is_wanted(name: &str, include: &[String], exclude: &[String]) -> bool {
    let clean = |text: &str| text.trim_start_matches("./").trim_end_matches('/').to_owned();
    let included = include.iter().any(|pattern| {
        let (pattern, name) = (clean(pattern), clean(name));
        glob::matches(&pattern, &name) || name.starts_with(&format!("{pattern}/"))
    });
    (include.is_empty() || included) && !exclude.iter().any(|pattern| means(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_entries() {
        let lists = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let wanted = |name: &str, include: &[&str], exclude: &[&str]| is_wanted(name, &lists(include), &lists(exclude));
        assert!(wanted("./a/b", &[], &[]) && wanted("./a/b", &["a"], &[]) && !wanted("ab", &["a"], &[]));
        assert!(!wanted("x/node_modules/y", &[], &["node_modules"]) && !wanted("a/b.md", &[], &["*.md"]));
        assert!(wanted("a/b", &["a/*"], &[]) && !wanted("c", &["a/*"], &[]));
    }

    #[test]
    fn options() {
        let parse = |words: &[&str]| Options::parse(&words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(parse(&["--strip-components", "1"]).unwrap().strip, 1);
        assert_eq!(parse(&["--strip-components=2 --no-same-owner"]).unwrap().strip, 2);
        assert!(parse(&["--transform=s/a/b/"]).unwrap_err().contains("--transform"));
    }
}

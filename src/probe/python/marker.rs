//! Markers of requirements: `python_version < "3.9" and sys_platform == "linux"`.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier};

/// What markers are compared with.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `3.11`, or as much of the version as is known.
    pub python: String,
    /// The optional part that is asked for, if one is.
    pub extra: String,
}

impl Environment {
    fn value(&self, name: &str) -> Option<String> {
        let minor = || self.python.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        Some(match name {
            "python_version" => minor(),
            "python_full_version" | "implementation_version" if self.python.matches('.').count() > 1 => {
                self.python.clone()
            }
            "os_name" => "posix".into(),
            "sys_platform" => "linux".into(),
            "platform_system" => "Linux".into(),
            "platform_machine" => std::env::consts::ARCH.into(),
            "platform_python_implementation" => "CPython".into(),
            "implementation_name" => "cpython".into(),
            "extra" => self.extra.clone(),
            _ => return None,
        })
    }
}

/// Whether the marker holds; `None` if that cannot be known here.
pub fn holds(marker: &str, environment: &Environment) -> Option<bool> {
    let tokens = tokens(marker)?;
    let mut reader = Reader { tokens: &tokens, environment };
    let found = reader.either()?;
    reader.tokens.is_empty().then_some(found).flatten()
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Text(String),
    Word(String),
}

fn tokens(marker: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => {
                let end = rest[1..].find(first)?;
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                rest = rest[end + 2..].trim_start();
                continue;
            }
            '(' | ')' => 1,
            '<' | '>' | '=' | '!' | '~' => rest.find(|c| !"<>=!~".contains(c)).unwrap_or(rest.len()),
            c if c.is_ascii_alphanumeric() => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_.".contains(c)).unwrap_or(rest.len())
            }
            _ => return None,
        };
        tokens.push(Token::Word(rest[..length].to_owned()));
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

/// The outer `None` is a malformed marker, the inner one an unknown answer.
struct Reader<'a> {
    tokens: &'a [Token],
    environment: &'a Environment,
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Word(first)) if first == word);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn either(&mut self) -> Option<Option<bool>> {
        let mut found = self.both()?;
        while self.takes("or") {
            let other = self.both()?;
            found = match (found, other) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        Some(found)
    }

    fn both(&mut self) -> Option<Option<bool>> {
        let mut found = self.one()?;
        while self.takes("and") {
            let other = self.one()?;
            found = match (found, other) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        Some(found)
    }

    fn one(&mut self) -> Option<Option<bool>> {
        if self.takes("(") {
            let found = self.either()?;
            return self.takes(")").then_some(found);
        }
        let (left, is_version) = self.operand()?;
        let operator = match self.tokens.split_first()? {
            (Token::Word(word), rest) => {
                self.tokens = rest;
                word.clone()
            }
            _ => return None,
        };
        let operator = if operator == "not" && self.takes("in") { "not in".to_owned() } else { operator };
        let (right, other_is_version) = self.operand()?;
        let (Some(left), Some(right)) = (left, right) else { return Some(None) };
        Some(compare(&left, &operator, &right, is_version || other_is_version))
    }

    /// A side of a comparison, and whether it is a version.
    fn operand(&mut self) -> Option<(Option<String>, bool)> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        match first {
            Token::Text(text) => Some((Some(text.clone()), false)),
            Token::Word(name) => Some((self.environment.value(name), name.ends_with("_version"))),
        }
    }
}

fn compare(left: &str, operator: &str, right: &str, versions: bool) -> Option<bool> {
    match operator {
        "in" => return Some(right.contains(left)),
        "not in" => return Some(!right.contains(left)),
        _ => {}
    }
    if versions
        && let (Ok(version), Ok(wanted)) =
            (Version::from_str(left), VersionSpecifier::from_str(&format!("{operator}{right}")))
    {
        return Some(wanted.contains(&version));
    }
    match operator {
        "==" | "===" => Some(left == right),
        "!=" => Some(left != right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        let environment = Environment { python: "3.11.2".into(), extra: "dev".into() };
        let holds = |marker: &str| holds(marker, &environment);
        assert_eq!(holds("python_version < '3.9'"), Some(false));
        assert_eq!(holds("python_version>=\"3.9\" and sys_platform == 'linux'"), Some(true));
        assert_eq!(holds("extra == 'dev' and (os_name == 'nt' or python_full_version >= '3.11.1')"), Some(true));
        assert_eq!(holds("platform_system in 'Linux Darwin' and sys_platform not in 'win32'"), Some(true));
        assert_eq!(holds("platform_release > '5'"), None);
        assert_eq!(holds("platform_release > '5' and os_name == 'nt'"), Some(false));
        for malformed in ["python_version", "python_version <", "(os_name == 'x'", "os_name == 'x' y", "%"] {
            assert_eq!(holds(malformed), None, "{malformed}");
        }
    }
}

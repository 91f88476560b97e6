//! Shell patterns, as Python's `fnmatch` and `glob` read them, on names and on the machine's files.

use std::path::{Path, PathBuf};

use crate::system::System;

/// Whether `name` as a whole matches `pattern`: `*`, `?`, `[abc]`, `[!a-z]`. Nothing escapes.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // Where to go on after a mismatch: the last star, and the place in the name up to which it has eaten.
    let mut star: Option<(usize, usize)> = None;
    let (mut p, mut n) = (0, 0);
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(width) = one(&pattern[p..], name[n]) {
            p += width;
            n += 1;
        } else if let Some((at, eaten)) = star {
            star = Some((at, eaten + 1));
            (p, n) = (at + 1, eaten + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// How much of the pattern one letter uses up; `None` if it does not match.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match *pattern.first()? {
        '?' => Some(1),
        '[' => match set(pattern) {
            Some((holds, width)) => holds(letter).then_some(width),
            None => (letter == '[').then_some(1),
        },
        exact => (exact == letter).then_some(1),
    }
}

/// The set at the start of `pattern` and its width; `None` where the bracket is not closed, and means itself.
fn set(pattern: &[char]) -> Option<(impl Fn(char) -> bool + '_, usize)> {
    let negated = pattern.get(1) == Some(&'!');
    let start = if negated { 2 } else { 1 };
    // A bracket right at the start is a member.
    let end = (start + 1..pattern.len()).find(|&at| pattern[at] == ']')?;
    let members = &pattern[start..end];
    let holds = move |letter: char| {
        let mut at = 0;
        let mut found = false;
        while at < members.len() {
            if at + 2 < members.len() && members[at + 1] == '-' {
                found |= (members[at]..=members[at + 2]).contains(&letter);
                at += 3;
            } else {
                found |= members[at] == letter;
                at += 1;
            }
        }
        found != negated
    };
    Some((holds, end + 1))
}

/// Whether the text has anything that [`matches`] reads as a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// All paths that match `pattern`, sorted. Names that begin with a dot match only a pattern that does. Directories that
/// cannot be read hold nothing.
pub fn glob(system: &dyn System, pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str();
        let text = part.to_string_lossy();
        if !is_pattern(&text) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        found = found
            .iter()
            .flat_map(|dir| {
                let names = system.list(dir).ok().flatten().unwrap_or_default();
                let fits = |name: &str| (text.starts_with('.') || !name.starts_with('.')) && matches(&text, name);
                names.into_iter().filter(move |name| fits(&name.to_string_lossy())).map(|name| dir.join(name))
            })
            .collect();
    }
    found.retain(|path| matches!(system.stat(path, false), Ok(Some(_))));
    found
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.gz", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[x", "[x", true),
            ("a*b*c", "aXbYbZc", true),
            ("ansible_*_mb", "ansible_memtotal_mb", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }
}

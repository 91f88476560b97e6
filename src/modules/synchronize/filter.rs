//! `--exclude` and `--include`: patterns as rsync reads them.

/// What is left out: of all patterns the first that fits decides, and without one nothing is.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    excludes: bool,
    of_dirs: bool,
    pattern: fancy_regex::Regex,
}

impl Filter {
    /// Adds a pattern behind the others.
    pub fn push(&mut self, excludes: bool, text: &str) -> Result<(), String> {
        if text == "!" || text.starts_with("+ ") || text.starts_with("- ") {
            return Err(format!("`{text}` is no pattern for `--exclude` or `--include`"));
        }
        let of_dirs = text.len() > 1 && text.ends_with('/');
        let bare = if of_dirs { &text[..text.len() - 1] } else { text };
        let pattern = fancy_regex::Regex::new(&expression(bare)).map_err(|_| format!("`{text}` is no pattern"))?;
        self.rules.push(Rule { excludes, of_dirs, pattern });
        Ok(())
    }

    /// Whether what has this path, from the top of what is copied, is left out. What lies in a directory that is left out
    /// is not asked for.
    pub fn leaves_out(&self, path: &str, is_dir: bool) -> bool {
        let fits = |rule: &&Rule| (is_dir || !rule.of_dirs) && rule.pattern.is_match(path).unwrap_or(false);
        self.rules.iter().find(fits).is_some_and(|rule| rule.excludes)
    }
}

/// The pattern as a regular expression over a path without a leading slash. One with a slash at its beginning counts from
/// the top, any other fits the end of the path.
fn expression(pattern: &str) -> String {
    let (start, rest) = match pattern.strip_prefix('/') {
        Some(rest) => ("^", rest),
        None => ("^(?:.*/)?", pattern),
    };
    let mut out = start.to_owned();
    // `dir/***` is the directory and all that is in it.
    let (rest, below) = match rest.strip_suffix("/***") {
        Some(dir) => (dir, "(?:/.*)?"),
        None => (rest, ""),
    };
    let chars: Vec<char> = rest.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            '*' => {
                let stars = chars[at..].iter().take_while(|c| **c == '*').count();
                out.push_str(if stars > 1 { ".*" } else { "[^/]*" });
                at += stars;
                continue;
            }
            '?' => out.push_str("[^/]"),
            '[' => match class(&chars[at..]) {
                Some((text, length)) => {
                    out.push_str(&text);
                    at += length;
                    continue;
                }
                None => out.push_str(r"\["),
            },
            '\\' if at + 1 < chars.len() => {
                at += 1;
                literal(chars[at], &mut out);
            }
            c => literal(c, &mut out),
        }
        at += 1;
    }
    format!("(?s){out}{below}$")
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

/// `[a-z]`, `[!a]`: the class, and how many characters it takes.
fn class(chars: &[char]) -> Option<(String, usize)> {
    // A bracket that comes first stands for itself.
    let first = if matches!(chars.get(1), Some('!' | '^')) { 2 } else { 1 };
    let end = first + 1 + chars.get(first + 1..)?.iter().position(|c| *c == ']')?;
    let inside: String = chars[first..end].iter().collect();
    let inside = inside.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]");
    let sign = if first == 2 { "^/" } else { "" };
    Some((format!("[{sign}{inside}]"), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(patterns: &[&str], path: &str) -> bool {
        let mut filter = Filter::default();
        for pattern in patterns {
            match pattern.strip_prefix('+') {
                Some(pattern) => filter.push(false, pattern).unwrap(),
                None => filter.push(true, pattern).unwrap(),
            }
        }
        filter.leaves_out(path.trim_end_matches('/'), path.ends_with('/'))
    }

    #[test]
    fn as_rsync_reads_them() {
        assert!(out(&["*.py"], "a.py") && out(&["*.py"], "x/y/a.py") && !out(&["*.py"], "a.pyc"));
        assert!(out(&["/a"], "a") && !out(&["/a"], "x/a"));
        assert!(out(&["x/a"], "x/a") && out(&["x/a"], "y/x/a") && !out(&["x/a"], "yx/a"));
        assert!(out(&["tmp/"], "tmp/") && !out(&["tmp/"], "tmp"));
        assert!(out(&["x/*"], "x/a") && !out(&["/x/*"], "x/a/b"));
        assert!(out(&["/x/**"], "x/a/b") && !out(&["/x/**"], "x/"));
        assert!(out(&["/x/***"], "x/") && out(&["/x/***"], "x/a/b") && !out(&["/x/***"], "xy"));
        assert!(out(&["a?c"], "abc") && !out(&["a?c"], "a/c"));
        assert!(out(&["[a-c]x"], "bx") && out(&["[!a-c]x"], "dx") && !out(&["[!a-c]x"], "bx"));
        assert!(out(&["[]]"], "]") && out(&["[x"], "[x") && out(&[r"\*"], "*") && !out(&[r"\*"], "a"));
        assert!(!out(&["+keep.py", "*.py"], "keep.py") && out(&["+keep.py", "*.py"], "a.py"));
        assert!(!out(&[], "a"));
    }
}

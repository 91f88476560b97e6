//! Splits a line into words as a POSIX shell would quote them, without expanding anything.

/// Splits `line` as Python's `shlex.split` does: blanks separate, `'…'` and `"…"` keep together, a backslash keeps the
/// next character (between double quotes only before `"` and `\`). The error says which quote is not closed.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some('\'') => break,
                        Some(other) => word.push(other),
                        None => return Err("a single quote (') is not closed".into()),
                    }
                }
            }
            '"' => quoted(word.get_or_insert_default(), &mut letters)?,
            '\\' => match letters.next() {
                Some(other) => word.get_or_insert_default().push(other),
                None => return Err("there is nothing behind the last backslash".into()),
            },
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(word: &mut String, letters: &mut std::str::Chars) -> Result<(), String> {
    let open = || "a double quote (\") is not closed".to_owned();
    loop {
        match letters.next().ok_or_else(open)? {
            '"' => return Ok(()),
            '\\' => match letters.next().ok_or_else(open)? {
                kept @ ('"' | '\\') => word.push(kept),
                other => word.extend(['\\', other]),
            },
            other => word.push(other),
        }
    }
}

/// The first word of a line, and what stands behind it as it is written.
pub fn first(line: &str) -> (String, String) {
    let line = line.trim_start();
    let ends = line.match_indices(char::is_whitespace).map(|(at, _)| at).chain([line.len()]);
    for end in ends {
        // A blank inside quotes does not end the word.
        if let Ok([word]) = split(&line[..end]).as_deref() {
            return (word.clone(), line[end..].trim().to_owned());
        }
    }
    (line.to_owned(), String::new())
}

/// Quotes `word` for a shell, where it needs quotes.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\"'\"'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(line: &str, words: &[&str]) {
        assert_eq!(split(line).unwrap(), words, "{line}");
    }

    #[test]
    fn splits_as_a_shell() {
        case("ls -l  /tmp", &["ls", "-l", "/tmp"]);
        case("a 'b c' \"d e\"f", &["a", "b c", "d ef"]);
        case(r#"a\ b "\$x\"y\\" '\n'"#, &["a b", "\\$x\"y\\", "\\n"]);
        case("'' \"\"", &["", ""]);
        case("a # b", &["a", "#", "b"]);
        case("", &[]);
        case(
            r#"-o ProxyCommand="ssh -W %h:%p jump" -F 'a b' c\ d"#,
            &["-o", "ProxyCommand=ssh -W %h:%p jump", "-F", "a b", "c d"],
        );
    }

    #[test]
    fn the_first_word() {
        let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
        assert_eq!(first(" run.sh a \"b c\""), pair("run.sh", "a \"b c\""));
        assert_eq!(first("'my run.sh' a"), pair("my run.sh", "a"));
        assert_eq!(first("run.sh"), pair("run.sh", ""));
        assert_eq!(first("it's"), pair("it's", ""));
    }

    #[test]
    fn says_which_quote_is_open() {
        assert!(split("a 'b").unwrap_err().contains("single"));
        assert!(split("a \"b\\").unwrap_err().contains("double"));
        assert!(split("a\\").unwrap_err().contains("backslash"));
    }

    #[test]
    fn quotes_only_what_needs_it() {
        assert_eq!(quote("/a-b.c"), "/a-b.c");
        assert_eq!(quote("it's"), "'it'\"'\"'s'");
        assert_eq!(quote(""), "''");
    }
}

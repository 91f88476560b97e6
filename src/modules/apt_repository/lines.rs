//! Lines of `sources.list`.

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it says, with single blanks; `None` if it is no source.
    pub source: Option<String>,
    /// It counts: there is no `#` in front.
    pub enabled: bool,
    /// What stands behind a later `#`.
    comment: Option<String>,
}

impl Line {
    /// Reads a line.
    pub fn parse(text: &str) -> Line {
        let text = text.trim();
        let (enabled, text) = text.strip_prefix('#').map_or((true, text), |rest| (false, rest));
        let (text, comment) =
            text.split_once('#').map_or((text, None), |(text, comment)| (text, Some(comment.trim().to_owned())));
        let words: Vec<&str> = text.split_whitespace().collect();
        let source = words.first().filter(|first| matches!(**first, "deb" | "deb-src")).map(|_| words.join(" "));
        Line { source, enabled, comment }
    }

    fn text(&self) -> String {
        let comment = self.comment.as_ref().map_or_else(String::new, |comment| format!(" # {comment}"));
        format!("{}{comment}", self.source.as_deref().unwrap_or_default())
    }
}

/// The text with all lines of this source made to count; `None` if there is no such line.
pub fn enabled(text: &str, source: &str) -> Option<String> {
    let mut found = false;
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| match Line::parse(line) {
            parsed if parsed.source.as_deref() != Some(source) => line.to_owned(),
            parsed => {
                found = true;
                if parsed.enabled { line.to_owned() } else { parsed.text() }
            }
        })
        .collect();
    found.then(|| lines.join("\n"))
}

/// The text without the lines of this source that count; `None` if there is no such line.
pub fn without(text: &str, source: &str) -> Option<String> {
    let is_meant = |line: &&str| {
        let parsed = Line::parse(line);
        parsed.enabled && parsed.source.as_deref() == Some(source)
    };
    if !text.split('\n').any(|line| is_meant(&line)) {
        return None;
    }
    Some(text.split_inclusive('\n').filter(|line| !is_meant(line)).collect())
}

/// The name of a file for this source: its address, with `_` for all signs.
pub fn suggested(source: &str) -> String {
    let mut words = Vec::new();
    let mut in_options = false;
    for word in source.split(' ').skip(1) {
        in_options |= word.starts_with('[');
        if !in_options {
            words.push(word);
        }
        in_options &= !word.ends_with(']');
    }
    let address = words.first().copied().unwrap_or_default();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.split_once('@').map_or(address, |(_, rest)| rest);
    let parts = address.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_and_changed() {
        let text = "# about\ndeb  http://h/debian   bookworm main # why\n#deb http://h/x y z\n";
        assert_eq!(enabled(text, "deb http://h/debian bookworm main").as_deref(), Some(text));
        let on = enabled(text, "deb http://h/x y z").unwrap();
        assert!(on.ends_with("\ndeb http://h/x y z\n"));
        assert_eq!(without(text, "deb http://h/debian bookworm main").unwrap(), "# about\n#deb http://h/x y z\n");
        assert_eq!(without(text, "deb http://h/x y z"), None, "it does not count anyway");
        assert_eq!(enabled(text, "deb http://h/x other"), None);
    }

    #[test]
    fn names_of_files() {
        assert_eq!(suggested("deb http://archive.canonical.com/ubuntu hardy partner"), "archive_canonical_com_ubuntu");
        assert_eq!(suggested("deb [arch=amd64 signed-by=/k.gpg] https://me:p@h.org/x stable main"), "h_org_x");
    }
}

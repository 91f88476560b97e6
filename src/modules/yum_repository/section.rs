//! Sections of an INI file as Python's `configparser` writes them.

use std::collections::BTreeMap;

/// The text with this section as it shall be. A section that says so already, and all others, stay as they are.
pub fn with(text: &str, name: &str, settings: &BTreeMap<String, String>) -> String {
    let Some((start, end)) = find(text, name) else {
        let blank = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{end}{blank}{}", written(name, settings));
    };
    match read(&text[start..end]) == *settings {
        true => text.to_owned(),
        false => format!("{}{}{}", &text[..start], written(name, settings), &text[end..]),
    }
}

/// The text without this section.
pub fn without(text: &str, name: &str) -> String {
    match find(text, name) {
        Some((start, end)) => format!("{}{}", &text[..start], &text[end..]),
        None => text.to_owned(),
    }
}

/// Where a section starts and ends.
fn find(text: &str, name: &str) -> Option<(usize, usize)> {
    let mut start = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let head = line.trim_end().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match (start, head) {
            (None, Some(head)) if head == name => start = Some(at),
            (Some(start), Some(_)) => return Some((start, at)),
            _ => {}
        }
        at += line.len();
    }
    start.map(|start| (start, at))
}

fn read(section: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut last: Option<String> = None;
    for line in section.lines().skip(1).filter(|line| !line.trim().is_empty() && !line.starts_with(['#', ';'])) {
        if line.starts_with([' ', '\t']) {
            if let Some(value) = last.as_ref().and_then(|key| settings.get_mut(key)) {
                let value: &mut String = value;
                value.push('\n');
                value.push_str(line.trim());
            }
            continue;
        }
        if let Some((key, value)) = line.split_once(['=', ':']) {
            let key = key.trim().to_lowercase();
            settings.insert(key.clone(), value.trim().to_owned());
            last = Some(key);
        }
    }
    settings
}

fn written(name: &str, settings: &BTreeMap<String, String>) -> String {
    let lines = settings.iter().map(|(key, value)| format!("{key} = {}\n", value.replace('\n', "\n\t")));
    format!("[{name}]\n{}\n", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections() {
        let settings =
            BTreeMap::from([("baseurl".to_owned(), "a\nb".to_owned()), ("enabled".to_owned(), "1".to_owned())]);
        let made = with("", "x", &settings);
        assert_eq!(made, "[x]\nbaseurl = a\n\tb\nenabled = 1\n\n");
        assert_eq!(with(&made, "x", &settings), made);
        let other = "# mine\n[y]\nkey=1\n[x]\nold=1\n[z]\n";
        let new = with(other, "x", &settings);
        assert!(new.starts_with("# mine\n[y]\nkey=1\n[x]\nbaseurl") && new.ends_with("[z]\n"));
        assert_eq!(without(&new, "x"), "# mine\n[y]\nkey=1\n[z]\n");
        assert_eq!(without(other, "nope"), other);
    }
}

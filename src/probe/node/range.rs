//! Ranges of versions as npm writes them: `^1.2`, `>=1 <3`, `1.x || 2`, `1.2 - 3`.

use semver::{Version, VersionReq};

/// Whether the version lies in the range; `None`: it is no range but a tag, an address, a folder.
pub fn holds(range: &str, version: &str) -> Option<bool> {
    let version = Version::parse(version.trim_start_matches(['v', '='])).ok()?;
    let answers: Option<Vec<bool>> =
        range.split("||").map(|all| Some(request(all.trim())?.matches(&version))).collect();
    Some(answers?.contains(&true))
}

/// Whether this is one version and no range.
pub fn is_exact(text: &str) -> bool {
    Version::parse(text).is_ok()
}

/// A range without `||` in the words of the crate, which separates with commas and takes a bare version for `^`.
fn request(range: &str) -> Option<VersionReq> {
    if let Some((from, to)) = range.split_once(" - ") {
        return VersionReq::parse(&format!(">={}, <={}", from.trim(), to.trim())).ok();
    }
    let mut parts: Vec<String> = Vec::new();
    for word in range.split_whitespace() {
        match parts.last_mut() {
            // `>= 1.2`
            Some(last) if last.chars().all(|c| "<>=^~".contains(c)) => last.push_str(word),
            _ => parts.push(word.to_owned()),
        }
    }
    let parts: Vec<String> = parts.iter().map(|part| comparator(part)).filter(|part| part != "*").collect();
    if parts.is_empty() { Some(VersionReq::STAR) } else { VersionReq::parse(&parts.join(", ")).ok() }
}

fn comparator(part: &str) -> String {
    let number = part.trim_start_matches(['<', '>', '=', '^', '~']);
    let operator = &part[..part.len() - number.len()];
    let number = number.trim_start_matches('v');
    let whole: Vec<&str> = number.split('.').take_while(|piece| !matches!(*piece, "x" | "X" | "*")).collect();
    match (operator, whole.join(".")) {
        (_, number) if number.is_empty() => "*".to_owned(),
        ("", number) => format!("={number}"),
        ("~>", number) => format!("~{number}"),
        (operator, number) => format!("{operator}{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (range, version, expected) in [
            ("^4.18.2", "4.19.0", Some(true)),
            ("^4.18.2", "5.0.0", Some(false)),
            ("~1.2.3", "1.2.9", Some(true)),
            ("1.2.3", "1.2.4", Some(false)),
            ("1.x || 3", "3.9.1", Some(true)),
            ("1.2", "1.2.7", Some(true)),
            (">= 1.0 <2", "1.9.9", Some(true)),
            (">=1.0.0 <2.0.0", "2.0.0", Some(false)),
            ("1.0.0 - 2.0.0", "1.5.0", Some(true)),
            ("*", "7.0.0", Some(true)),
            ("", "7.0.0", Some(true)),
            ("latest", "7.0.0", None),
            ("git+https://h/x", "7.0.0", None),
        ] {
            assert_eq!(holds(range, version), expected, "{version} in {range}");
        }
        assert!(is_exact("1.2.3") && !is_exact("^1.2.3") && !is_exact("1.2"));
    }
}

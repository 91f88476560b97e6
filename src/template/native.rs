//! Native types: a text that is one `{{ expression }}` has the value of the expression.

/// The name, if the text is nothing but `{{ name }}`.
pub fn bare_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("{{")?.strip_suffix("}}")?.trim_matches(' ');
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (is_name && !RESERVED.contains(&name)).then_some(name)
}

/// Words that are no variables.
const RESERVED: &[&str] = &["true", "True", "false", "False", "none", "None", "omit", "not"];

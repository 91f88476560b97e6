//! HTML: escaping, tags, links, attributes.

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::filters::regex::with_pattern;
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["escape", "e"], "value", escape),
    entry(&["forceescape"], "value", forceescape),
    entry(&["safe"], "value", safe),
    entry(&["striptags"], "value", striptags),
    entry(&["urlize"], "value trim_url_limit nofollow target rel extra_schemes", urlize),
    entry(&["xmlattr"], "d autospace", xmlattr),
];

/// With what HTML would read replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn escape(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    Ok(if value.is_safe() { value.clone() } else { Value::from_safe_string(escaped(&python::text(value))) })
}

fn forceescape(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(Value::from_safe_string(escaped(&given.value_text()?)))
}

fn safe(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(Value::from_safe_string(given.value_text()?.into_owned()))
}

/// Without comments and tags, blanks joined, entities resolved.
fn striptags(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let text = without(&given.value_text()?, "<!--", "-->");
    let text = without(&text, "<", ">");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(unescaped(&text).into())
}

fn without(text: &str, open: &str, close: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(open) {
        let Some(end) = rest[start..].find(close) else { break };
        out.push_str(&rest[..start]);
        rest = &rest[start + end + close.len()..];
    }
    out + rest
}

/// Entities with numbers, and those of HTML that everybody uses.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.find(';').map(|end| (&rest[1..end], end + 1));
        match entity.and_then(|(name, length)| Some((letter(name)?, length))) {
            Some((letter, length)) => {
                out.push(letter);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

fn letter(entity: &str) -> Option<char> {
    if let Some(number) = entity.strip_prefix('#') {
        let hexadecimal = number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16).ok());
        return char::from_u32(hexadecimal.unwrap_or_else(|| number.parse().ok())?);
    }
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "copy" => '©',
        "reg" => '®',
        "euro" => '€',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "laquo" => '«',
        "raquo" => '»',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        _ => return None,
    })
}

fn xmlattr(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let mut parts = Vec::new();
    for (key, value) in python::pairs(given.value()?)? {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let key = python::text(&key).into_owned();
        if key.contains(|letter: char| letter.is_whitespace() || "/>=".contains(letter)) {
            return Err(wrong(format!("`{key}` cannot be the name of an attribute")));
        }
        parts.push(format!("{}=\"{}\"", escaped(&key), escaped(&python::text(&value))));
    }
    let space = if given.flag("autospace", true) && !parts.is_empty() { " " } else { "" };
    Ok(Value::from_safe_string(format!("{space}{}", parts.join(" "))))
}

/// What may stand in front of a link and behind it.
const OPENING: [&str; 3] = ["(", "<", "&lt;"];
const CLOSING: [&str; 6] = [")", ">", ".", ",", "\n", "&gt;"];

const WEB: &str = r"^((?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})|(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)|https?://(?:(?:[\d]{1,3})(?:\.[\d]{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))(?::[\d]{1,5})?(?:[/?#]\S*)?$";
const MAIL: &str = r"^\S+@\w[\w.-]*\.\w+$";

fn urlize(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let schemes: Vec<String> = match given.some("extra_schemes") {
        Some(schemes) => python::items(schemes)?.iter().map(|scheme| python::text(scheme).into_owned()).collect(),
        None => Vec::new(),
    };
    let mut rel: Vec<String> = given.str("rel")?.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if given.flag("nofollow", false) {
        rel.push("nofollow".into());
    }
    rel.push("noopener".into());
    rel.sort();
    rel.dedup();
    let mut attributes = format!(" rel=\"{}\"", escaped(&rel.join(" ")));
    if let Some(target) = given.str("target")? {
        attributes += &format!(" target=\"{}\"", escaped(target));
    }
    let limit = given.some("trim_url_limit").map(|_| given.size("trim_url_limit", 0)).transpose()?;
    let text = escaped(&given.value_text()?);
    let blank = char::is_whitespace;
    let mut out = String::new();
    let letters: Vec<char> = text.chars().collect();
    for run in letters.chunk_by(|left, right| blank(*left) == blank(*right)) {
        let word: String = run.iter().collect();
        out += &if blank(run[0]) { word } else { linked(&word, &schemes, limit, &attributes)? };
    }
    Ok(Value::from_safe_string(out))
}

fn linked(word: &str, schemes: &[String], limit: Option<usize>, attributes: &str) -> Result<String, Error> {
    let mut start = 0;
    while let Some(opening) = OPENING.iter().find(|opening| word[start..].starts_with(**opening)) {
        start += opening.len();
    }
    let mut end = word.len();
    while let Some(closing) = CLOSING.iter().find(|closing| word[start..end].ends_with(**closing)) {
        end -= closing.len();
    }
    // A closing sign that has its opening one inside belongs to the link.
    for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
        while word[start..end].matches(open).count() > word[start..end].matches(close).count() {
            match word[end..].find(close) {
                Some(at) => end += at + close.len(),
                None => break,
            }
        }
    }
    let middle = &word[start..end];
    let is = |pattern: &str| with_pattern(pattern, true, false, |pattern| pattern.is_match(middle));
    let shown = |text: &str| match limit {
        Some(limit) if text.chars().count() > limit => text.chars().take(limit).collect::<String>() + "...",
        _ => text.to_owned(),
    };
    let link = if is(WEB)? {
        let scheme = if middle.starts_with("https://") || middle.starts_with("http://") { "" } else { "https://" };
        format!("<a href=\"{scheme}{middle}\"{attributes}>{}</a>", shown(middle))
    } else if let Some(address) =
        middle.strip_prefix("mailto:").filter(|_| is(r"^mailto:\S+@\w[\w.-]*\.\w+$").unwrap_or(false))
    {
        format!("<a href=\"{middle}\">{address}</a>")
    } else if middle.contains('@') && !middle.starts_with("www.") && !middle.contains(':') && is(MAIL)? {
        format!("<a href=\"mailto:{middle}\">{middle}</a>")
    } else if schemes.iter().any(|scheme| middle != scheme && middle.starts_with(scheme.as_str())) {
        format!("<a href=\"{middle}\"{attributes}>{middle}</a>")
    } else {
        middle.to_owned()
    };
    Ok(format!("{}{link}{}", &word[..start], &word[end..]))
}

//! Versions and their order.

use std::cmp::Ordering;

use minijinja::{Error, State, Value};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const TESTS: &[Entry] =
    &[entry(&["version", "version_compare"], "value version operator strict version_type", version)];

fn version(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let left = given.value_text()?;
    let right = python::text(given.need("version")?).into_owned();
    if left.is_empty() || right.is_empty() {
        return Err(wrong("a version must not be empty"));
    }
    let wanted: fn(Ordering) -> bool = match given.str("operator")?.unwrap_or("eq") {
        "==" | "=" | "eq" => Ordering::is_eq,
        "<" | "lt" => Ordering::is_lt,
        "<=" | "le" => Ordering::is_le,
        ">" | "gt" => Ordering::is_gt,
        ">=" | "ge" => Ordering::is_ge,
        "!=" | "<>" | "ne" => Ordering::is_ne,
        other => return Err(wrong(format!("`operator` must be == < <= > >= != or its name, it is `{other}`"))),
    };
    let (parse, kind) = reader(given)?;
    let parsed = |text: &str| parse(text).ok_or_else(|| wrong(format!("`{text}` is no {kind} version")));
    Ok(wanted(compare(&parsed(&left)?, &parsed(&right)?)?).into())
}

/// The order of two versions of which nothing is known.
pub fn loosely(left: &str, right: &str) -> Result<Ordering, Error> {
    compare(&loose(left), &loose(right))
}

type Reader = fn(&str) -> Option<Vec<Part>>;

fn reader(given: &Arguments) -> Result<(Reader, &str), Error> {
    let kind = given.str("version_type")?;
    if given.some("strict").is_some() && kind.is_some() {
        return Err(wrong("`strict` and `version_type` exclude each other"));
    }
    let kind = kind.unwrap_or(if given.flag("strict", false) { "strict" } else { "loose" });
    let reader: Reader = match kind {
        "loose" => |text| Some(loose(text)),
        "strict" => strict,
        "semver" | "semantic" => semantic,
        "pep440" => pep440,
        other => return Err(wrong(format!("`version_type` must be loose, strict, semver or pep440, it is `{other}`"))),
    };
    Ok((reader, kind))
}

/// A piece of a version. A rank says on which side of its neighbours something stands; no piece at all is rank 0.
#[derive(Debug, PartialEq)]
enum Part {
    Number(u64),
    Text(String),
    Rank(u8),
}

fn compare(left: &[Part], right: &[Part]) -> Result<Ordering, Error> {
    for (left, right) in left.iter().zip(right) {
        let order = match (left, right) {
            (Part::Number(left), Part::Number(right)) => left.cmp(right),
            (Part::Text(left), Part::Text(right)) => left.cmp(right),
            (Part::Rank(left), Part::Rank(right)) => left.cmp(right),
            _ => return Err(wrong("the versions cannot be compared: a number stands against text")),
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(left.len().cmp(&right.len()))
}

/// Runs of digits and of small letters; dots separate, everything else is text.
fn loose(text: &str) -> Vec<Part> {
    let kind = |letter: char| (letter.is_ascii_digit(), letter.is_ascii_lowercase());
    let mut parts = Vec::new();
    for mut rest in text.split('.') {
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|letter| kind(letter) != kind(first)).unwrap_or(rest.len());
            let (run, other) = rest.split_at(end);
            parts.push(run.parse().map_or_else(|_| Part::Text(run.to_owned()), Part::Number));
            rest = other;
        }
    }
    parts
}

/// Two or three numbers, then perhaps `a` or `b` with a number, which come before the release.
fn strict(text: &str) -> Option<Vec<Part>> {
    let (numbers, before) = text.split_at(text.find(['a', 'b']).unwrap_or(text.len()));
    let mut numbers: Vec<u64> = numbers.split('.').map(digits).collect::<Option<_>>()?;
    if !(2..=3).contains(&numbers.len()) {
        return None;
    }
    numbers.resize(3, 0);
    let mut parts: Vec<Part> = numbers.into_iter().map(Part::Number).collect();
    match before.len() {
        0 => parts.push(Part::Rank(2)),
        _ => parts.extend([Part::Rank(1), Part::Text(before[..1].to_owned()), Part::Number(digits(&before[1..])?)]),
    }
    Some(parts)
}

/// Three numbers; a pre-release behind `-` comes before the release, a build behind `+` means nothing.
fn semantic(text: &str) -> Option<Vec<Part>> {
    let release = text.split('+').next()?;
    let (numbers, before) = release.split_once('-').map_or((release, None), |(numbers, rest)| (numbers, Some(rest)));
    let numbers: Vec<u64> = numbers.split('.').map(digits).collect::<Option<_>>()?;
    if numbers.len() != 3 {
        return None;
    }
    let mut parts: Vec<Part> = numbers.into_iter().map(Part::Number).collect();
    parts.push(Part::Rank(if before.is_some() { 1 } else { 2 }));
    for identifier in before.into_iter().flat_map(|before| before.split('.')) {
        // Numbers come before text.
        match digits(identifier) {
            Some(number) => parts.extend([Part::Rank(1), Part::Number(number)]),
            None if identifier.is_empty() => return None,
            None => parts.extend([Part::Rank(2), Part::Text(identifier.to_owned())]),
        }
    }
    Some(parts)
}

/// Python's own: `[N!]N(.N)*[{a|b|rc}N][.postN][.devN][+LOCAL]`.
fn pep440(text: &str) -> Option<Vec<Part>> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix('v').unwrap_or(&text);
    let (public, local) = text.split_once('+').map_or((text, ""), |(public, local)| (public, local));
    let (epoch, public) = public.split_once('!').unwrap_or(("0", public));
    let end = public.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(public.len());
    let (release, mut rest) = public.split_at(end);
    let mut numbers: Vec<u64> = release.trim_end_matches('.').split('.').map(digits).collect::<Option<_>>()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    let names = [("alpha", 1), ("a", 1), ("beta", 2), ("b", 2), ("preview", 3), ("pre", 3), ("rc", 3), ("c", 3)];
    let pre = segment(&mut rest, &names)?;
    let post = segment(&mut rest, &[("post", 1), ("rev", 1), ("r", 1)])?;
    let dev = segment(&mut rest, &[("dev", 1)])?;
    if !rest.is_empty() {
        return None;
    }
    let mut parts = vec![Part::Number(digits(epoch)?)];
    parts.extend(numbers.into_iter().flat_map(|number| [Part::Rank(1), Part::Number(number)]));
    parts.push(Part::Rank(0));
    // Of one release: development, pre-releases, the release, post-releases; development comes first within each.
    parts.extend(match (pre, post, dev) {
        (Some((rank, number)), ..) => [Part::Rank(rank), Part::Number(number)],
        (None, None, Some(_)) => [Part::Rank(0), Part::Number(0)],
        (None, ..) => [Part::Rank(4), Part::Number(0)],
    });
    parts.extend(
        post.map_or([Part::Rank(0), Part::Number(0)], |(rank, number)| [Part::Rank(rank), Part::Number(number)]),
    );
    parts.extend(
        dev.map_or([Part::Rank(2), Part::Number(0)], |(rank, number)| [Part::Rank(rank), Part::Number(number)]),
    );
    for piece in local.split(['.', '-', '_']).filter(|piece| !piece.is_empty()) {
        match digits(piece) {
            Some(number) => parts.extend([Part::Rank(2), Part::Number(number)]),
            None => parts.extend([Part::Rank(1), Part::Text(piece.to_owned())]),
        }
    }
    Some(parts)
}

/// Takes `[-_.]NAME[-_.]N` off the front: the rank of the name, and the number. `None` where the number is too large.
fn segment(rest: &mut &str, names: &[(&str, u8)]) -> Option<Option<(u8, u64)>> {
    let separators = ['-', '_', '.'];
    let inner = rest.strip_prefix(separators).unwrap_or(rest);
    let Some((name, rank)) = names.iter().find(|(name, _)| inner.starts_with(name)) else { return Some(None) };
    let inner = &inner[name.len()..];
    let numbered = |text: &&str| text.starts_with(|letter: char| letter.is_ascii_digit());
    let inner = inner.strip_prefix(separators).filter(numbered).unwrap_or(inner);
    let end = inner.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(inner.len());
    let number = if end == 0 { 0 } else { digits(&inner[..end])? };
    *rest = &inner[end..];
    Some(Some((*rank, number)))
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

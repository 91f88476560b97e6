//! The argument `checksum`: `sha256:HEX`, or `sha256:ADDRESS` of a list of checksums.

use crate::failure::Failure;
use crate::system::Digest;

/// What `checksum` says.
#[derive(Clone, Debug, PartialEq)]
pub enum Checksum {
    /// The checksum itself.
    Known(Digest, String),
    /// The address of a list that holds it.
    At(Digest, String),
}

impl Checksum {
    /// Reads the argument; the error says what was expected.
    pub fn parse(text: &str) -> Result<Checksum, String> {
        let form = || format!("expected a checksum such as sha256:HEX or sha256:https://…, found `{text}`");
        let (name, rest) = text.split_once(':').ok_or_else(form)?;
        let digest = Digest::named(name.trim()).ok_or_else(|| {
            format!("there is no algorithm `{name}`: it is one of md5, sha1, sha224, sha256, sha384, sha512")
        })?;
        let rest = rest.trim();
        if ["http://", "https://", "file://"].iter().any(|scheme| rest.starts_with(scheme)) {
            return Ok(Checksum::At(digest, rest.to_owned()));
        }
        let sum = rest.to_lowercase();
        let right = sum.len() == digest.of(b"").len() && sum.chars().all(|c| c.is_ascii_hexdigit());
        if right { Ok(Checksum::Known(digest, sum)) } else { Err(form()) }
    }
}

/// Finds the checksum of the file at `url` in a list: lines of `HEX  NAME` or `ALGORITHM (NAME) = HEX`, or one checksum
/// alone.
pub fn look_up(list: &str, url: &str, digest: Digest) -> Result<String, Failure> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let wanted = path.rsplit('/').next().unwrap_or(path);
    let length = digest.of(b"").len();
    let is_sum = |word: &str| word.len() == length && word.chars().all(|c| c.is_ascii_hexdigit());
    let lines: Vec<&str> = list.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let [single] = lines[..]
        && is_sum(single)
    {
        return Ok(single.to_lowercase());
    }
    let found = lines.iter().filter_map(|line| entry(line)).find(|(sum, name)| *name == wanted && is_sum(sum));
    found
        .map(|(sum, _)| sum.to_lowercase())
        .ok_or_else(|| Failure::new(format!("the list of checksums holds none for `{wanted}`")).argument("checksum"))
}

/// Checksum and file name of a line.
fn entry(line: &str) -> Option<(&str, &str)> {
    if let Some((left, sum)) = line.rsplit_once(" = ")
        && let Some((_, name)) = left.split_once('(')
    {
        return Some((sum.trim(), name.trim_end_matches(')')));
    }
    let (sum, name) = line.split_once(char::is_whitespace)?;
    let name = name.trim_start().trim_start_matches('*');
    Some((sum, name.strip_prefix("./").unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn the_argument() {
        let known = Checksum::Known(Digest::Md5, EMPTY.into());
        assert_eq!(Checksum::parse(&format!("md5:{}", EMPTY.to_uppercase())), Ok(known));
        assert!(
            matches!(Checksum::parse("sha256:https://h/SUMS"), Ok(Checksum::At(_, url)) if url == "https://h/SUMS")
        );
        for wrong in ["abc", "md5:abc", "crc:abc", ""] {
            assert!(Checksum::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists() {
        let find = |list: &str| look_up(list, "http://h/d/a.tgz?x=1", Digest::Md5).ok();
        assert_eq!(find(EMPTY).as_deref(), Some(EMPTY));
        assert_eq!(find(&format!("00  b.tgz\n{EMPTY}  ./a.tgz\n")).as_deref(), Some(EMPTY));
        assert_eq!(find(&format!("{EMPTY} *a.tgz")).as_deref(), Some(EMPTY));
        assert_eq!(find(&format!("MD5 (a.tgz) = {EMPTY}")).as_deref(), Some(EMPTY));
        assert_eq!(find(&format!("{EMPTY}  b.tgz")), None);
    }
}

//! What `uri` sends.

use super::BodyFormat;
use crate::failure::{During, Failure};
use crate::module::Source;
use crate::system::System;
use crate::value::{Map, Value};

/// The type (where the format decides it) and the bytes.
pub fn encode(
    system: &dyn System,
    body: &Value,
    format: BodyFormat,
    remote_src: bool,
) -> Result<(Option<String>, Vec<u8>), Failure> {
    match (format, body) {
        (BodyFormat::Multipart, Value::Map(fields)) => multipart(system, fields, remote_src),
        (BodyFormat::Multipart, _) => Err(Failure::new("`form-multipart` needs a mapping as `body`").argument("body")),
        (BodyFormat::Json, body) => Ok((Some("application/json".into()), text(body).into_bytes())),
        (BodyFormat::Form, Value::Map(_) | Value::List(_)) => {
            Ok((Some("application/x-www-form-urlencoded".into()), form(body)?.into_bytes()))
        }
        (BodyFormat::Form, body) => Ok((Some("application/x-www-form-urlencoded".into()), text(body).into_bytes())),
        (BodyFormat::Raw, body) => Ok((None, text(body).into_bytes())),
    }
}

/// The bytes of a file of the controller or of the host.
pub fn file(system: &dyn System, src: &Source) -> Result<Vec<u8>, Failure> {
    match src {
        Source::File { name, blob, .. } => system.content(blob).during(|| format!("read {name}")),
        Source::Remote(path) => system
            .read(path)
            .during(|| format!("read {}", path.display()))?
            .ok_or_else(|| Failure::new(format!("there is no file {}", path.display())).argument("src")),
        Source::Tree { .. } => Err(Failure::new("a directory cannot be sent").argument("src")),
    }
}

/// Text as it is, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        other => other.to_json().to_string(),
    }
}

/// Fields of a form in one line. A list as value repeats its field; null leaves it out.
fn form(body: &Value) -> Result<String, Failure> {
    let malformed = || Failure::new("expected a mapping, or a list of pairs of name and value").argument("body");
    let pairs: Vec<(String, &Value)> = match body {
        Value::Map(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::List(list) => list
            .iter()
            .map(|pair| match pair.as_list() {
                Some([name, value]) => Ok((plain(name), value)),
                _ => Err(malformed()),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(malformed()),
    };
    let mut fields = Vec::new();
    for (name, value) in pairs {
        let single = std::slice::from_ref(value);
        for value in value.as_list().unwrap_or(single).iter().filter(|value| **value != Value::Null) {
            fields.push(format!("{}={}", quoted(&name), quoted(&plain(value))));
        }
    }
    Ok(fields.join("&"))
}

/// A single value as Python prints it.
fn plain(value: &Value) -> String {
    match value {
        Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
        other => text(other),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(byte.into()),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn multipart(system: &dyn System, fields: &Map, remote_src: bool) -> Result<(Option<String>, Vec<u8>), Failure> {
    let mut parts = Vec::new();
    for (name, field) in fields {
        parts.push(part(system, name, field, remote_src)?);
    }
    // The same content has the same boundary, which none of the parts holds.
    let hash = parts.iter().fold(blake3::Hasher::new(), |mut hasher, part| {
        hasher.update(part);
        hasher
    });
    let boundary = format!("wodctl-{}", &hash.finalize().to_hex()[..32]);
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        body.extend(part);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((Some(format!("multipart/form-data; boundary=\"{boundary}\"")), body))
}

/// Head and content of one field.
fn part(system: &dyn System, name: &str, field: &Value, remote_src: bool) -> Result<Vec<u8>, Failure> {
    let get = |key: &str| field.get(key).map(plain);
    let refuse = |why: &str| Failure::new(format!("field `{name}`: {why}")).argument("body");
    let file = get("filename");
    let content = match (field, get("content"), &file) {
        (Value::Map(_), Some(content), _) => content.into_bytes(),
        (Value::Map(_), None, Some(path)) if remote_src => super::body::file(system, &Source::Remote(path.into()))?,
        (Value::Map(_), None, Some(_)) => {
            return Err(refuse("give its `content`, or `remote_src: true` where `filename` lies on the host"));
        }
        (Value::Map(_), None, None) => return Err(refuse("expected `content` or `filename`")),
        (value, ..) => plain(value).into_bytes(),
    };
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\r', '\n'], " ");
    let mut head = format!("Content-Disposition: form-data; name=\"{}\"", quote(name));
    if let Some(path) = &file {
        head.push_str(&format!("; filename=\"{}\"", quote(path.rsplit('/').next().unwrap_or(path))));
    }
    let kind = get("mime_type").or_else(|| file.as_ref().map(|_| "application/octet-stream".to_owned()));
    if let Some(kind) = kind {
        head.push_str(&format!("\r\nContent-Type: {}", kind.replace(['\r', '\n'], " ")));
    }
    let mut part = format!("{head}\r\n\r\n").into_bytes();
    part.extend(content);
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;
    use crate::system::fake::Fake;

    #[test]
    fn forms() {
        let body = map! { "a b" => "c&d", "l" => vec![1_i64, 2], "n" => Value::Null, "t" => true };
        assert_eq!(form(&body.into()).unwrap(), "a+b=c%26d&l=1&l=2&t=True");
        let pairs = Value::List(vec![vec!["x", "1"].into(), vec!["x", "2"].into()]);
        assert_eq!(form(&pairs).unwrap(), "x=1&x=2");
        assert!(form(&vec!["x"].into()).is_err());
    }

    #[test]
    fn parts_of_a_form() {
        let body = map! { "a" => "1", "f" => map! { "filename" => "/srv/x.txt", "mime_type" => "text/plain" } };
        let fake = Fake::new().file("/srv/x.txt", "hello");
        let (kind, bytes) = encode(&fake, &body.clone().into(), BodyFormat::Multipart, true).unwrap();
        let boundary = kind.unwrap().split_once('"').unwrap().1.trim_end_matches('"').to_owned();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--{boundary}\r\nContent-Disposition: \
             form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        assert!(encode(&fake, &body.into(), BodyFormat::Multipart, false).is_err());
    }
}

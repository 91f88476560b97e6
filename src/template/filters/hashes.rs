//! Digests, base64 and names made of them.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::Md5;
use minijinja::{Error, State, Value};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_256};

use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::python;

pub const FILTERS: &[Entry] = &[
    entry(&["b64decode"], "string encoding urlsafe", b64decode),
    entry(&["b64encode"], "string encoding urlsafe", b64encode),
    entry(&["hash"], "data hashtype", hash),
    entry(&["md5"], "data", md5),
    entry(&["sha1", "checksum"], "data", sha1),
    entry(&["to_uuid"], "string namespace", to_uuid),
];

/// The namespace that Ansible gives to its names.
const ANSIBLE: [u8; 16] = 0x361e6d51_faec_444a_9079_341386da8e2e_u128.to_be_bytes();

fn digest<D: Digest>(data: &Value) -> String {
    hex(&D::digest(bytes(data)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(data: &Value) -> Vec<u8> {
    data.as_bytes().map_or_else(|| python::text(data).into_owned().into_bytes(), <[u8]>::to_vec)
}

fn md5(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(digest::<Md5>(given.value()?).into())
}

fn sha1(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    Ok(digest::<Sha1>(given.value()?).into())
}

fn hash(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let data = given.value()?;
    Ok(match given.str("hashtype")?.unwrap_or("sha1").to_ascii_lowercase().as_str() {
        "md5" => digest::<Md5>(data),
        "sha1" => digest::<Sha1>(data),
        "sha224" => digest::<Sha224>(data),
        "sha256" => digest::<Sha256>(data),
        "sha384" => digest::<Sha384>(data),
        "sha512" => digest::<Sha512>(data),
        "sha512_256" => digest::<Sha512_256>(data),
        other => {
            let known = "md5, sha1, sha224, sha256, sha384, sha512 and sha512_256";
            return Err(wrong(format!("the hash `{other}` is not supported; these are: {known}")));
        }
    }
    .into())
}

/// Python's decoder wants padding, and so do we.
fn engine(urlsafe: bool) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    GeneralPurpose::new(if urlsafe { &URL_SAFE } else { &STANDARD }, config)
}

fn b64encode(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let value = given.value()?;
    let bytes = match value.as_str() {
        Some(text) => encode(text, given.str("encoding")?.unwrap_or("utf-8"))?,
        None => bytes(value),
    };
    Ok(engine(given.flag("urlsafe", false)).encode(bytes).into())
}

fn b64decode(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let urlsafe = given.flag("urlsafe", false);
    let other = if urlsafe { ['+', '/'] } else { ['-', '_'] };
    // As Python does, letters that are none of base64's are passed over.
    let fits = |letter: &char| (letter.is_ascii_alphanumeric() || "+/-_=".contains(*letter)) && !other.contains(letter);
    let text: String = given.value_text()?.chars().filter(fits).collect();
    let bytes = engine(urlsafe)
        .decode(&text)
        .map_err(|error| wrong(format!("{} is not base64: {error}", python::described(&text.into()))))?;
    decode(bytes, given.str("encoding")?.unwrap_or("utf-8"))
}

/// The name of an encoding without what people write differently.
fn encoding(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '_', ' '], "")
}

fn encode(text: &str, name: &str) -> Result<Vec<u8>, Error> {
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    Ok(match encoding(name).as_str() {
        "utf8" => text.as_bytes().to_vec(),
        "ascii" | "usascii" if text.is_ascii() => text.as_bytes().to_vec(),
        "latin1" | "iso88591" if text.chars().all(|letter| u32::from(letter) < 256) => {
            text.chars().map(|letter| letter as u8).collect()
        }
        "utf16le" => wide(u16::to_le_bytes),
        "utf16be" => wide(u16::to_be_bytes),
        "utf16" => [vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat(),
        "ascii" | "usascii" | "latin1" | "iso88591" => {
            return Err(wrong(format!("the text has letters that {name} lacks")));
        }
        _ => return Err(unknown_encoding(name)),
    })
}

fn decode(bytes: Vec<u8>, name: &str) -> Result<Value, Error> {
    let wide = |bytes: &[u8], order: fn([u8; 2]) -> u16| {
        String::from_utf16(&bytes.chunks_exact(2).map(|pair| order([pair[0], pair[1]])).collect::<Vec<_>>()).ok()
    };
    let text = match encoding(name).as_str() {
        "utf8" => match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            // Binary data stays what it is: another filter may want it.
            Err(error) => return Ok(Value::from_bytes(error.into_bytes())),
        },
        "ascii" | "usascii" => String::from_utf8(bytes).ok().filter(|text| text.is_ascii()),
        "latin1" | "iso88591" => Some(bytes.into_iter().map(char::from).collect()),
        "utf16le" => wide(&bytes, u16::from_le_bytes),
        "utf16be" => wide(&bytes, u16::from_be_bytes),
        "utf16" => match bytes.as_slice() {
            [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
            [0xff, 0xfe, rest @ ..] | rest => wide(rest, u16::from_le_bytes),
        },
        _ => return Err(unknown_encoding(name)),
    };
    text.map(Value::from).ok_or_else(|| wrong(format!("the decoded bytes are not {name}")))
}

fn unknown_encoding(name: &str) -> Error {
    wrong(format!(
        "the encoding `{name}` is not supported; these are: utf-8, ascii, latin-1, utf-16, utf-16-le, utf-16-be"
    ))
}

/// Version 5: a name's SHA-1 within a namespace.
fn to_uuid(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let namespace = match given.str("namespace")? {
        Some(text) => parse_uuid(text).ok_or_else(|| wrong(format!("`namespace` must be a UUID, it is `{text}`")))?,
        None => ANSIBLE,
    };
    let mut id = [0; 16];
    id.copy_from_slice(&Sha1::new().chain_update(namespace).chain_update(&*given.value_text()?).finalize()[..16]);
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    let text = hex(&id);
    Ok([&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-").into())
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String =
        text.replace("urn:", "").replace("uuid:", "").chars().filter(|c| !"{}-".contains(*c)).collect();
    (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok()).flatten().map(u128::to_be_bytes)
}

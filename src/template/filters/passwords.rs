//! Passwords as `/etc/shadow` keeps them.

use base64::Engine;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use md5::{Digest, Md5};
use minijinja::{Error, State, Value};
use sha_crypt::{Params, sha256_crypt, sha512_crypt};

use crate::template::Asks;
use crate::template::arguments::{Arguments, Entry, entry, wrong};
use crate::template::twister::Random;

pub const FILTERS: &[Entry] =
    &[entry(&["password_hash"], "password hashtype salt salt_size rounds ident", password_hash)
        .asking_unless("salt", Asks::CHANCE)];

/// The letters of crypt's base 64.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A way to hash a password.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hash {
    /// `$1$`
    Md5,
    /// `$5$`
    Sha256,
    /// `$6$`
    Sha512,
    /// `$2b$`
    Blowfish,
}

impl Hash {
    /// By the name that Ansible gives it, or passlib.
    pub fn named(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "md5" | "md5_crypt" => Hash::Md5,
            "sha256" | "sha256_crypt" => Hash::Sha256,
            "sha512" | "sha512_crypt" => Hash::Sha512,
            "blowfish" | "bcrypt" => Hash::Blowfish,
            other => {
                return Err(wrong(format!(
                    "the hash `{other}` is not supported; these are: md5, sha256, sha512, blowfish"
                )));
            }
        })
    }

    /// The length of a salt: the longest, which is also the usual one.
    fn salt_size(self) -> usize {
        match self {
            Hash::Md5 => 8,
            Hash::Sha256 | Hash::Sha512 => 16,
            Hash::Blowfish => 22,
        }
    }

    /// How many rounds there are where nothing is said.
    fn rounds(self) -> u32 {
        match self {
            Hash::Md5 => 1000,
            Hash::Sha256 => 535_000,
            Hash::Sha512 => 656_000,
            Hash::Blowfish => 12,
        }
    }
}

fn password_hash(_: &mut State, given: &Arguments) -> Result<Value, Error> {
    let password = given.value_text()?;
    let hash = Hash::named(given.str("hashtype")?.unwrap_or("sha512"))?;
    let salt = match given.str("salt")?.filter(|salt| !salt.is_empty()) {
        Some(salt) => salt.to_owned(),
        None => crypt_salt(hash, given.int("salt_size")?)?,
    };
    let rounds = given.int("rounds")?.filter(|rounds| *rounds != 0);
    let rounds =
        rounds.map(|rounds| u32::try_from(rounds).map_err(|_| wrong(format!("`rounds` must not be {rounds}"))));
    Ok(crypt(&password, hash, &salt, rounds.transpose()?, given.str("ident")?)?.into())
}

fn said(error: Error) -> String {
    error.detail().unwrap_or_default().to_owned()
}

/// Whether there is a hash of this name; an error says which there are.
pub fn is_hash(name: &str) -> Result<(), String> {
    Hash::named(name).map(|_| ()).map_err(said)
}

/// The password hashed by the hash of this name; an error says why it cannot be.
pub fn encrypted(password: &str, hash: &str, salt: Option<&str>, salt_size: Option<i64>) -> Result<String, String> {
    let hash = Hash::named(hash).map_err(said)?;
    let salt = match salt {
        Some(salt) => salt.to_owned(),
        None => crypt_salt(hash, salt_size).map_err(said)?,
    };
    crypt(password, hash, &salt, None, None).map_err(said)
}

/// A salt that nobody knows.
pub fn crypt_salt(hash: Hash, size: Option<i64>) -> Result<String, Error> {
    let most = hash.salt_size();
    let size = match size {
        None => most,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (1..=most).contains(size))
            .ok_or_else(|| wrong(format!("`salt_size` must be from 1 to {most}, it is {size}")))?,
    };
    let mut source = Random::system().map_err(wrong)?;
    Ok((0..size).map(|_| char::from(LETTERS[source.below(64) as usize])).collect())
}

/// The password as crypt(3) hashes it.
pub fn crypt(
    password: &str,
    hash: Hash,
    salt: &str,
    rounds: Option<u32>,
    ident: Option<&str>,
) -> Result<String, Error> {
    let most = hash.salt_size();
    if !salt.bytes().all(|byte| LETTERS.contains(&byte)) {
        return Err(wrong("`salt` may hold letters, digits, dots and slashes only"));
    }
    if salt.len() > most || (hash == Hash::Blowfish && salt.len() != most) {
        let exactly = if hash == Hash::Blowfish { "exactly" } else { "at most" };
        return Err(wrong(format!("`salt` must have {exactly} {most} letters, it has {}", salt.len())));
    }
    let bytes = password.as_bytes();
    match hash {
        Hash::Md5 => Ok(format!("$1${salt}${}", md5_crypt(bytes, salt.as_bytes()))),
        Hash::Blowfish => blowfish(bytes, salt, rounds.unwrap_or(hash.rounds()), ident.unwrap_or("2b")),
        Hash::Sha256 | Hash::Sha512 => {
            let rounds = rounds.unwrap_or(hash.rounds());
            let params = Params::new(rounds)
                .map_err(|_| wrong(format!("`rounds` must be from 1000 to 999999999, it is {rounds}")))?;
            // crypt's own number of rounds is not said.
            let said = if rounds == Params::RECOMMENDED_ROUNDS { String::new() } else { format!("rounds={rounds}$") };
            let (name, text) = match hash {
                Hash::Sha256 => (5, sha256_text(&sha256_crypt(bytes, salt.as_bytes(), params))),
                _ => (6, sha512_text(&sha512_crypt(bytes, salt.as_bytes(), params))),
            };
            Ok(format!("${name}${said}{salt}${text}"))
        }
    }
}

fn blowfish(password: &[u8], salt: &str, cost: u32, ident: &str) -> Result<String, Error> {
    if !matches!(ident, "2" | "2a" | "2b" | "2y") {
        return Err(wrong(format!("`ident` must be 2, 2a, 2b or 2y, it is `{ident}`")));
    }
    if !(4..=31).contains(&cost) {
        return Err(wrong(format!("`rounds` must be from 4 to 31 for blowfish, it is {cost}")));
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    let engine = GeneralPurpose::new(&base64::alphabet::BCRYPT, config);
    let salt = engine.decode(salt).ok().and_then(|salt| <[u8; 16]>::try_from(salt).ok());
    let salt = salt.ok_or_else(|| wrong("`salt` is no salt of blowfish"))?;
    let parts = bcrypt::hash_with_salt(password, cost, salt).map_err(|error| wrong(format!("cannot hash: {error}")))?;
    Ok(parts.format_for_version(bcrypt::Version::TwoB).replacen("$2b$", &format!("${ident}$"), 1))
}

fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    let alternate = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut first = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for part in password.chunks(16) {
        first.update(&alternate[..part.len()]);
    }
    let mut left = password.len();
    while left > 0 {
        first.update(if left & 1 == 1 { &[0] } else { &password[..1] });
        left >>= 1;
    }
    let mut result = first.finalize();
    for round in 0..1000 {
        let odd = round % 2 == 1;
        let mut next = Md5::new().chain_update(if odd { password } else { &result[..] });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if odd { &result[..] } else { password });
        result = next.finalize();
    }
    let groups = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    encoded(&result, groups.into_iter(), &[11])
}

fn sha512_text(bytes: &[u8]) -> String {
    let groups = std::iter::successors(Some([0, 21, 42]), |[a, b, c]| Some([b + 1, c + 1, a + 1]));
    encoded(bytes, groups.take(21), &[63])
}

fn sha256_text(bytes: &[u8]) -> String {
    let groups = std::iter::successors(Some([0, 10, 20]), |[a, b, c]| Some([c + 1, a + 1, b + 1]));
    encoded(bytes, groups.take(10), &[31, 30])
}

/// Four letters for each three bytes, the last bits first; fewer for the bytes left over.
fn encoded(bytes: &[u8], groups: impl Iterator<Item = [usize; 3]>, last: &[usize]) -> String {
    let mut out = String::new();
    let mut push = |places: &[usize], letters: usize| {
        let mut bits = places.iter().fold(0u32, |bits, place| bits << 8 | u32::from(bytes[*place]));
        for _ in 0..letters {
            out.push(char::from(LETTERS[(bits & 63) as usize]));
            bits >>= 6;
        }
    };
    groups.for_each(|group| push(&group, 4));
    push(last, last.len() + 1);
    out
}

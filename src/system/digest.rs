//! Checksums of contents.

use sha2::Digest as _;

/// The algorithms that Ansible's modules offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// MD5.
    Md5,
    /// SHA-1, which Ansible's results call `checksum`.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A checksum that is being computed.
pub enum Digester {
    #[doc(hidden)]
    Md5(md5::Md5),
    #[doc(hidden)]
    Sha1(sha1::Sha1),
    #[doc(hidden)]
    Sha224(sha2::Sha224),
    #[doc(hidden)]
    Sha256(sha2::Sha256),
    #[doc(hidden)]
    Sha384(sha2::Sha384),
    #[doc(hidden)]
    Sha512(sha2::Sha512),
}

impl Digest {
    /// Of this name (`sha256`).
    pub fn named(name: &str) -> Option<Digest> {
        Some(match name {
            "md5" => Digest::Md5,
            "sha1" => Digest::Sha1,
            "sha224" => Digest::Sha224,
            "sha256" => Digest::Sha256,
            "sha384" => Digest::Sha384,
            "sha512" => Digest::Sha512,
            _ => return None,
        })
    }

    /// Of these bytes, in hexadecimal.
    pub fn of(self, bytes: &[u8]) -> String {
        let mut digester = self.start();
        digester.update(bytes);
        digester.finish()
    }

    /// Begins with nothing.
    pub fn start(self) -> Digester {
        match self {
            Digest::Md5 => Digester::Md5(md5::Md5::new()),
            Digest::Sha1 => Digester::Sha1(sha1::Sha1::new()),
            Digest::Sha224 => Digester::Sha224(sha2::Sha224::new()),
            Digest::Sha256 => Digester::Sha256(sha2::Sha256::new()),
            Digest::Sha384 => Digester::Sha384(sha2::Sha384::new()),
            Digest::Sha512 => Digester::Sha512(sha2::Sha512::new()),
        }
    }
}

impl Digester {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Digester::Md5(digester) => digester.update(bytes),
            Digester::Sha1(digester) => digester.update(bytes),
            Digester::Sha224(digester) => digester.update(bytes),
            Digester::Sha256(digester) => digester.update(bytes),
            Digester::Sha384(digester) => digester.update(bytes),
            Digester::Sha512(digester) => digester.update(bytes),
        }
    }

    /// The checksum in hexadecimal.
    pub fn finish(self) -> String {
        match self {
            Digester::Md5(digester) => hex(&digester.finalize()),
            Digester::Sha1(digester) => hex(&digester.finalize()),
            Digester::Sha224(digester) => hex(&digester.finalize()),
            Digester::Sha256(digester) => hex(&digester.finalize()),
            Digester::Sha384(digester) => hex(&digester.finalize()),
            Digester::Sha512(digester) => hex(&digester.finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        assert_eq!(Digest::Md5.of(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(Digest::Sha1.of(b"a"), "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8");
        let lengths = ["sha224", "sha256", "sha384", "sha512"].map(|name| Digest::named(name).unwrap().of(b"").len());
        assert_eq!(lengths, [56, 64, 96, 128]);
    }
}

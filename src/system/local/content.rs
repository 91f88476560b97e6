//! What files hold, as it is read and written.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};

use super::{Local, door};
use crate::system::Content;

impl Local {
    pub(super) fn write_content(&self, file: &mut File, content: &Content) -> io::Result<()> {
        match content {
            Content::Bytes(bytes) => file.write_all(bytes),
            Content::File(path) => io::copy(&mut door::read(path)?, file).map(drop),
            Content::Blob(blob) => {
                let mut source = self.fetch.open(blob)?;
                let mut hasher = blake3::Hasher::new();
                pieces(&mut source, |piece| {
                    hasher.update(piece);
                    file.write_all(piece)
                })?;
                match *hasher.finalize().as_bytes() == blob.hash {
                    true => Ok(()),
                    false => Err(io::Error::other("the content changed while it was sent")),
                }
            }
        }
    }
}

/// Reads everything in pieces of constant size.
pub(super) fn pieces(source: &mut dyn Read, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(got) => each(&buffer[..got])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

//! Contents of the controller that agents may ask for by their hash.
#![expect(clippy::disallowed_methods, reason = "reads the contents that agents ask for")]

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use sha1::{Digest, Sha1};

use crate::protocol::PIECE;
use crate::system::Blob;

/// Where a content lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// In memory: a rendered template.
    Memory(Arc<[u8]>),
    /// In a file, read again when it is asked for.
    File(PathBuf),
}

/// All contents of a run. Cheap to clone: clones share.
#[derive(Clone, Debug, Default)]
pub struct Blobs(Arc<Mutex<Store>>);

#[derive(Debug, Default)]
struct Store {
    places: HashMap<[u8; 32], Place>,
    files: HashMap<PathBuf, (Stamp, Blob)>,
}

/// What tells whether a file is still the one that was hashed.
type Stamp = (u64, Option<std::time::SystemTime>);

impl Blobs {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Keeps bytes and names them.
    pub fn bytes(&self, bytes: Vec<u8>) -> Blob {
        let blob = describe(&bytes);
        self.store().places.insert(blob.hash, Place::Memory(bytes.into()));
        blob
    }

    /// Names a file's content; each file is hashed once a run.
    pub fn file(&self, path: &Path) -> std::io::Result<Blob> {
        let meta = path.metadata()?;
        let stamp = (meta.len(), meta.modified().ok());
        if let Some((known, blob)) = self.store().files.get(path)
            && *known == stamp
        {
            return Ok(blob.clone());
        }
        let mut file = std::fs::File::open(path)?;
        let (mut blake, mut sha, mut size) = (blake3::Hasher::new(), Sha1::new(), 0u64);
        let mut buffer = vec![0; PIECE.min(meta.len() as usize + 1)];
        loop {
            let got = file.read(&mut buffer)?;
            if got == 0 {
                break;
            }
            blake.update(&buffer[..got]);
            sha.update(&buffer[..got]);
            size += got as u64;
        }
        let blob = Blob { hash: *blake.finalize().as_bytes(), size, sha1: hex(&sha.finalize()) };
        let mut store = self.store();
        store.places.insert(blob.hash, Place::File(path.to_owned()));
        store.files.insert(path.to_owned(), (stamp, blob.clone()));
        Ok(blob)
    }

    /// Where a content lies.
    pub fn place(&self, hash: &[u8; 32]) -> Option<Place> {
        self.store().places.get(hash).cloned()
    }
}

/// Hash, size and checksum of bytes.
pub fn describe(bytes: &[u8]) -> Blob {
    Blob { hash: *blake3::hash(bytes).as_bytes(), size: bytes.len() as u64, sha1: hex(&Sha1::digest(bytes)) }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

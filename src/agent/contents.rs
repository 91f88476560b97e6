//! Contents that lie on the controller: asked for in windows, read as they arrive.
//!
//! Neither side ever holds a large file. Small contents, which a step often needs twice (for the diff and for the file),
//! are kept for a while.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::routes::Asker;
use crate::protocol::PIECE;
use crate::system::Blob;
use crate::system::local::Fetch;

/// So much of one content is asked for at a time; two windows are under way.
const WINDOW: u64 = 4 * PIECE as u64;
/// Contents up to this size are kept.
const SMALL: u64 = PIECE as u64;
/// Kept contents and those that were asked for ahead take at most about this much.
const KEPT: u64 = 2 << 20;

type Hash = [u8; 32];

/// Says what is wanted: hash, offset, length.
pub type Ask = dyn Fn(Hash, u64, u64) + Send + Sync;

/// All contents that are under way or kept.
pub struct Contents {
    ask: Box<Ask>,
    store: Mutex<Store>,
    arrived: Condvar,
}

#[derive(Default)]
struct Store {
    under_way: HashMap<Hash, Arrival>,
    kept: HashMap<Hash, Kept>,
    /// Kept contents that were read, the longest ago first: they go first.
    read: VecDeque<Hash>,
    /// To be asked for when there is room.
    ahead: VecDeque<Blob>,
    /// Bytes that are still under way for somebody who does not read them any more.
    stale: HashMap<Hash, u64>,
    ended: bool,
}

struct Kept {
    bytes: Arc<[u8]>,
    was_read: bool,
}

/// A content that was asked for.
struct Arrival {
    size: u64,
    asked: u64,
    got: u64,
    pieces: VecDeque<Vec<u8>>,
    refused: Option<String>,
}

impl Contents {
    /// Nothing is under way. What is wanted is told to `ask`.
    pub fn new(ask: Box<Ask>) -> Self {
        Contents { ask, store: Mutex::default(), arrived: Condvar::new() }
    }

    /// Nothing more will arrive.
    pub fn end(&self) {
        self.lock().ended = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, store: MutexGuard<'a, Store>) -> MutexGuard<'a, Store> {
        self.arrived.wait(store).unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the next small contents while there is room for them.
    fn ask_ahead(&self, store: &mut Store) {
        while store.waiting() < KEPT / 2 {
            let Some(blob) = store.ahead.pop_front() else { return };
            if !store.kept.contains_key(&blob.hash) && !store.under_way.contains_key(&blob.hash) {
                self.start(store, &blob);
            }
        }
    }

    fn start(&self, store: &mut Store, blob: &Blob) {
        let asked = blob.size.min(2 * WINDOW);
        let arrival = Arrival { size: blob.size, asked, got: 0, pieces: VecDeque::new(), refused: None };
        store.under_way.insert(blob.hash, arrival);
        let mut offset = 0;
        while offset < asked {
            let length = WINDOW.min(asked - offset);
            (self.ask)(blob.hash, offset, length);
            offset += length;
        }
    }

    /// A small content as a whole.
    fn small(&self, blob: &Blob) -> io::Result<Arc<[u8]>> {
        let mut store = self.lock();
        loop {
            if let Some(kept) = store.kept.get_mut(&blob.hash) {
                let bytes = kept.bytes.clone();
                if !std::mem::replace(&mut kept.was_read, true) {
                    store.read.push_back(blob.hash);
                }
                self.ask_ahead(&mut store);
                return Ok(bytes);
            }
            match store.under_way.get(&blob.hash) {
                None => self.start(&mut store, blob),
                Some(_) => store.check(&blob.hash)?,
            }
            store = self.wait(store);
        }
    }
}

impl Asker for Contents {
    fn deliver(&self, hash: Hash, data: Vec<u8>) {
        let mut store = self.lock();
        if let Some(stale) = store.stale.get_mut(&hash) {
            *stale = stale.saturating_sub(data.len() as u64);
            if *stale == 0 {
                store.stale.remove(&hash);
            }
        } else if let Some(arrival) = store.under_way.get_mut(&hash) {
            arrival.got += data.len() as u64;
            arrival.pieces.push_back(data);
            let whole = arrival.got >= arrival.size;
            if whole && arrival.size <= SMALL {
                store.keep(hash);
            }
        }
        self.arrived.notify_all();
    }

    fn refuse(&self, hash: Hash, why: String) {
        if let Some(arrival) = self.lock().under_way.get_mut(&hash) {
            arrival.refused = Some(why);
        }
        self.arrived.notify_all();
    }
}

impl Store {
    /// Bytes that are under way or have arrived without being read.
    fn waiting(&self) -> u64 {
        let under_way = self.under_way.values().map(|arrival| arrival.asked).sum::<u64>();
        under_way + self.kept.values().filter(|kept| !kept.was_read).map(|kept| kept.bytes.len() as u64).sum::<u64>()
    }

    /// Keeps a small content that has arrived as a whole.
    fn keep(&mut self, hash: Hash) {
        let Some(arrival) = self.under_way.remove(&hash) else { return };
        let bytes: Vec<u8> = arrival.pieces.into_iter().flatten().collect();
        self.kept.insert(hash, Kept { bytes: bytes.into(), was_read: false });
        while self.kept.values().map(|kept| kept.bytes.len() as u64).sum::<u64>() > KEPT {
            let Some(oldest) = self.read.pop_front() else { return };
            self.kept.remove(&oldest);
        }
    }

    /// Whether what is under way can still arrive.
    fn check(&mut self, hash: &Hash) -> io::Result<()> {
        if let Some(why) = self.under_way.get(hash).and_then(|arrival| arrival.refused.clone()) {
            self.under_way.remove(hash);
            return Err(io::Error::other(format!("the controller cannot send it: {why}")));
        }
        match self.ended {
            // Not `Interrupted`, after which readers try again.
            true => Err(io::Error::new(ErrorKind::ConnectionAborted, "the connection to the controller has ended")),
            false => Ok(()),
        }
    }
}

impl Fetch for Contents {
    fn open(&self, blob: &Blob) -> io::Result<Box<dyn Read + '_>> {
        if blob.size == 0 {
            return Ok(Box::new(io::empty()));
        }
        if blob.size <= SMALL {
            return Ok(Box::new(io::Cursor::new(self.small(blob)?)));
        }
        let mut store = self.lock();
        // Two who want the same large content get it one after the other.
        while store.under_way.contains_key(&blob.hash) {
            store.check(&blob.hash)?;
            store = self.wait(store);
        }
        self.start(&mut store, blob);
        Ok(Box::new(Stream { contents: self, hash: blob.hash, left: blob.size, piece: Vec::new(), used: 0 }))
    }

    fn ahead(&self, blobs: &[Blob]) {
        let mut store = self.lock();
        // What an earlier step asked for and never read is not waited for any more.
        let unread: Vec<Hash> = store.kept.iter().filter(|(_, kept)| !kept.was_read).map(|(hash, _)| *hash).collect();
        for hash in unread {
            store.kept.remove(&hash);
        }
        store.ahead = blobs.iter().filter(|blob| blob.size > 0 && blob.size <= SMALL).cloned().collect();
        self.ask_ahead(&mut store);
    }
}

/// A large content, read while it arrives.
struct Stream<'a> {
    contents: &'a Contents,
    hash: Hash,
    left: u64,
    piece: Vec<u8>,
    used: usize,
}

impl Stream<'_> {
    /// Waits for the next piece, and asks for more as pieces are taken.
    fn next_piece(&mut self) -> io::Result<()> {
        let mut store = self.contents.lock();
        loop {
            store.check(&self.hash)?;
            let Some(arrival) = store.under_way.get_mut(&self.hash) else {
                return Err(ErrorKind::UnexpectedEof.into());
            };
            if let Some(piece) = arrival.pieces.pop_front() {
                self.left = self.left.saturating_sub(piece.len() as u64);
                let taken = arrival.size - self.left;
                if arrival.asked < arrival.size && arrival.asked - taken <= WINDOW {
                    let (offset, length) = (arrival.asked, WINDOW.min(arrival.size - arrival.asked));
                    arrival.asked += length;
                    (self.contents.ask)(self.hash, offset, length);
                }
                (self.piece, self.used) = (piece, 0);
                return Ok(());
            }
            store = self.contents.wait(store);
        }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.used == self.piece.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.next_piece()?;
        }
        let count = buffer.len().min(self.piece.len() - self.used);
        buffer[..count].copy_from_slice(&self.piece[self.used..self.used + count]);
        self.used += count;
        Ok(count)
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        let mut store = self.contents.lock();
        if let Some(arrival) = store.under_way.remove(&self.hash)
            && arrival.asked > arrival.got
            && arrival.refused.is_none()
        {
            *store.stale.entry(self.hash).or_default() += arrival.asked - arrival.got;
        }
        drop(store);
        self.contents.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fake::blob;
    use std::sync::mpsc;

    /// Contents that a thread of its own sends, as a controller would; the number of questions.
    fn served(all: Vec<Vec<u8>>) -> (Arc<Contents>, Arc<Mutex<usize>>) {
        let (sender, receiver) = mpsc::channel();
        let sender = Mutex::new(sender);
        let ask = move |hash, offset, length| sender.lock().unwrap().send((hash, offset, length)).unwrap();
        let contents = Arc::new(Contents::new(Box::new(ask)));
        let (to, asked) = (contents.clone(), Arc::new(Mutex::new(0)));
        let count = asked.clone();
        std::thread::spawn(move || {
            while let Ok((hash, offset, length)) = receiver.recv() {
                *count.lock().unwrap() += 1;
                match all.iter().find(|bytes| *blake3::hash(bytes).as_bytes() == hash) {
                    Some(bytes) => {
                        let part = &bytes[offset as usize..(offset + length) as usize];
                        part.chunks(PIECE).for_each(|piece| to.deliver(hash, piece.to_vec()));
                    }
                    None => to.refuse(hash, "it is gone".into()),
                }
            }
        });
        (contents, asked)
    }

    fn read(contents: &Contents, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        contents.open(&blob(bytes))?.read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn large_ones_arrive_in_windows() {
        let large: Vec<u8> = (0..6 * WINDOW + 17).map(|index| (index / 1000) as u8).collect();
        let (contents, asked) = served(vec![large.clone()]);
        assert!(read(&contents, &large).unwrap() == large);
        assert_eq!(*asked.lock().unwrap(), 7);
        assert!(contents.lock().under_way.is_empty());
    }

    #[test]
    fn small_ones_are_asked_for_once_and_ahead() {
        let small: Vec<Vec<u8>> = (0..50u8).map(|index| vec![index; 100_000]).collect();
        let (contents, asked) = served(small.clone());
        contents.ahead(&small.iter().map(|bytes| blob(bytes)).collect::<Vec<_>>());
        for bytes in &small {
            assert!(read(&contents, bytes).unwrap() == *bytes);
        }
        assert_eq!(*asked.lock().unwrap(), 50);
        assert!(read(&contents, &small[49]).unwrap() == small[49]);
        assert_eq!(*asked.lock().unwrap(), 50);
        assert!(contents.lock().kept.values().map(|kept| kept.bytes.len() as u64).sum::<u64>() <= KEPT);
    }

    #[test]
    fn what_cannot_be_had_is_an_error() {
        let (contents, _) = served(vec![]);
        assert!(read(&contents, b"x").unwrap_err().to_string().contains("it is gone"));
        let large = vec![0; SMALL as usize + 1];
        assert!(read(&contents, &large).unwrap_err().to_string().contains("it is gone"));
        contents.end();
        assert!(read(&contents, b"").unwrap().is_empty());
        let ended = std::io::copy(&mut contents.open(&blob(&large)).unwrap(), &mut std::io::sink());
        assert!(ended.is_err(), "it does not try again for ever");
    }
}

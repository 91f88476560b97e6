//! Questions to the kernel that no file of `/proc` or `/sys` answers.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::Space;

/// The last message of an answer in several parts.
const NLMSG_DONE: u16 = 3;
/// An error, or with error 0 an acknowledgement.
const NLMSG_ERROR: u16 = 2;
/// More messages follow.
const NLM_F_MULTI: u16 = 2;
/// Of a message's header.
const HEADER: usize = 16;

/// Sends one request to the routing family of netlink; the messages of the answer, one behind the other.
pub fn netlink(request: &[u8]) -> io::Result<Vec<u8>> {
    let socket = net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    net::send(&socket, request, SendFlags::empty())?;
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let (_, length) = net::recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        let part = &buffer[..length.min(buffer.len())];
        answer.extend_from_slice(part);
        if part.is_empty() || is_last(part)? {
            return Ok(answer);
        }
    }
}

/// Whether nothing follows these messages. A refusal is an error.
fn is_last(mut messages: &[u8]) -> io::Result<bool> {
    let mut last = true;
    while let Some((header, _)) = messages.split_at_checked(HEADER) {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let flags = u16::from_ne_bytes([header[6], header[7]]);
        if kind == NLMSG_ERROR
            && let Some(code) = messages.get(HEADER..HEADER + 4)
        {
            let code = i32::from_ne_bytes([code[0], code[1], code[2], code[3]]);
            return if code == 0 { Ok(true) } else { Err(io::Error::from_raw_os_error(-code)) };
        }
        last = kind == NLMSG_DONE || flags & NLM_F_MULTI == 0;
        if length < HEADER {
            return Ok(true);
        }
        messages = messages.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(last)
}

/// How full the file systems mounted at `paths` are. One thread walks through them; where a dead network mount holds it
/// for longer than `patience`, it is left behind and another goes on.
pub fn space(paths: &[PathBuf], patience: Duration) -> Vec<io::Result<Space>> {
    let queue: Arc<Mutex<VecDeque<(usize, PathBuf)>>> =
        Arc::new(Mutex::new(paths.iter().cloned().enumerate().collect()));
    let mut results: Vec<io::Result<Space>> = paths.iter().map(|_| Err(io::ErrorKind::TimedOut.into())).collect();
    loop {
        let (sender, receiver) = mpsc::channel();
        let worker = Arc::clone(&queue);
        std::thread::spawn(move || {
            let next = || worker.lock().ok()?.pop_front();
            while let Some((index, path)) = next() {
                if sender.send((index, statvfs(&path))).is_err() {
                    break;
                }
            }
        });
        loop {
            match receiver.recv_timeout(patience) {
                Ok((index, result)) => results[index] = result,
                Err(RecvTimeoutError::Disconnected) => return results,
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
    }
}

fn statvfs(path: &PathBuf) -> io::Result<Space> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(Space {
        block_size: stat.f_bsize,
        fragment_size: stat.f_frsize,
        blocks: stat.f_blocks,
        blocks_available: stat.f_bavail,
        inodes: stat.f_files,
        inodes_available: stat.f_favail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_lists_its_addresses() {
        // RTM_GETADDR (22) with NLM_F_REQUEST | NLM_F_DUMP, for every family.
        let mut request = vec![0; 24];
        request[0] = 24;
        request[4] = 22;
        request[6..8].copy_from_slice(&0x301_u16.to_ne_bytes());
        let answer = netlink(&request).unwrap();
        assert!(answer.len() >= 20, "at least the end of the list");
    }

    #[test]
    fn each_path_gets_its_answer() {
        let paths = ["/", "/no/such/place", "/proc"].map(PathBuf::from);
        let space = space(&paths, Duration::from_secs(5));
        assert!(space[0].as_ref().is_ok_and(|space| space.blocks > 0));
        assert_eq!(space[1].as_ref().unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(space[2].is_ok());
    }
}

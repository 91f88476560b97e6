//! Whether somebody listens at a port, and what it says of itself.

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// As [`System::connect`](super::System::connect).
pub fn connect(to: SocketAddr, patience: Duration, enough: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let until = Instant::now() + patience;
    let mut stream = TcpStream::connect_timeout(&to, patience)?;
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    while !enough(&heard) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => heard.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // It says nothing more, or went away: what was heard until then counts.
            Err(_) => break,
        }
    }
    Ok(heard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    #[test]
    fn listens_until_it_is_enough() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"hello ").unwrap();
            stream.write_all(b"world").unwrap();
        });
        let heard = connect(to, Duration::from_secs(20), &mut |heard| heard.ends_with(b"world")).unwrap();
        assert_eq!(heard, b"hello world");
        server.join().unwrap();
        assert!(connect(to, Duration::from_secs(20), &mut |_| true).is_err(), "nobody is there any more");
    }
}

//! One open channel to one agent: frames out, messages in, contents on demand.
#![expect(clippy::disallowed_methods, reason = "reads the contents that agents ask for")]

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

use super::blobs::Place;
use super::{Blobs, Inbox, Incoming, SessionId};
use crate::protocol::{self, FromAgent, MAX_FRAME, PIECE, PULSE, SILENCE, ToAgent};

/// The sending end of a session. Dropping it ends the session.
#[derive(Clone, Debug)]
pub struct Agent(mpsc::UnboundedSender<ToAgent>);

impl Agent {
    /// Sends a message; it is lost if the session has ended, which the inbox learns by itself.
    pub fn send(&self, message: ToAgent) {
        let _ = self.0.send(message);
    }
}

/// What waits to be sent.
pub type Outbox = mpsc::UnboundedReceiver<ToAgent>;

/// A sending end with what it fills.
pub fn channel() -> (Agent, Outbox) {
    let (sender, outbox) = mpsc::unbounded_channel();
    (Agent(sender), outbox)
}

/// Moves frames until either end closes. `input` stands just behind the marker.
pub async fn pump(
    id: SessionId,
    outbox: &mut Outbox,
    inbox: &Inbox,
    blobs: Blobs,
    input: &mut (impl AsyncRead + Unpin),
    output: impl AsyncWrite + Unpin,
) -> Result<(), String> {
    let deliver = |message| drop(inbox.send((id, Incoming::Message(message))));
    converse(deliver, outbox, blobs, input, output, SILENCE).await
}

/// The same, where an agent may be silent for this long.
async fn converse(
    deliver: impl Fn(FromAgent),
    outbox: &mut Outbox,
    blobs: Blobs,
    input: &mut (impl AsyncRead + Unpin),
    mut output: impl AsyncWrite + Unpin,
    silence: Duration,
) -> Result<(), String> {
    // Contents wait in a short queue of their own, so that a watermark never stands behind a large file.
    let (pieces, mut ready) = mpsc::channel::<ToAgent>(4);
    // One after the other: pieces carry no offset, and an agent asks for several windows of one content ahead.
    let (wants, mut wanted) = mpsc::unbounded_channel();
    tokio::task::spawn_local(async move {
        while let Some((hash, offset, length)) = wanted.recv().await {
            serve(&blobs, hash, offset, length, &pieces).await;
        }
    });
    let write = async move {
        let mut pulse = tokio::time::interval(PULSE);
        pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut beat = 0;
        loop {
            let message = tokio::select! {
                biased;
                message = outbox.recv() => match message {
                    Some(message) => message,
                    None => break,
                },
                Some(piece) = ready.recv() => piece,
                _ = pulse.tick() => {
                    beat += 1;
                    ToAgent::Ping(beat)
                }
            };
            let mut bytes = protocol::encode(&message).map_err(|error| error.to_string())?;
            // What is ready goes out in one write: a hundred steps are one packet or two.
            while bytes.len() < PIECE {
                let Ok(next) = outbox.try_recv() else { break };
                bytes.extend(protocol::encode(&next).map_err(|error| error.to_string())?);
            }
            output.write_all(&bytes).await.map_err(|error| error.to_string())?;
            output.flush().await.map_err(|error| error.to_string())?;
        }
        // Closing tells the agent that nothing more will come.
        output.shutdown().await.map_err(|error| error.to_string())
    };
    let read = async {
        while let Some(message) = read_message(input, silence).await? {
            match message {
                FromAgent::Pong(_) => {}
                FromAgent::Want { hash, offset, length } => {
                    let _ = wants.send((hash, offset, length));
                }
                message => deliver(message),
            }
        }
        Ok(())
    };
    tokio::pin!(read);
    tokio::select! {
        ended = &mut read => ended,
        _ = write => read.await,
    }
}

/// Sends a part of one content in pieces.
async fn serve(blobs: &Blobs, hash: [u8; 32], offset: u64, length: u64, pieces: &mpsc::Sender<ToAgent>) {
    let part = match blobs.place(&hash) {
        None => Err("it was never announced".to_owned()),
        Some(place) => read_part(&place, offset, length),
    };
    match part {
        Ok(bytes) if bytes.len() as u64 == length => {
            for chunk in bytes.chunks(PIECE) {
                if pieces.send(ToAgent::Piece { hash, data: chunk.to_vec() }).await.is_err() {
                    return;
                }
            }
        }
        Ok(_) => {
            let why = "the file became shorter while it was being sent".to_owned();
            let _ = pieces.send(ToAgent::NoContent { hash, why }).await;
        }
        Err(why) => {
            let _ = pieces.send(ToAgent::NoContent { hash, why }).await;
        }
    }
}

/// Reads a part of a content. Agents ask for a window at a time, so a part is never large.
fn read_part(place: &Place, offset: u64, length: u64) -> Result<Vec<u8>, String> {
    use std::io::{Read, Seek, SeekFrom};
    match place {
        Place::Memory(bytes) => {
            let end = offset.saturating_add(length).min(bytes.len() as u64) as usize;
            Ok(bytes.get(offset as usize..end).unwrap_or_default().to_vec())
        }
        Place::File(path) => {
            let read = || {
                let mut file = std::fs::File::open(path)?;
                file.seek(SeekFrom::Start(offset))?;
                let mut bytes = Vec::new();
                file.take(length).read_to_end(&mut bytes)?;
                Ok(bytes)
            };
            read().map_err(|error: std::io::Error| format!("cannot read {}: {error}", path.display()))
        }
    }
}

/// Reads one message; `None` at the end of the stream.
async fn read_message(input: &mut (impl AsyncRead + Unpin), silence: Duration) -> Result<Option<FromAgent>, String> {
    let mut length = [0; 4];
    if !fill(input, &mut length, silence).await? {
        return Ok(None);
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err("the other end does not speak our protocol".to_owned());
    }
    // Grows with what arrives: an absurd length from a broken agent costs nothing.
    let mut body = Vec::with_capacity(length.min(PIECE));
    while body.len() < length {
        let from = body.len();
        body.resize(length.min(from + PIECE), 0);
        if !fill(input, &mut body[from..], silence).await? {
            return Err("the connection ended within a message".to_owned());
        }
    }
    protocol::decode(&body).map(Some).map_err(|error| format!("the other end sent something unreadable: {error}"))
}

/// Fills the buffer; `false` at the end of the stream. An agent that says nothing for too long is gone.
async fn fill(input: &mut (impl AsyncRead + Unpin), mut buffer: &mut [u8], silence: Duration) -> Result<bool, String> {
    while !buffer.is_empty() {
        let read = tokio::time::timeout(silence, input.read(buffer)).await;
        let read = read.map_err(|_| format!("its agent has not answered for {} seconds", silence.as_secs()))?;
        match read.map_err(|error| error.to_string())? {
            0 => return Ok(false),
            got => buffer = &mut buffer[got..],
        }
    }
    Ok(true)
}

/// Reads lines until one holds the marker, and returns what follows it on that line. What a login shell prints before it
/// is the error when the marker never comes.
pub async fn await_marker(input: &mut BufReader<impl AsyncRead + Unpin>, marker: &str) -> Result<String, String> {
    let mut noise = Vec::new();
    loop {
        let mut line = Vec::new();
        let got = input.take(64 << 10).read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&line);
        if let Some(position) = text.find(marker) {
            return Ok(text[position + marker.len()..].trim().to_owned());
        }
        if noise.len() < 4096 {
            noise.extend_from_slice(&line);
        }
        if got == 0 {
            return Err(String::from_utf8_lossy(&noise).trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Position;

    /// What a session comes to when an agent says this, and then either ends or is silent.
    fn said(bytes: Vec<u8>, ends: bool) -> (Result<(), String>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let delivered = std::cell::Cell::new(0);
        let ended = tokio::task::LocalSet::new().block_on(&runtime, async {
            let (mut theirs, ours) = tokio::io::duplex(64 << 10);
            let (mut input, output) = tokio::io::split(ours);
            let (agent, mut outbox) = channel();
            let hostile = tokio::task::spawn_local(async move {
                let _ = theirs.write_all(&bytes).await;
                if !ends {
                    std::future::pending::<()>().await;
                }
            });
            let deliver = |_| delivered.set(delivered.get() + 1);
            let silence = Duration::from_millis(200);
            let ended = converse(deliver, &mut outbox, Blobs::default(), &mut input, output, silence).await;
            hostile.abort();
            drop(agent);
            ended
        });
        (ended, delivered.get())
    }

    fn refused(bytes: Vec<u8>, ends: bool) -> String {
        said(bytes, ends).0.unwrap_err()
    }

    #[test]
    fn hostile_agents_end_their_own_session() {
        let waiting = protocol::encode(&FromAgent::Waiting { position: Position(vec![1; 2000]), lane: 0 }).unwrap();
        assert_eq!(refused(Vec::new(), false), "its agent has not answered for 0 seconds");
        assert_eq!(refused(waiting[..500].to_vec(), false), "its agent has not answered for 0 seconds");
        assert_eq!(refused(waiting[..500].to_vec(), true), "the connection ended within a message");
        assert_eq!(said(waiting.clone(), true), (Ok(()), 1));
        assert_eq!(refused(b"Last login: Mon Nov 30\n".to_vec(), false), "the other end does not speak our protocol");
        let framed = |body: &[u8]| [&(body.len() as u32).to_be_bytes()[..], body].concat();
        assert!(refused(framed(&[0xff; 100]), false).starts_with("the other end sent something unreadable"));
        let deep = [&[1, 1, 1, 0, 0, 0, 0, 1, 1, b'a'][..], &[5, 1].repeat(1 << 20)].concat();
        assert!(refused(framed(&deep), false).starts_with("the other end sent something unreadable"));
        let endless = waiting.repeat(50);
        assert_eq!(said(endless, false).1, 50, "then it is silent");
    }
}

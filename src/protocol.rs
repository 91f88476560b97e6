//! What the controller and an agent say to each other: frames of postcard, each behind its length (u32, big-endian).
//!
//! Both ends are the same build (the agent's file name holds its hash), so frames carry no versions of their own.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::change::diff::Diff;
use crate::failure::Failure;
use crate::system::Stream;
use crate::value::{Map, bounded};

/// A frame is never longer; contents of files travel in pieces of [`PIECE`].
pub const MAX_FRAME: usize = 64 << 20;
/// The size of one piece of a file's content.
pub const PIECE: usize = 256 << 10;

/// So often each end says something, if only that it is there: the controller asks, the agent answers.
pub const PULSE: Duration = Duration::from_secs(10);
/// An end that has said nothing for so long is gone.
pub const SILENCE: Duration = Duration::from_secs(30);

/// Where a step stands in the run: a path (play, step, include, item of an include, …) compared as a whole. All hosts
/// share one total order, and an agent works by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(#[serde(deserialize_with = "bounded::list")] pub Vec<u32>);

impl Position {
    /// Behind every other position.
    pub fn end() -> Self {
        Position(vec![u32::MAX])
    }

    /// The position `index` inside this one.
    pub fn inside(&self, index: u32) -> Self {
        let mut path = self.0.clone();
        path.push(index);
        Position(path)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// Whether actions are performed or predicted; one for a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Perform.
    Apply,
    /// Predict: nothing is changed.
    Plan,
}

/// How to become another user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Become {
    /// `sudo`, `su` or `doas`.
    pub method: String,
    /// Whom.
    pub user: String,
    /// The program, if not the method's own.
    pub exe: Option<String>,
    /// Options, if not the method's usual ones (`-H -S -n` for sudo).
    pub flags: Option<String>,
    /// The password, if one was given.
    pub password: Option<String>,
}

/// One module with its arguments: everything that the agent needs to carry it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The module's short name, as in the registry.
    pub module: String,
    /// Rendered arguments.
    pub args: Map,
    /// The task's `environment`.
    pub environment: Vec<(String, String)>,
    /// Send a diff of what changed.
    pub diff: bool,
    /// This call is planned although the run applies (`check_mode: true`), or applied although the run plans
    /// (`check_mode: false`).
    pub mode: Option<Mode>,
    /// Pass on what its programs print, as they print it.
    pub live: bool,
    /// Give up after this many seconds (`timeout`); 0 for never.
    pub timeout: u64,
}

/// A step for one host: one call, or one for each item of a loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Where it stands.
    pub position: Position,
    /// Which inventory host it is for: steps delegated to this host come from others too, each in a lane of its own.
    /// Zero is the host itself.
    pub lane: u32,
    /// Whom to become; `None` for the login user.
    pub identity: Option<Become>,
    /// The calls, in order.
    pub calls: Vec<Call>,
    /// What follows is carried out although this one fails (`ignore_errors`, decided before it was sent).
    pub go_on: bool,
}

/// What the controller says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToAgent {
    /// The first frame.
    Start {
        /// For the whole run.
        mode: Mode,
        /// May write before the first watermark: false until all hosts of the play have answered.
        watermark: Position,
    },
    /// A step; steps of one lane come in order of position.
    Step(Step),
    /// You may change things at every position up to and including this one. May fall back to a lower one.
    Watermark(Position),
    /// Forget the steps of `lane` from this position on that have not begun, and those that wait for the watermark
    /// (there is no answer for them). Also opens a lane again whose queue was dropped, see [`FromAgent::Done`]: steps
    /// behind this frame are taken.
    Cancel {
        /// Whose.
        lane: u32,
        /// From where on.
        from: Position,
    },
    /// A piece of a content that was asked for. The pieces that answer one [`FromAgent::Want`] come in order, at most
    /// [`PIECE`] bytes each, and hold exactly the bytes that it asked for.
    Piece {
        /// BLAKE3 of the whole.
        hash: [u8; 32],
        /// The bytes.
        data: Vec<u8>,
    },
    /// The content that was asked for cannot be read any more.
    NoContent {
        /// BLAKE3 of the whole.
        hash: [u8; 32],
        /// Why.
        why: String,
    },
    /// Hold the host for this run before anything is looked at. Comes ahead of all steps.
    Lock {
        /// Wait so many seconds for another run that holds it.
        patience: u64,
        /// Tells this run from others.
        run: String,
        /// Who asks, and from where: what others are told who find it held.
        who: String,
    },
    /// Are you there?
    Ping(u64),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether a change was performed (in plan mode: would be).
    pub changed: bool,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// What the module returned.
    pub values: Map,
    /// What changed.
    #[serde(deserialize_with = "bounded::list")]
    pub diffs: Vec<Diff>,
    /// Things the user should know.
    #[serde(deserialize_with = "bounded::list")]
    pub warnings: Vec<String>,
    /// In plan mode: what would happen cannot be known beforehand (a command runs).
    pub opaque: bool,
    /// How long the agent worked on it, microseconds.
    pub micros: u64,
}

impl Outcome {
    /// The outcome of a call that failed without any value.
    pub fn failed(failure: Failure, changed: bool) -> Self {
        let (values, diffs, warnings) = Default::default();
        Outcome { changed, failure: Some(failure), values, diffs, warnings, opaque: false, micros: 0 }
    }
}

/// What an agent says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromAgent {
    /// The answer to `Start`.
    Hello(Hello),
    /// One call of a step ended.
    Outcome {
        /// Which step.
        position: Position,
        /// Whose.
        lane: u32,
        /// Which of its calls.
        index: u32,
        /// How.
        outcome: Box<Outcome>,
    },
    /// All calls of a step have ended. `dropped`: the step failed, and what was queued behind it in its lane was
    /// forgotten; so is every further step of the lane (some are on their way) until a [`ToAgent::Cancel`] for the lane
    /// says that the controller has heard of it.
    Done {
        /// Which step.
        position: Position,
        /// Whose.
        lane: u32,
        /// Whether the queue behind it was dropped.
        dropped: bool,
    },
    /// A step has something to change and waits for the watermark to reach it.
    Waiting {
        /// Which step.
        position: Position,
        /// Whose.
        lane: u32,
    },
    /// A step cannot begin because its identity cannot be taken on, or because another run holds the host; it counts as
    /// failed, and its `Done` follows.
    NoIdentity {
        /// Which step.
        position: Position,
        /// Whose.
        lane: u32,
        /// Why, for the user.
        why: String,
    },
    /// Please send a part of this content (a small one as a whole). The agent asks for more as it has written what it
    /// got, so that neither side ever holds a large file.
    Want {
        /// BLAKE3 of the whole.
        hash: [u8; 32],
        /// From this byte on.
        offset: u64,
        /// So many bytes; never beyond the end.
        length: u64,
    },
    /// What a running program prints.
    Live {
        /// Which step.
        position: Position,
        /// Whose.
        lane: u32,
        /// Which of the two.
        stream: Stream,
        /// The bytes.
        data: Vec<u8>,
    },
    /// The answer to `Ping`.
    Pong(u64),
}

/// What an agent says of its machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The kernel's id of this boot: with the mount namespace, what makes two inventory names one machine.
    pub boot_id: String,
    /// The mount namespace.
    pub mount_namespace: String,
    /// The login user.
    pub user: String,
    /// Its home.
    pub home: PathBuf,
    /// Its id.
    pub uid: u32,
}

/// Writes one frame. The caller flushes.
pub fn write_frame<T: Serialize>(out: &mut impl Write, message: &T) -> io::Result<()> {
    out.write_all(&encode(message)?)
}

/// One frame as bytes, with its length in front.
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let length = frame.len() - 4;
    if length > MAX_FRAME {
        return Err(io::Error::other(format!("a message of {length} bytes is too long")));
    }
    frame[..4].copy_from_slice(&(length as u32).to_be_bytes());
    Ok(frame)
}

/// Reads one frame; `None` at the end of the stream.
pub fn read_frame<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match input.read(&mut length)? {
        0 => return Ok(None),
        got => input.read_exact(&mut length[got..])?,
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::other(format!("a message of {length} bytes is too long")));
    }
    // Grows with what arrives: an absurd length from a broken peer costs nothing.
    let mut body = Vec::with_capacity(length.min(PIECE));
    if input.take(length as u64).read_to_end(&mut body)? != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    decode(&body).map(Some)
}

/// The message in a frame's body.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    bounded::message(|| postcard::from_bytes(body)).map_err(io::Error::other)
}

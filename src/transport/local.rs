//! The local connection: the same agent, as a process on this machine.
#![expect(clippy::disallowed_methods, reason = "starts this program as the agent of this machine")]

use std::process::Stdio;
use std::time::Duration;

use super::session::{Outbox, pump};
use super::{Blobs, Inbox, SessionId};
use crate::protocol::SILENCE;

/// Runs an agent on this machine until either end closes.
pub async fn run(id: SessionId, outbox: &mut Outbox, inbox: &Inbox, blobs: Blobs) -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|error| format!("cannot find this program's own file: {error}"))?;
    let mut child = tokio::process::Command::new(exe)
        .arg("agent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot start a local agent: {error}"))?;
    let (Some(mut input), Some(output)) = (child.stdout.take(), child.stdin.take()) else {
        return Err("cannot talk to the local agent".to_owned());
    };
    let ended = pump(id, outbox, inbox, blobs, &mut input, output).await;
    // One that does not answer does not end by itself either.
    let patience = if ended.is_ok() { SILENCE } else { Duration::ZERO };
    if tokio::time::timeout(patience, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
    ended
}

//! When the controller was last heard: one that is gone without a word (a lost network) ends the agent too.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// When something last came.
#[derive(Default)]
pub struct Heard {
    /// Milliseconds of this process's clock.
    at: AtomicU64,
    /// The other end has asked whether we are there, so it goes on asking.
    expects_more: AtomicBool,
}

impl Heard {
    /// From now on silence means that the other end is gone.
    pub fn expect_more(&self) {
        self.expects_more.store(true, Ordering::Relaxed);
    }

    /// Returns when nothing has come for so long.
    pub fn wait_for_silence(&self, patience: Duration) {
        loop {
            let silent = Duration::from_millis(clock().saturating_sub(self.at.load(Ordering::Relaxed)));
            match self.expects_more.load(Ordering::Relaxed) {
                true if silent >= patience => return,
                true => std::thread::sleep(patience - silent),
                false => std::thread::sleep(patience),
            }
        }
    }

    fn now(&self) {
        self.at.store(clock(), Ordering::Relaxed);
    }
}

/// Milliseconds; time in which the machine sleeps does not count.
fn clock() -> u64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// An input that notes when something comes.
pub struct Listening<R> {
    input: R,
    heard: Arc<Heard>,
}

impl<R> Listening<R> {
    /// Listens to `input`.
    pub fn new(input: R, heard: Arc<Heard>) -> Self {
        Listening { input, heard }
    }
}

impl<R: Read> Read for Listening<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(buffer)?;
        self.heard.now();
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_from_the_last_word_of_one_who_asked() {
        let heard = Arc::new(Heard::default());
        heard.expect_more();
        let mut input = Listening::new(&b"ab"[..], heard.clone());
        std::thread::sleep(Duration::from_millis(60));
        input.read_exact(&mut [0]).unwrap();
        let began = Instant::now();
        heard.wait_for_silence(Duration::from_millis(80));
        assert!(began.elapsed() >= Duration::from_millis(75), "{:?}", began.elapsed());
    }
}

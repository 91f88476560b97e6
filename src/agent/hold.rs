//! The host is held by one run at a time: a lock that is gone with the agent, however that ends.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::system::local::{Local, lock};
use crate::system::process::Running;

/// Whether this run has the host, which is found out when a step first needs it.
#[derive(Default)]
pub struct Hold {
    wish: OnceLock<Wish>,
    taken: OnceLock<Result<lock::Lock, String>>,
}

/// How the host is wanted.
struct Wish {
    patience: Duration,
    run: String,
    who: String,
}

/// So often one who waits looks again.
const LOOK: Duration = Duration::from_millis(200);

impl Hold {
    /// From now on a step needs the host. Others who find it held are told about `who`.
    pub fn want(&self, patience: Duration, run: String, who: String) {
        let _ = self.wish.set(Wish { patience, run, who });
    }

    /// Takes the host if that is wanted; why it cannot be had, for the user.
    pub fn take(&self, local: &Local, running: &Running) -> Option<&str> {
        let wish = self.wish.get()?;
        self.taken.get_or_init(|| wish.wait(local, running)).as_ref().err().map(String::as_str)
    }
}

impl Wish {
    fn wait(&self, local: &Local, running: &Running) -> Result<lock::Lock, String> {
        let until = Instant::now() + self.patience;
        loop {
            let holder = match lock::take(local, &self.run, &self.who) {
                Ok(lock) => return Ok(lock),
                Err(lock::Refused::Held(holder)) => holder,
                Err(lock::Refused::Failed(why)) => return Err(why),
            };
            if Instant::now() >= until || running.is_stopped() {
                let seconds = self.patience.as_secs();
                return Err(format!(
                    "another run of wodctl holds this host: {holder}. It was waited for {seconds} seconds; `--lock-timeout` \
                     says how long"
                ));
            }
            std::thread::sleep(LOOK);
        }
    }
}

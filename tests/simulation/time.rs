//! Simulated time: a tick is one turn of the scheduler, in which everybody who can do something does it.

/// Lets so many ticks pass.
pub async fn pass(ticks: u64) {
    for _ in 0..ticks {
        tokio::task::yield_now().await;
    }
}

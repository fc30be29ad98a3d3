//! Waiting for the end of tasks and connections.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// How long [`settles`] waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// The number of running tasks of this runtime.
pub fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until a condition holds. Returns whether it did within 30 s.
pub async fn settles(holds: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > PATIENCE {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    true
}

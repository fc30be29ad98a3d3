//! Waits for conditions such as the end of tasks and connections.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// The time limit of [`settles`].
const TIMEOUT: Duration = Duration::from_secs(30);

/// The number of running tasks of this runtime.
pub fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until a condition is true. Returns `false` if it is still false after 30 s.
pub async fn settles(holds: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > TIMEOUT {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    true
}

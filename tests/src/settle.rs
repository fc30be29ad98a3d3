//! Waiting for the end of tasks and connections, and detecting cleared session cookies.

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

/// Whether this `Set-Cookie` clears the session cookie or a chunk of it.
pub fn clears_the_session(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("authjs.session-token") else { return false };
    let rest = match rest.strip_prefix('.') {
        Some(chunk) => chunk.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        None => rest,
    };
    rest.starts_with("=;") || rest == "=" || rest.starts_with('=') && rest.contains("Max-Age=0")
}

#[test]
fn clears_the_session_detects_cleared_cookies_and_chunks() {
    for line in
        ["authjs.session-token=", "authjs.session-token.12=; Path=/", "authjs.session-token=x; Max-Age=0"]
    {
        assert!(clears_the_session(line), "{line}");
    }
    for line in ["authjs.session-token=x; Path=/", "authjs.session-tokens=", "authjs.csrf-token=; Max-Age=0"]
    {
        assert!(!clears_the_session(line), "{line}");
    }
}

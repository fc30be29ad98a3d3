//! Whether what ended has ended: tasks, connections, sessions.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// How long what ends by itself may take to.
const SETTLES: Duration = Duration::from_secs(30);

/// The tasks of this runtime that have not ended.
pub fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Whether something comes true by itself.
pub async fn settles(holds: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > SETTLES {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    true
}

/// Whether this `Set-Cookie` takes the session cookie, or a chunk of it, from the browser.
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

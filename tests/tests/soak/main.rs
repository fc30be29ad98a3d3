//! An app under load for as long as you like: while its upstream dies and comes back, while it gets more
//! requests than its upstream takes, and while its visitors sign out.
//!
//! Some seconds each, unless told otherwise:
//!
//! ```sh
//! SOAK_SECONDS=60 SATURATE_SECONDS=600 cargo test -p auth-proxy-tests --test soak -- --nocapture
//! ```

mod client;
mod saturation;
mod sign_out;
mod soak;
mod verdict;
mod world;

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// One at a time: two of them measure the memory of this process.
static TURN: Mutex<()> = Mutex::const_new(());

/// How long to go on, by this variable.
fn duration(variable: &str) -> Duration {
    let seconds = std::env::var(variable).map(|text| text.parse().expect("a number of seconds"));
    Duration::from_secs(seconds.unwrap_or(5))
}

/// Whether a run that began then is over: after its time, and as soon as enough was tried. A busy machine needs
/// longer for that, and gets ten times as long and a minute; the assertions on the figures fail after that.
fn is_over(began: Instant, lasting: Duration, has_tried_enough: impl FnOnce() -> bool) -> bool {
    let took = began.elapsed();
    took >= lasting && (has_tried_enough() || took >= lasting * 10 + Duration::from_secs(60))
}

/// The memory that this process has, in KiB. Linux tells; elsewhere it is not measured, and says so.
fn resident() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        println!("memory is not measured here");
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

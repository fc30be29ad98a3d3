//! Load tests of an app: its upstream fails and recovers, it gets more requests than its upstream can handle, and its
//! visitors sign out.
//!
//! Each test takes five seconds by default. To run them for longer:
//!
//! ```sh
//! SOAK_SECONDS=60 SATURATE_SECONDS=600 cargo test -p auth-proxy-tests --test soak -- --nocapture
//! ```

mod client;
mod outages;
mod saturation;
mod sign_out;
mod support;
mod verdict;

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// The tests run one at a time, since two of them measure the memory of this process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The duration of a run in seconds, from this environment variable.
fn duration(variable: &str) -> Duration {
    let seconds = std::env::var(variable).map(|text| text.parse().expect("a number of seconds"));
    Duration::from_secs(seconds.unwrap_or(5))
}

/// Whether a run is over: its time has passed, and there were enough requests. On a busy machine a run may take ten
/// times as long plus a minute. If there are too few requests even then, the assertions on their number fail.
fn is_over(began: Instant, lasting: Duration, has_tried_enough: impl FnOnce() -> bool) -> bool {
    let took = began.elapsed();
    took >= lasting && (has_tried_enough() || took >= lasting * 10 + Duration::from_secs(60))
}

/// Resident memory of this process in KiB. It is read from `/proc` of Linux, and 0 on other systems.
fn resident() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        println!("memory is not measured here");
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

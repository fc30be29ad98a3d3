//! Failed requests in the log: when failures begin and end, and how many there were.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::AuthError;

/// At least so long between two warnings: an outage, or a client whose requests fail, must not flood the log.
const PAUSE: Duration = Duration::from_secs(10);

/// Warns of failures of one kind of request, at most every ten seconds, with the number of failures since the last
/// warning. Says once when they end.
pub(crate) struct FailureLog {
    requests: Requests,
    /// Whether there were failures since the last success, so that a success takes no lock otherwise.
    is_failing: AtomicBool,
    state: Mutex<State>,
}

/// The kinds of requests, each with a log target of its own.
#[derive(Clone, Copy)]
pub(super) enum Requests {
    /// `auth_proxy::lookup`.
    Lookups,
    /// `auth_proxy::proxy`.
    Forwarded,
}

#[derive(Default)]
struct State {
    /// Failures that no warning has counted.
    uncounted: u64,
    warned_at: Option<Instant>,
    /// Whether the failures since the last success were warned of.
    is_warned: bool,
}

impl State {
    /// How many failures to warn of now.
    fn fail(&mut self, now: Instant) -> Option<u64> {
        self.uncounted += 1;
        if self.warned_at.is_some_and(|at| now.duration_since(at) < PAUSE) {
            return None;
        }
        self.warned_at = Some(now);
        self.is_warned = true;
        Some(std::mem::take(&mut self.uncounted))
    }
}

impl FailureLog {
    pub(super) fn new(requests: Requests) -> Self {
        Self { requests, is_failing: AtomicBool::new(false), state: Mutex::default() }
    }

    /// A request failed.
    pub(crate) fn failed(&self, error: &AuthError) {
        let failures = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_failing.store(true, Ordering::Release);
            state.fail(Instant::now())
        };
        let Some(failures) = failures else { return };
        let (code, source) = (error.code(), error.source());
        match self.requests {
            Requests::Lookups => {
                tracing::warn!(target: "auth_proxy::lookup", code, ?source, failures, "session lookup failed");
            }
            Requests::Forwarded => {
                tracing::warn!(target: "auth_proxy::proxy", code, ?source, failures, "upstream unavailable");
            }
        }
    }

    /// A request was answered.
    pub(crate) fn succeeded(&self) {
        if !self.is_failing.load(Ordering::Acquire) {
            return;
        }
        let (is_warned, failures) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_failing.store(false, Ordering::Release);
            (std::mem::take(&mut state.is_warned), state.uncounted)
        };
        // Failures that were not warned of stay for the next warning to count.
        if !is_warned {
            return;
        }
        match self.requests {
            Requests::Lookups => {
                tracing::info!(target: "auth_proxy::lookup", failures, "session lookups succeed again");
            }
            Requests::Forwarded => {
                tracing::info!(target: "auth_proxy::proxy", failures, "upstream available again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn warns_at_most_every_ten_seconds_and_counts_the_rest() {
        let mut state = State::default();
        assert_eq!(state.fail(Instant::now()), Some(1), "the first one at once");
        for _ in 0..5 {
            tokio::time::advance(Duration::from_millis(1900)).await;
            assert_eq!(state.fail(Instant::now()), None);
        }
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(state.fail(Instant::now()), Some(6));
        tokio::time::advance(PAUSE).await;
        assert_eq!(state.fail(Instant::now()), Some(1));
    }
}

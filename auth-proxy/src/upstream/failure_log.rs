//! Rate-limited log of failed requests: when failures begin and end, and how many there were.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::AuthError;

/// The shortest time between two warnings: an outage, or a client whose requests fail, must not flood the log.
const PAUSE: Duration = Duration::from_secs(10);

/// Warns of failures of one kind of request at most every ten seconds, with the number of failures since the last
/// warning. Logs once that requests succeed again.
pub(crate) struct FailureLog {
    requests: Requests,
    /// Whether a request failed since the last success. If not, a success takes no lock.
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
    /// `auth_proxy::app`.
    ToApp,
}

#[derive(Default)]
struct State {
    /// Failures that no warning has reported yet.
    uncounted: u64,
    warned_at: Option<Instant>,
    /// Whether a warning was logged since the last success.
    is_warned: bool,
}

impl State {
    /// Counts a failure. Returns the number to report when a warning is due.
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

    /// Counts a failed request, and warns if a warning is due.
    pub(crate) fn failed(&self, error: &AuthError) {
        let failures = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_failing.store(true, Ordering::Release);
            state.fail(Instant::now())
        };
        let Some(failures) = failures else { return };
        let (code, cause) = (error.code(), error.cause());
        match self.requests {
            Requests::Lookups => {
                tracing::warn!(target: "auth_proxy::lookup", code, cause, failures, "session lookup failed");
            }
            Requests::Forwarded => {
                tracing::warn!(target: "auth_proxy::proxy", code, cause, failures, "upstream unavailable");
            }
            Requests::ToApp => {
                tracing::warn!(target: "auth_proxy::app", code, cause, failures, "app unavailable");
            }
        }
    }

    /// Ends a series of failures.
    pub(crate) fn succeeded(&self) {
        if !self.is_failing.load(Ordering::Acquire) {
            return;
        }
        let (is_warned, failures) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_failing.store(false, Ordering::Release);
            (std::mem::take(&mut state.is_warned), state.uncounted)
        };
        // Without a warning, the failures stay counted for the next warning.
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
            Requests::ToApp => {
                tracing::info!(target: "auth_proxy::app", failures, "app available again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failures_are_logged_at_most_every_ten_seconds_with_their_number() {
        let mut state = State::default();
        assert_eq!(state.fail(Instant::now()), Some(1), "the first failure is reported at once");
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

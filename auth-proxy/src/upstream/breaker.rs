//! The circuit breaker: refuses requests to an upstream that keeps failing, and probes whether it is up again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use crate::audit::Audit;
use crate::error::{AuthError, Reason};
use crate::telemetry::Raised;

/// How long an open breaker refuses requests before the first probe. Doubled after each failed probe, up to
/// [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Opens after `threshold` failures in a row and then refuses requests at once: visitors do not wait for a timeout, and
/// the upstream can recover. After a pause, one probe is sent: a health check. If it succeeds, the breaker closes. If
/// it fails, a longer pause begins.
///
/// The caller decides what counts as a failure. It must be something that no client can cause.
///
/// Existing crates are unmaintained, or let all requests through while probing, which can overwhelm a recovering
/// upstream.
pub(super) struct Breaker {
    /// Failures in a row that open the breaker. With zero it never opens.
    threshold: u32,
    /// Whether no failure is counted. Then requests take no lock.
    is_healthy: AtomicBool,
    state: Mutex<State>,
    audit: Audit,
}

#[derive(Default)]
struct State {
    failures: u32,
    open: Option<Open>,
    /// How often the breaker opened. Numbers the openings.
    opened: u64,
}

struct Open {
    number: u64,
    until: Instant,
    pause: Duration,
    has_probe: bool,
    /// Counts the open breaker until it closes, or the proxy is dropped.
    raised: Raised,
}

/// The permission of the breaker to send a request.
pub(super) enum Permission<'b> {
    /// The request may be sent.
    Granted,
    /// The request may be sent if this probe succeeds.
    AfterProbe(Probe<'b>),
}

impl Breaker {
    pub(super) fn new(threshold: u32, audit: Audit) -> Self {
        Self { threshold, is_healthy: AtomicBool::new(true), state: Mutex::default(), audit }
    }

    /// Whether a request may be sent.
    ///
    /// # Errors
    /// `circuit_open`, with the time until the next probe.
    pub(super) fn admit(&self) -> Result<Permission<'_>, AuthError> {
        if self.is_healthy.load(Ordering::Acquire) {
            return Ok(Permission::Granted);
        }
        let mut state = self.state();
        let Some(open) = &mut state.open else { return Ok(Permission::Granted) };
        let left = open.until.saturating_duration_since(Instant::now());
        if left.is_zero() && !std::mem::replace(&mut open.has_probe, true) {
            return Ok(Permission::AfterProbe(Probe { breaker: self, number: open.number }));
        }
        Err(refusal(left))
    }

    /// Records that the upstream answered: closes the breaker.
    pub(super) fn answered(&self) {
        if self.is_healthy.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.state();
        if let Some(open) = state.open.take() {
            let failures = state.failures;
            tracing::info!(target: "auth_proxy::lookup", failures, "circuit breaker closed");
            self.audit.breaker_closed(open.raised);
        }
        *state = State { opened: state.opened, ..State::default() };
        self.is_healthy.store(true, Ordering::Release);
    }

    /// Counts a failure of the upstream: no connection, or a failure that a health check confirmed.
    pub(super) fn failed(&self) {
        if self.threshold == 0 {
            return;
        }
        let mut state = self.state();
        self.is_healthy.store(false, Ordering::Release);
        state.failures = state.failures.saturating_add(1);
        // A failed request that was sent before the breaker opened does not lengthen the pause.
        if state.open.is_none() && state.failures >= self.threshold {
            let failures = state.failures;
            tracing::warn!(target: "auth_proxy::lookup", failures, "circuit breaker opened");
            state.open(FIRST_PAUSE, self.audit.breaker_opened());
        }
    }

    /// The present state, for an operator. Asks for no permission.
    pub(super) fn current(&self) -> BreakerState {
        if self.is_healthy.load(Ordering::Acquire) {
            return BreakerState::Closed { failures: 0 };
        }
        let state = self.state();
        match &state.open {
            Some(open) => {
                let retry_in = open.until.saturating_duration_since(Instant::now());
                BreakerState::Open { failures: state.failures, retry_in }
            }
            None => BreakerState::Closed { failures: state.failures },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a breaker lets requests through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BreakerState {
    /// Requests are sent. `failures` in a row were counted so far.
    Closed { failures: u32 },
    /// Requests are refused. After `retry_in`, one request leads to a health check.
    Open { failures: u32, retry_in: Duration },
}

impl State {
    fn open(&mut self, pause: Duration, raised: Raised) {
        self.opened = self.opened.wrapping_add(1);
        let (number, until) = (self.opened, Instant::now() + pause);
        self.open = Some(Open { number, until, pause, has_probe: false, raised });
    }
}

/// The error `circuit_open`, with the time until the next probe.
fn refusal(left: Duration) -> AuthError {
    // `Retry-After` is in whole seconds (RFC 9110, section 10.2.3).
    let seconds = left.as_secs() + 1;
    AuthError::new(Reason::CIRCUIT_OPEN).retry_after(Some(HeaderValue::from(seconds))).outage().unasked()
}

/// The permission to send the one probe of an open breaker. If it is dropped without a result, for example because the
/// client disconnects, the next request may probe.
pub(super) struct Probe<'b> {
    breaker: &'b Breaker,
    /// The number of the opening. If the breaker was closed and opened again since, the result of the probe is ignored.
    number: u64,
}

impl Probe<'_> {
    /// The error for the request that waited for a probe without a result. The next request may probe.
    pub(super) fn unknown(self) -> AuthError {
        refusal(Duration::ZERO)
    }

    /// Starts a longer pause after a failed probe. Returns the error for the request that waited for the probe.
    pub(super) fn failed(self) -> AuthError {
        let mut state = self.breaker.state();
        if let Some(open) = state.open.take_if(|open| open.number == self.number) {
            state.open((open.pause * 2).min(LONGEST_PAUSE), open.raised);
        }
        let left = state.open.as_ref().map(|open| open.until.saturating_duration_since(Instant::now()));
        refusal(left.unwrap_or_default())
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if let Some(open) = &mut self.breaker.state().open
            && self.number == open.number
        {
            // Only without a result: after a result, `open` no longer has this number.
            open.has_probe = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(breaker: &Breaker) -> bool {
        breaker.admit().is_err()
    }

    fn probe(breaker: &Breaker) -> Option<Probe<'_>> {
        match breaker.admit() {
            Ok(Permission::AfterProbe(probe)) => Some(probe),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn breaker_opens_after_failures_in_a_row_and_closes_after_a_probe() {
        let breaker = Breaker::new(2, Audit::default());
        breaker.failed();
        breaker.answered();
        breaker.failed();
        assert!(!is_open(&breaker));
        breaker.failed();
        let refused = breaker.admit().err().unwrap();
        assert_eq!(
            (refused.code(), refused.is_unavailable(), refused.is_outage()),
            ("circuit_open", true, true)
        );

        tokio::time::advance(FIRST_PAUSE).await;
        let first = probe(&breaker).unwrap();
        assert!(is_open(&breaker), "only one probe is sent at a time");
        drop(first);
        let second = probe(&breaker).expect("the next request may probe after a dropped probe");
        assert_eq!(second.unknown().code(), "circuit_open");
        let second = probe(&breaker).expect("the next request may probe after a probe without a result");
        assert_eq!(second.failed().code(), "circuit_open");
        tokio::time::advance(FIRST_PAUSE).await;
        assert!(is_open(&breaker), "the second pause is twice as long");
        tokio::time::advance(FIRST_PAUSE).await;
        let third = probe(&breaker).unwrap();
        breaker.answered();
        drop(third);
        assert!(matches!(breaker.admit(), Ok(Permission::Granted)));
        breaker.failed();
        assert!(!is_open(&breaker), "the count restarts after the breaker closes");
    }

    #[tokio::test(start_paused = true)]
    async fn breaker_pause_is_bounded_and_late_failures_do_not_lengthen_it() {
        let breaker = Breaker::new(1, Audit::default());
        breaker.failed();
        tokio::time::advance(FIRST_PAUSE).await;
        breaker.failed();
        for _ in 0..20 {
            probe(&breaker).unwrap().failed();
            tokio::time::advance(LONGEST_PAUSE).await;
        }
        assert!(probe(&breaker).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn probe_of_an_earlier_opening_is_ignored() {
        let breaker = Breaker::new(1, Audit::default());
        breaker.failed();
        tokio::time::advance(FIRST_PAUSE).await;
        let stale = probe(&breaker).unwrap();
        breaker.answered();
        breaker.failed();
        stale.failed();
        tokio::time::advance(FIRST_PAUSE).await;
        let fresh = probe(&breaker).expect("the earlier probe must not lengthen the pause");
        drop(fresh);
        assert!(probe(&breaker).is_some());
    }

    #[test]
    fn breaker_with_threshold_zero_never_opens() {
        let breaker = Breaker::new(0, Audit::default());
        for _ in 0..1000 {
            breaker.failed();
            assert!(!is_open(&breaker));
        }
    }
}

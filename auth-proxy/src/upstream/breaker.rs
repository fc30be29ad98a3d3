use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use crate::error::{AuthError, Reason};

/// How long the upstream is left alone at first; twice as long after each probe that fails.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Leaves an upstream alone that has failed so many times in a row (circuit breaker), so that nobody waits
/// for what is known to fail, and it can get up again. After a pause one probe is sent, a request of the proxy's own:
/// when it is answered all are let through, else the pause begins anew.
///
/// What counts is chosen by the caller, and must not be for a client to bring about. Existing crates either
/// let all requests through while probing, which can overwhelm an upstream that recovers, or are unmaintained.
pub(super) struct Breaker {
    /// Zero for never.
    after: u32,
    /// Whether all is well, so that nobody need look further.
    is_well: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    open: Option<Open>,
    /// How often it opened, which numbers the probes.
    opened: u64,
}

struct Open {
    number: u64,
    until: Instant,
    pause: Duration,
    is_probed: bool,
}

/// What the breaker says of a request.
pub(super) enum Admission<'b> {
    /// It may go out.
    Passes,
    /// It may once this probe was answered.
    Probe(Probe<'b>),
}

impl Breaker {
    pub(super) fn new(after: u32) -> Self {
        Self { after, is_well: AtomicBool::new(true), state: Mutex::default() }
    }

    /// Whether a request may go out.
    ///
    /// # Errors
    /// `circuit_open`, with the time until the next probe.
    pub(super) fn admit(&self) -> Result<Admission<'_>, AuthError> {
        if self.is_well.load(Ordering::Acquire) {
            return Ok(Admission::Passes);
        }
        let mut state = self.state();
        let Some(open) = &mut state.open else { return Ok(Admission::Passes) };
        let left = open.until.saturating_duration_since(Instant::now());
        if left.is_zero() && !std::mem::replace(&mut open.is_probed, true) {
            return Ok(Admission::Probe(Probe { breaker: self, number: open.number }));
        }
        Err(refusal(left))
    }

    /// The upstream answered.
    pub(super) fn answered(&self) {
        if self.is_well.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.state();
        if state.open.is_some() {
            tracing::info!("circuit breaker closed: the upstream answers again");
        }
        *state = State { opened: state.opened, ..State::default() };
        self.is_well.store(true, Ordering::Release);
    }

    /// The upstream could not be reached, was late, or overloaded.
    pub(super) fn failed(&self) {
        if self.after == 0 {
            return;
        }
        let mut state = self.state();
        self.is_well.store(false, Ordering::Release);
        state.failures = state.failures.saturating_add(1);
        // A request that went out before it opened changes nothing.
        if state.open.is_none() && state.failures >= self.after {
            tracing::warn!(failures = state.failures, "circuit breaker opened: the upstream keeps failing");
            state.open(FIRST_PAUSE);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn open(&mut self, pause: Duration) {
        self.opened = self.opened.wrapping_add(1);
        let (number, until) = (self.opened, Instant::now() + pause);
        self.open = Some(Open { number, until, pause, is_probed: false });
    }
}

fn refusal(left: Duration) -> AuthError {
    // Whole seconds (RFC 9110, section 10.2.3).
    let seconds = left.as_secs() + 1;
    AuthError::new(Reason::CIRCUIT_OPEN).retry_after(Some(HeaderValue::from(seconds))).outage()
}

/// Leave to probe an upstream that was left alone. Dropped without a word, as when its visitor leaves, it decides
/// nothing.
pub(super) struct Probe<'b> {
    breaker: &'b Breaker,
    /// The number of the opening that it probes: what was since closed and opened anew has other probes.
    number: u64,
}

impl Probe<'_> {
    /// The probe was not answered: the pause begins anew, and is longer.
    pub(super) fn failed(self) -> AuthError {
        let mut state = self.breaker.state();
        let pause = state.open.as_ref().filter(|open| open.number == self.number).map(|open| open.pause * 2);
        if let Some(pause) = pause {
            state.open(pause.min(LONGEST_PAUSE));
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
            // Another may find out. After an answer none is open, after a failure it is another opening.
            open.is_probed = false;
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
            Ok(Admission::Probe(probe)) => Some(probe),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_failures_in_a_row_and_closes_by_a_probe() {
        let breaker = Breaker::new(2);
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
        assert!(is_open(&breaker), "one probe at a time");
        drop(first);
        let second = probe(&breaker).expect("a probe whose visitor left is no probe");
        assert_eq!(second.failed().code(), "circuit_open");
        tokio::time::advance(FIRST_PAUSE).await;
        assert!(is_open(&breaker), "the pause doubles");
        tokio::time::advance(FIRST_PAUSE).await;
        let third = probe(&breaker).unwrap();
        breaker.answered();
        drop(third);
        assert!(matches!(breaker.admit(), Ok(Admission::Passes)));
        breaker.failed();
        assert!(!is_open(&breaker), "counted anew");
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_has_an_end_and_late_failures_do_not_lengthen_it() {
        let breaker = Breaker::new(1);
        breaker.failed();
        tokio::time::advance(FIRST_PAUSE).await;
        breaker.failed();
        for _ in 0..20 {
            probe(&breaker).unwrap().failed();
            tokio::time::advance(LONGEST_PAUSE).await;
        }
        assert!(probe(&breaker).is_some());
    }

    /// A probe that hangs for long says nothing of what was closed and opened anew since.
    #[tokio::test(start_paused = true)]
    async fn a_stale_probe_is_ignored() {
        let breaker = Breaker::new(1);
        breaker.failed();
        tokio::time::advance(FIRST_PAUSE).await;
        let stale = probe(&breaker).unwrap();
        breaker.answered();
        breaker.failed();
        stale.failed();
        tokio::time::advance(FIRST_PAUSE).await;
        let fresh = probe(&breaker).expect("the pause is not longer for the failure of another");
        drop(fresh);
        assert!(probe(&breaker).is_some());
    }

    #[test]
    fn off_is_never() {
        let breaker = Breaker::new(0);
        for _ in 0..1000 {
            breaker.failed();
            assert!(!is_open(&breaker));
        }
    }
}

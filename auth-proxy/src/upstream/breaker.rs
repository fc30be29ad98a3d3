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
/// for what is known to fail, and it can get up again. After a pause one request is let through as a
/// probe: when it is answered all are let through, else the pause begins anew.
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

impl Breaker {
    pub(super) fn new(after: u32) -> Self {
        Self { after, is_well: AtomicBool::new(true), state: Mutex::default() }
    }

    /// Lets a request pass, which then says how it ended.
    ///
    /// # Errors
    /// `circuit_open`, with the time until the next probe.
    pub(super) fn admit(&self) -> Result<Pass<'_>, AuthError> {
        let pass = |probe| Pass { breaker: self, probe };
        if self.is_well.load(Ordering::Acquire) {
            return Ok(pass(None));
        }
        let mut state = self.state();
        let Some(open) = &mut state.open else { return Ok(pass(None)) };
        let left = open.until.saturating_duration_since(Instant::now());
        if left.is_zero() && !std::mem::replace(&mut open.is_probed, true) {
            return Ok(pass(Some(open.number)));
        }
        // Whole seconds (RFC 9110, section 10.2.3).
        let seconds = left.as_secs() + 1;
        Err(AuthError::new(Reason::CIRCUIT_OPEN).retry_after(Some(HeaderValue::from(seconds))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was let through. Dropped without a word, as when its visitor leaves, it decides nothing.
pub(super) struct Pass<'b> {
    breaker: &'b Breaker,
    /// The number of the opening that it probes: what was since closed and opened anew has other probes.
    probe: Option<u64>,
}

impl Pass<'_> {
    /// Whether it is the one that finds out.
    pub(super) fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// The upstream answered.
    pub(super) fn answered(self) {
        if self.breaker.is_well.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.breaker.state();
        if state.open.is_some() {
            tracing::info!("the upstream answers again");
        }
        *state = State { opened: state.opened, ..State::default() };
        self.breaker.is_well.store(true, Ordering::Release);
    }

    /// The upstream could not be reached, was late, or overloaded.
    pub(super) fn failed(self) {
        if self.breaker.after == 0 {
            return;
        }
        let mut state = self.breaker.state();
        self.breaker.is_well.store(false, Ordering::Release);
        state.failures = state.failures.saturating_add(1);
        let pause = match &state.open {
            Some(open) if self.probe == Some(open.number) => (open.pause * 2).min(LONGEST_PAUSE),
            None if state.failures >= self.breaker.after => {
                tracing::warn!(failures = state.failures, "the upstream fails: it is left alone for a while");
                FIRST_PAUSE
            }
            // Not enough yet, or begun before it opened.
            _ => return,
        };
        state.opened = state.opened.wrapping_add(1);
        let (number, until) = (state.opened, Instant::now() + pause);
        state.open = Some(Open { number, until, pause, is_probed: false });
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe.is_some()
            && let Some(open) = &mut self.breaker.state().open
            && self.probe == Some(open.number)
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

    #[tokio::test(start_paused = true)]
    async fn opens_after_failures_in_a_row_and_closes_by_a_probe() {
        let breaker = Breaker::new(2);
        breaker.admit().unwrap().failed();
        breaker.admit().unwrap().answered();
        breaker.admit().unwrap().failed();
        assert!(!is_open(&breaker));
        breaker.admit().unwrap().failed();
        let refused = breaker.admit().err().unwrap();
        assert_eq!((refused.code(), refused.is_unavailable()), ("circuit_open", true));

        tokio::time::advance(FIRST_PAUSE).await;
        let probe = breaker.admit().unwrap();
        assert!(probe.is_probe() && is_open(&breaker), "one probe at a time");
        drop(probe);
        let probe = breaker.admit().unwrap();
        assert!(probe.is_probe(), "a probe whose visitor left is no probe");
        probe.failed();
        tokio::time::advance(FIRST_PAUSE).await;
        assert!(is_open(&breaker), "the pause doubles");
        tokio::time::advance(FIRST_PAUSE).await;
        breaker.admit().unwrap().answered();
        assert!(!breaker.admit().unwrap().is_probe());
        breaker.admit().unwrap().failed();
        assert!(!is_open(&breaker), "counted anew");
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_has_an_end_and_late_failures_do_not_lengthen_it() {
        let breaker = Breaker::new(1);
        let late = breaker.admit().unwrap();
        breaker.admit().unwrap().failed();
        tokio::time::advance(FIRST_PAUSE).await;
        late.failed();
        for _ in 0..20 {
            breaker.admit().unwrap().failed();
            tokio::time::advance(LONGEST_PAUSE).await;
        }
        assert!(breaker.admit().unwrap().is_probe());
    }

    /// A probe that hangs for long says nothing of what was closed and opened anew since.
    #[tokio::test(start_paused = true)]
    async fn a_probe_of_before_decides_nothing() {
        let breaker = Breaker::new(1);
        let early = breaker.admit().unwrap();
        breaker.admit().unwrap().failed();
        tokio::time::advance(FIRST_PAUSE).await;
        let (first, second) = (breaker.admit().unwrap(), breaker.admit());
        assert!(first.is_probe() && second.is_err());
        early.answered();
        breaker.admit().unwrap().failed();
        first.failed();
        tokio::time::advance(FIRST_PAUSE).await;
        let probe = breaker.admit().unwrap();
        assert!(probe.is_probe(), "the pause is not longer for the failure of another");
        drop(probe);
        assert!(breaker.admit().unwrap().is_probe());
    }

    #[test]
    fn off_is_never() {
        let breaker = Breaker::new(0);
        for _ in 0..1000 {
            breaker.admit().unwrap().failed();
        }
    }
}

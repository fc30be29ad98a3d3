//! When a request may be repeated, how often, and after which wait.

use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;
use tower::retry::backoff::{Backoff as _, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff as _};
use tower::retry::budget::{Budget as _, TpsBudget};
use tower::util::rng::HasherRng;

const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_millis(800);

/// When a request may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryPolicy {
    /// After any failure of the upstream. For requests that change nothing there: a lookup, `GET providers` and
    /// `csrf`.
    ///
    /// This is not the method of RFC 9110: a `GET` of a callback or of a link in a mail spends a one-time token.
    Idempotent,
    /// Only when nothing of it was sent.
    IfUnsent,
}

/// The further attempts of one request: `upstream.retries` of them, with growing random waits, while there is time
/// and the retry budget of the upstream lasts.
pub(super) struct Retries<'b> {
    left: u32,
    budget: &'b TpsBudget,
    waits: Option<ExponentialBackoff>,
    deadline: Instant,
}

impl<'b> Retries<'b> {
    pub(super) fn new(left: u32, budget: &'b TpsBudget, deadline: Instant) -> Self {
        budget.deposit();
        Self { left, budget, waits: None, deadline }
    }

    /// Whether there may be another attempt.
    pub(super) fn any_left(&self) -> bool {
        self.left > 0
    }

    /// Waits until the next attempt may begin. False when there is none.
    pub(super) async fn next(&mut self) -> bool {
        if self.left == 0 || !self.budget.withdraw() {
            return false;
        }
        self.left -= 1;
        if self.waits.is_none() {
            // A generator for each request: a cloned one would have all requests wait for the same times.
            let maker = ExponentialBackoffMaker::new(FIRST_WAIT, LONGEST_WAIT, 1.0, HasherRng::new());
            self.waits = maker.ok().map(|mut maker| maker.make_backoff());
        }
        let Some(waits) = &mut self.waits else { return false };
        let wait = waits.next_backoff();
        // An attempt that could not begin before the deadline is not waited for.
        if wait.deadline() >= self.deadline {
            return false;
        }
        wait.await;
        true
    }
}

/// Whether a status comes from something between here and the upstream, or from an upstream that starts or stops.
/// The next answer may be another one.
pub(super) fn is_outage(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

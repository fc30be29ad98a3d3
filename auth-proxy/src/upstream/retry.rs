//! Retries: when a request may be repeated, how often, and after which backoff.

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
    /// `GET csrf`.
    ///
    /// Being a `GET` is not enough, although RFC 9110 calls it idempotent: the URL of a callback, or of a sign-in link
    /// in a mail, works only once.
    Idempotent,
    /// Only when nothing of the request was sent.
    IfUnsent,
}

/// The retries of one request: at most `upstream.retries`, with growing random waits, until the deadline and within the
/// retry budget of the upstream.
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

    /// Whether the number of retries allows another attempt.
    pub(super) fn any_left(&self) -> bool {
        self.left > 0
    }

    /// Waits until the next attempt may begin. False when there must be no further attempt.
    pub(super) async fn next(&mut self) -> bool {
        if self.left == 0 || !self.budget.withdraw() {
            return false;
        }
        self.left -= 1;
        if self.waits.is_none() {
            // A random generator for each request: a cloned one would give all requests the same waits.
            let maker = ExponentialBackoffMaker::new(FIRST_WAIT, LONGEST_WAIT, 1.0, HasherRng::new());
            self.waits = maker.ok().map(|mut maker| maker.make_backoff());
        }
        let Some(waits) = &mut self.waits else { return false };
        let wait = waits.next_backoff();
        // Do not wait for an attempt that could not begin before the deadline.
        if wait.deadline() >= self.deadline {
            return false;
        }
        wait.await;
        true
    }
}

/// Whether the status is 502, 503 or 504, which a proxy before the upstream or a starting or stopping upstream sends. A
/// later attempt may succeed.
pub(super) fn is_outage(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

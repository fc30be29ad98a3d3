use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body::Body as _;
use tokio::time::Instant;
use tower::retry::backoff::{Backoff as _, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff as _};
use tower::retry::budget::{Budget as _, TpsBudget};
use tower::util::rng::HasherRng;

const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_millis(800);

/// When a request may go out once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever it fails: it changes nothing (a lookup, `GET providers` and `csrf`).
    Safe,
    /// When nothing of it reached the upstream. A callback or a link in a mail can be spent only once.
    Unsent,
}

/// The tries of one request: so many more, with waits in between that grow and vary, as long as there is
/// time, and while the retry budget lasts.
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

    /// Whether there may be another try.
    pub(super) fn any_left(&self) -> bool {
        self.left > 0
    }

    /// Waits for the time of the next try. False when there is none.
    pub(super) async fn next(&mut self) -> bool {
        if self.left == 0 || !self.budget.withdraw() {
            return false;
        }
        self.left -= 1;
        if self.waits.is_none() {
            // Of a generator of its own: a clone of one would wait the same times as all others.
            let maker = ExponentialBackoffMaker::new(FIRST_WAIT, LONGEST_WAIT, 1.0, HasherRng::new());
            self.waits = maker.ok().map(|mut maker| maker.make_backoff());
        }
        let Some(waits) = &mut self.waits else { return false };
        let wait = waits.next_backoff();
        // What could not even begin in time is not waited for.
        if wait.deadline() >= self.deadline {
            return false;
        }
        wait.await;
        true
    }
}

/// Another of a request, unless it has a body: that can be sent once.
pub(super) fn another(request: &Request<Body>) -> Option<Request<Body>> {
    if !request.body().is_end_stream() {
        return None;
    }
    let mut another = Request::new(Body::empty());
    another.method_mut().clone_from(request.method());
    another.uri_mut().clone_from(request.uri());
    another.headers_mut().clone_from(request.headers());
    Some(another)
}

/// Whether it is the answer of something between here and the upstream, or of an upstream that begins or
/// ends, which may be another the next moment.
pub(super) fn is_outage(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

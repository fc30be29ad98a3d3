//! Limits on concurrent requests to the upstream, and on waiting ones: `upstream.concurrency` and `upstream.queue`.

use std::time::Duration;

use auth_proxy_rules::Settings;
use http::HeaderValue;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::error::{AuthError, BoxError, Reason};
use crate::telemetry::Raised;

/// Lookups and forwarded requests have separate limits: with a slow form, a client can keep a forwarded request under
/// way for `upstream.timeout`. That must not block the lookups of other visitors.
pub(crate) struct Admission {
    /// Permits for lookups under way: `concurrency`.
    lookups: Semaphore,
    /// Permits for waiting lookups: `queue`.
    queue: Semaphore,
    /// Permits for forwarded requests: `concurrency` plus `queue`. Forwarded requests do not wait here.
    forwards: Semaphore,
    timeout: Duration,
}

impl Admission {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            lookups: permits(settings.concurrency),
            queue: permits(settings.queue),
            forwards: permits(settings.concurrency.saturating_add(settings.queue)),
            timeout: settings.timeout,
        }
    }

    /// Admits a lookup, at once or after waiting in the queue. The caller holds the permit until the lookup is
    /// answered.
    ///
    /// # Errors
    /// `upstream_overloaded`: at once when the queue is full, or when no permit is free in time.
    pub(crate) async fn enter(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, AuthError> {
        if let Ok(permit) = self.lookups.try_acquire() {
            return Ok(permit);
        }
        let _permit = self.queue.try_acquire().map_err(|_| overloaded("the queue of lookups is full"))?;
        let _queued = Raised::queued();
        // Stops waiting 10 % before the deadline: a lookup that starts so late would time out and count as a failure of
        // the upstream.
        let turn = timeout_at(deadline - self.timeout / 10, self.lookups.acquire()).await;
        turn.map_err(overloaded)?.map_err(overloaded)
    }

    /// Admits a forwarded request. The caller holds the permit until the head of the response has arrived.
    ///
    /// # Errors
    /// `upstream_overloaded`, at once, when the limit is reached.
    pub(crate) fn try_enter(&self) -> Result<SemaphorePermit<'_>, AuthError> {
        self.forwards.try_acquire().map_err(|_| overloaded("the limit of forwarded requests is reached"))
    }
}

fn permits(count: u32) -> Semaphore {
    Semaphore::new(usize::try_from(count).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS))
}

fn overloaded(cause: impl Into<BoxError>) -> AuthError {
    AuthError::new(Reason::UPSTREAM_OVERLOADED)
        .because(cause)
        .retry_after(Some(HeaderValue::from_static("1")))
        .unasked()
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};
    use axum::response::IntoResponse as _;

    use super::*;

    fn admission(concurrency: &str, queue: &str) -> Admission {
        let mut draft = Draft::default();
        for (option, text) in [
            (OptionKey::BaseUrl, "http://auth"),
            (OptionKey::Concurrency, concurrency),
            (OptionKey::Queue, queue),
            (OptionKey::Timeout, "10s"),
        ] {
            draft.set(option, text).unwrap();
        }
        Admission::new(&draft.resolve().unwrap())
    }

    fn refusal<T>(result: Result<T, AuthError>) -> (&'static str, String) {
        let error = result.err().expect("the request must be refused");
        let code = error.code();
        (code, error.into_response().headers()["retry-after"].to_str().unwrap().to_owned())
    }

    const OVERLOADED: (&str, &str) = ("upstream_overloaded", "1");

    #[tokio::test(start_paused = true)]
    async fn lookup_waits_in_the_queue_and_is_refused_when_it_is_full() {
        let admission = admission("1", "1");
        let deadline = Instant::now() + Duration::from_secs(10);
        let first = admission.enter(deadline).await.unwrap();
        let second = tokio::time::timeout(Duration::from_secs(1), async {
            tokio::join!(admission.enter(deadline), async {
                let third = refusal(admission.enter(deadline).await);
                assert_eq!((third.0, third.1.as_str()), OVERLOADED, "the queue is full");
                drop(first);
            })
        });
        drop(second.await.expect("the waiting lookup must be admitted").0.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_lookup_is_refused_before_its_deadline() {
        let admission = admission("1", "1");
        let began = Instant::now();
        let deadline = began + Duration::from_secs(10);
        let _first = admission.enter(deadline).await.unwrap();
        let second = refusal(admission.enter(deadline).await);
        assert_eq!((second.0, second.1.as_str()), OVERLOADED);
        assert_eq!(began.elapsed(), Duration::from_secs(9));
    }

    #[tokio::test]
    async fn forwarded_requests_at_their_limit_do_not_block_lookups() {
        let admission = admission("1", "2");
        let _held = [(); 3].map(|()| admission.try_enter().unwrap());
        let fourth = refusal(admission.try_enter());
        assert_eq!((fourth.0, fourth.1.as_str()), OVERLOADED);
        drop(admission.enter(Instant::now() + Duration::from_secs(10)).await.unwrap());
    }
}

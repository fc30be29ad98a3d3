//! [`Fetches`]: at most one fetch at a time, which all requests share.

use std::future::Future;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::error::{AuthError, Reason};

type Outcome = Result<(), AuthError>;

/// The fetch under way, if there is one.
#[derive(Default)]
pub(super) struct Fetches(Option<PendingFetch>);

/// A fetch under way.
#[derive(Clone)]
pub(super) struct PendingFetch(watch::Receiver<Option<Outcome>>);

impl PendingFetch {
    /// Waits for the outcome, until the deadline: the fetch has one of its own, but with a runtime for each core its task may
    /// be on a core that a handler blocks.
    ///
    /// # Errors
    /// The error of the fetch, or `upstream_timeout`.
    pub(super) async fn wait(mut self, deadline: Instant) -> Outcome {
        let outcome = timeout_at(deadline, self.0.wait_for(Option::is_some))
            .await
            .map_err(|elapsed| AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed))?;
        let outcome = outcome.ok().and_then(|outcome| outcome.clone());
        outcome.unwrap_or_else(|| Err(AuthError::new(Reason::UPSTREAM_FAILED).because("the fetch broke off")))
    }

    /// Whether the fetch is still running. A cancelled task, for example when its runtime shuts down, closes the channel
    /// without an outcome.
    fn is_under_way(&self) -> bool {
        self.0.borrow().is_none() && self.0.has_changed().is_ok()
    }
}

impl Fetches {
    /// The fetch under way.
    pub(super) fn under_way(&self) -> Option<PendingFetch> {
        self.0.clone().filter(PendingFetch::is_under_way)
    }

    /// Starts a fetch, in its own task, so that it continues when the request that started it is dropped. The caller has
    /// seen that none is under way.
    pub(super) fn start(&mut self, fetch: impl Future<Output = Outcome> + Send + 'static) -> PendingFetch {
        let (sender, receiver) = watch::channel(None);
        let pending = PendingFetch(receiver);
        self.0 = Some(pending.clone());
        tokio::spawn(async move {
            sender.send_replace(Some(fetch.await));
        });
        pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn finished_or_cancelled_fetch_is_not_under_way() {
        let mut fetches = Fetches::default();
        assert!(fetches.under_way().is_none());
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let pending =
            fetches.start(async { released.await.map_err(|_| AuthError::new(Reason::UPSTREAM_FAILED)) });
        assert!(fetches.under_way().is_some());
        release.send(()).unwrap();
        assert!(pending.wait(soon()).await.is_ok());
        assert!(fetches.under_way().is_none());

        let runtime = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut fetches = Fetches::default();
                (fetches.start(std::future::pending()), fetches)
            })
        });
        let (pending, fetches) = runtime.join().unwrap();
        assert!(fetches.under_way().is_none());
        assert_eq!(pending.wait(soon()).await.unwrap_err().code(), "upstream_failed");
    }

    #[test]
    fn fetch_on_a_blocked_core_does_not_keep_others_waiting() {
        let (started, pending) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let blocked = std::thread::spawn(move || {
            runtime().block_on(async {
                started.send(Fetches::default().start(async { Ok(()) })).unwrap();
                // A handler that blocks its thread: the task of the fetch does not run.
                released.recv().unwrap();
            });
        });
        let pending = pending.recv().unwrap();
        let waited = runtime().block_on(pending.wait(Instant::now() + Duration::from_millis(20)));
        assert_eq!(waited.unwrap_err().code(), "upstream_timeout");
        release.send(()).unwrap();
        blocked.join().unwrap();
    }
}

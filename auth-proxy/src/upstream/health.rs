//! The health check under way: at most one for an upstream, shared by all requests that wait for its result.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// The health check under way, if any.
#[derive(Default)]
pub(super) struct HealthCheck(Mutex<Option<PendingCheck>>);

/// A health check under way. Its result is whether the upstream is up; it may end without one.
#[derive(Clone)]
pub(super) struct PendingCheck(watch::Receiver<Option<bool>>);

impl PendingCheck {
    /// Whether the upstream is up. `None` when the check has no result, or is not finished by the deadline.
    pub(super) async fn wait(mut self, deadline: Instant) -> Option<bool> {
        *timeout_at(deadline, self.0.wait_for(Option::is_some)).await.ok()?.ok()?
    }

    /// Whether the check is still running. A check without a result closes the channel. So does a cancelled task, for
    /// example when its runtime shuts down.
    fn is_under_way(&self) -> bool {
        self.0.borrow().is_none() && self.0.has_changed().is_ok()
    }
}

impl HealthCheck {
    /// Joins the check under way, or starts this one. A check continues when no request waits for it.
    pub(super) fn join_or_start(
        &self,
        check: impl Future<Output = Option<bool>> + Send + 'static,
    ) -> PendingCheck {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pending) = under_way.as_ref().filter(|pending| pending.is_under_way()) {
            return pending.clone();
        }
        let (sender, receiver) = watch::channel(None);
        let pending = PendingCheck(receiver);
        *under_way = Some(pending.clone());
        tokio::spawn(async move {
            if let Some(is_up) = check.await {
                sender.send_replace(Some(is_up));
            }
        });
        pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelled_or_finished_health_check_does_not_count_as_running() {
        let (sender, receiver) = watch::channel(None);
        let check = PendingCheck(receiver);
        assert!(check.is_under_way());
        drop(sender);
        assert!(!check.is_under_way());

        let (sender, receiver) = watch::channel(None);
        sender.send_replace(Some(true));
        assert!(!PendingCheck(receiver).is_under_way());
    }

    #[tokio::test]
    async fn running_health_check_is_shared_and_a_finished_one_is_replaced() {
        let (check, deadline) = (HealthCheck::default(), Instant::now() + std::time::Duration::from_secs(10));
        let first = check.join_or_start(async { Some(true) });
        let second = check.join_or_start(async { Some(false) });
        assert_eq!((first.wait(deadline).await, second.wait(deadline).await), (Some(true), Some(true)));
        assert_eq!(check.join_or_start(async { Some(false) }).wait(deadline).await, Some(false));
        assert_eq!(
            check.join_or_start(async { None }).wait(deadline).await,
            None,
            "a check without a result"
        );
    }
}

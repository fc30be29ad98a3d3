//! Health checks: at most one is under way, and all requests that want to know its result share it.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// The health check that is under way, if one is.
#[derive(Default)]
pub(super) struct HealthCheck(Mutex<Option<PendingCheck>>);

/// A health check that is under way. Its value is whether the upstream answered.
#[derive(Clone)]
pub(super) struct PendingCheck(watch::Receiver<Option<bool>>);

impl PendingCheck {
    /// Whether the upstream answered. `None` when that is not known by the deadline.
    pub(super) async fn wait(mut self, deadline: Instant) -> Option<bool> {
        *timeout_at(deadline, self.0.wait_for(Option::is_some)).await.ok()?.ok()?
    }

    /// Whether the result is still to come. A task that was cancelled, as when its runtime ends, closes the channel
    /// and gives none.
    fn is_under_way(&self) -> bool {
        self.0.borrow().is_none() && self.0.has_changed().is_ok()
    }
}

impl HealthCheck {
    /// The check that is under way, or this one, begun now. It runs on when no request waits for it.
    pub(super) fn join_or_start(&self, check: impl Future<Output = bool> + Send + 'static) -> PendingCheck {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pending) = under_way.as_ref().filter(|pending| pending.is_under_way()) {
            return pending.clone();
        }
        let (sender, receiver) = watch::channel(None);
        let pending = PendingCheck(receiver);
        *under_way = Some(pending.clone());
        tokio::spawn(async move {
            sender.send_replace(Some(check.await));
        });
        pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelled_or_finished_check_is_not_under_way() {
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
    async fn check_under_way_is_shared_and_the_next_one_is_new() {
        let (check, deadline) = (HealthCheck::default(), Instant::now() + std::time::Duration::from_secs(10));
        let first = check.join_or_start(async { true });
        let second = check.join_or_start(async { false });
        assert_eq!((first.wait(deadline).await, second.wait(deadline).await), (Some(true), Some(true)));
        assert_eq!(check.join_or_start(async { false }).wait(deadline).await, Some(false));
    }
}

//! The handle through which a store tells what other instances ended.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use crate::revocation::{Revocation, Revocations};
use crate::session::key::SessionKey;
use crate::session::local::Local;

/// Tells a proxy what other instances ended; see [`SessionStore::watch`](crate::store::SessionStore::watch).
///
/// ```
/// use std::time::Duration;
/// use auth_proxy::store::{SessionKey, StoreWatcher};
/// use tokio::time::Instant;
///
/// /// What a store's subscription delivers.
/// enum Message { Ended(SessionKey), Heartbeat { sent_at: Instant }, Disconnected }
///
/// fn deliver(watcher: &StoreWatcher, message: Message) {
///     match message {
///         Message::Ended(key) => watcher.ended(&[key]),
///         // All sign-outs before `sent_at` were delivered, because the messages come in order.
///         Message::Heartbeat { sent_at } => watcher.complete_until(sent_at + Duration::from_secs(1)),
///         Message::Disconnected => watcher.lost(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct StoreWatcher {
    local: Arc<Local>,
    revocations: Option<Arc<Revocations>>,
}

impl StoreWatcher {
    pub(crate) fn new(local: Arc<Local>, revocations: Option<Arc<Revocations>>) -> Self {
        Self { local, revocations }
    }

    /// These sessions ended at another instance: this process forgets them before this method returns.
    pub fn ended(&self, keys: &[SessionKey]) {
        self.local.end_elsewhere(keys);
    }

    /// Until this time, this process's memory may be used: every sign-out is delivered, or waits for this instance to
    /// forget the session. After that time, or after [`lost`](Self::lost), a sign-out may have been missed, so the memory
    /// is emptied. `session.store_unavailable` says what happens then.
    pub fn complete_until(&self, until: Instant) {
        self.local.complete_until(until);
    }

    /// These tokens were revoked at another instance, or before this instance started. A store that
    /// [keeps revocations](crate::store::SessionStore::keeps_revocations) passes each of them on, those from before the
    /// start too, before it calls [`revocations_complete_until`](Self::revocations_complete_until).
    pub fn revoked(&self, revocations: &[Revocation]) {
        if let Some(list) = &self.revocations {
            list.add(revocations, seconds_now());
        }
    }

    /// Until this time, this instance knows every revocation: each was passed on, or waits for this instance to get it. After
    /// that time, or after [`lost`](Self::lost), some may be missing. `session.revocation_unavailable` says what happens
    /// then.
    pub fn revocations_complete_until(&self, until: Instant) {
        if let Some(list) = &self.revocations {
            list.complete_until(until);
        }
    }

    /// Every revocation that this instance knows of. A store that has lost some of them, as after an outage, adds those
    /// that it misses.
    #[must_use]
    pub fn revocations(&self) -> Vec<Revocation> {
        self.revocations.as_ref().map(|list| list.all()).unwrap_or_default()
    }

    /// Sign-outs of other instances are not delivered any more.
    pub fn lost(&self) {
        if let Some(list) = &self.revocations {
            list.lost();
        }
        self.local.lost();
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl fmt::Debug for StoreWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreWatcher(..)")
    }
}

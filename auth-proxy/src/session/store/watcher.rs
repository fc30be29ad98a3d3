//! The handle through which a store tells what other instances ended.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

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
pub struct StoreWatcher(Arc<Local>);

impl StoreWatcher {
    pub(crate) fn new(local: Arc<Local>) -> Self {
        Self(local)
    }

    /// These sessions ended at another instance: this process forgets them before this method returns.
    pub fn ended(&self, keys: &[SessionKey]) {
        self.0.end_elsewhere(keys);
    }

    /// Until this time, this process's memory may be used: every sign-out is delivered, or waits for this instance to
    /// forget the session. After that time, or after [`lost`](Self::lost), a sign-out may have been missed, so the memory
    /// is emptied. `session.store_unavailable` says what happens then.
    pub fn complete_until(&self, until: Instant) {
        self.0.complete_until(until);
    }

    /// Sign-outs of other instances are not delivered any more.
    pub fn lost(&self) {
        self.0.lost();
    }
}

impl fmt::Debug for StoreWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreWatcher(..)")
    }
}

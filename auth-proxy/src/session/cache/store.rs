//! The store of the session cache.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::session::cached::CachedSession;
use crate::session::key::SessionKey;

/// The future of a method of [`SessionStore`]: `Box::pin(async move { .. })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the cache of sessions is kept, with `session.cache`.
///
/// The default is this process's memory, bounded by `session.cache_entries`. Instances that are to share their sessions
/// and their sign-outs use a store of their own, set with
/// [`Builder::session_store`](crate::Builder::session_store). A store that fails answers `None` and logs
/// why: the upstream is asked then. One that does not answer is given up after a quarter of
/// `upstream.timeout`, or one second where that is less, and a warning is logged; a sign-out that it does not
/// take in that time is not known to the other instances. Nor does an instance know of a sign-out at another
/// while it looks the same token up: what it finds is put back, and is good for `session.cache`.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use std::time::Duration;
/// use auth_proxy::{CachedSession, SessionKey, SessionStore, StoreFuture};
///
/// #[derive(Default)]
/// struct Simple(Mutex<HashMap<SessionKey, CachedSession>>);
///
/// impl SessionStore for Simple {
///     fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
///         Box::pin(async move { self.0.lock().ok()?.get(key).cloned() })
///     }
///     fn put<'a>(&'a self, key: SessionKey, session: CachedSession, _keep: Duration) -> StoreFuture<'a, ()> {
///         Box::pin(async move { self.0.lock().map(|mut all| all.insert(key, session)).map(drop).unwrap_or_default() })
///     }
///     fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
///         Box::pin(async move { self.0.lock().map(|mut all| all.remove(key)).map(drop).unwrap_or_default() })
///     }
/// }
/// ```
pub trait SessionStore: Send + Sync + 'static {
    /// The session that is kept under this key. One that is too old is not used, so that it may be
    /// answered all the same.
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>>;

    /// Keeps a session, and may forget it after this time.
    fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) -> StoreFuture<'_, ()>;

    /// Forgets a session.
    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()>;
}

/// The longest time that a store of the app's own may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of a session, as the upstream answered it, that count as one entry.
const ENTRY: usize = 2048;

#[derive(Clone)]
pub(super) struct Weight;

impl Weighter<SessionKey, CachedSession> for Weight {
    fn weight(&self, _: &SessionKey, session: &CachedSession) -> u64 {
        u64::try_from(1 + session.size() / ENTRY).unwrap_or(u64::MAX)
    }
}

/// The store of a proxy.
pub(super) enum Store {
    Memory(Cache<SessionKey, CachedSession, Weight>),
    Given { store: Arc<dyn SessionStore>, patience: Duration },
}

impl Store {
    pub(super) fn memory(entries: u32) -> Self {
        let items = usize::try_from(entries).unwrap_or(usize::MAX);
        Self::Memory(Cache::with_weighter(items, u64::from(entries), Weight))
    }

    pub(super) fn given(store: Arc<dyn SessionStore>, timeout: Duration) -> Self {
        Self::Given { store, patience: PATIENCE.min(timeout / 4) }
    }

    pub(super) async fn get(&self, key: &SessionKey) -> Option<CachedSession> {
        match self {
            Self::Memory(cache) => cache.get(key),
            Self::Given { store, patience } => within(*patience, store.get(key)).await.flatten(),
        }
    }

    pub(super) async fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) {
        match self {
            Self::Memory(cache) => cache.insert(key, session),
            Self::Given { store, patience } => {
                within(*patience, store.put(key, session, keep)).await.unwrap_or_default();
            }
        }
    }

    /// Removes sessions, in order. All of them together may take the time of one.
    pub(super) async fn remove(&self, keys: &[SessionKey]) {
        match self {
            Self::Memory(cache) => keys.iter().for_each(|key| drop(cache.remove(key))),
            Self::Given { store, patience } => {
                let all = async {
                    for key in keys {
                        store.remove(key).await;
                    }
                };
                within(*patience, Box::pin(all)).await.unwrap_or_default();
            }
        }
    }
}

/// The answer of a store, if it comes in time.
async fn within<T>(patience: Duration, answer: StoreFuture<'_, T>) -> Option<T> {
    let answer = tokio::time::timeout(patience, answer).await;
    answer.inspect_err(|_| tracing::warn!(target: "auth_proxy::lookup", "session store timed out: continuing without it")).ok()
}

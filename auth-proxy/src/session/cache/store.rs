//! The store of the session cache.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::error::BoxError;
use crate::session::cached::CachedSession;
use crate::session::key::SessionKey;

/// The future of a method of [`SessionStore`]: `Box::pin(async move { .. })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Where the cache of sessions is kept, with `session.cache`.
///
/// The default is this process's memory, bounded by `session.cache_entries`. Instances that are to share their sessions
/// and their sign-outs use a store of their own, set with
/// [`Builder::session_store`](crate::options::Builder::session_store).
///
/// The store is a cache and never the truth: when a method fails, the upstream is asked. A method may take a quarter of
/// `upstream.timeout`, and one second at most; then it counts as failed. The first failure is logged as a warning with
/// its error, and the first success after it as well: an error must hold no secret. A sign-out that the store did not take is not known to the other instances. Nor does an
/// instance know of a sign-out at another while it looks up the same token: it puts the session back, for `session.cache`.
///
/// ```
/// use std::collections::HashMap;
/// use std::time::Duration;
/// use auth_proxy::store::{CachedSession, SessionKey, SessionStore, StoreFuture};
/// use tokio::sync::Mutex;
///
/// #[derive(Default)]
/// struct Simple(Mutex<HashMap<SessionKey, CachedSession>>);
///
/// impl SessionStore for Simple {
///     fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
///         Box::pin(async move { Ok(self.0.lock().await.get(key).cloned()) })
///     }
///     fn put(&self, key: SessionKey, session: CachedSession, _keep: Duration) -> StoreFuture<'_, ()> {
///         Box::pin(async move {
///             self.0.lock().await.insert(key, session);
///             Ok(())
///         })
///     }
///     fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
///         Box::pin(async move {
///             self.0.lock().await.remove(key);
///             Ok(())
///         })
///     }
/// }
/// ```
pub trait SessionStore: Send + Sync + 'static {
    /// The session under this key. One that is too old may be returned: it is not used.
    ///
    /// # Errors
    /// When the store cannot tell. The upstream is asked then.
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>>;

    /// Keeps a session. The store may drop it after this time.
    ///
    /// # Errors
    /// When the session was not kept. The next request asks the upstream then.
    fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) -> StoreFuture<'_, ()>;

    /// Removes a session. A key that is not there is no error.
    ///
    /// # Errors
    /// When the session may still be there. Other instances may use it for `session.cache` then.
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
    Given(GivenStore),
}

/// A store of the app's own.
pub(super) struct GivenStore {
    store: Arc<dyn SessionStore>,
    patience: Duration,
    /// Whether the last call failed, so that a store that is down is logged once.
    is_failing: AtomicBool,
}

impl Store {
    pub(super) fn memory(entries: u32) -> Self {
        let items = usize::try_from(entries).unwrap_or(usize::MAX);
        Self::Memory(Cache::with_weighter(items, u64::from(entries), Weight))
    }

    pub(super) fn given(store: Arc<dyn SessionStore>, timeout: Duration) -> Self {
        let patience = PATIENCE.min(timeout / 4);
        Self::Given(GivenStore { store, patience, is_failing: AtomicBool::new(false) })
    }

    pub(super) async fn get(&self, key: &SessionKey) -> Option<CachedSession> {
        match self {
            Self::Memory(cache) => cache.get(key),
            Self::Given(given) => given.call(given.store.get(key)).await.flatten(),
        }
    }

    pub(super) async fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) {
        match self {
            Self::Memory(cache) => cache.insert(key, session),
            Self::Given(given) => {
                given.call(given.store.put(key, session, keep)).await;
            }
        }
    }

    /// Removes sessions, in order. All of them together may take the time of one.
    pub(super) async fn remove(&self, keys: &[SessionKey]) {
        match self {
            Self::Memory(cache) => keys.iter().for_each(|key| drop(cache.remove(key))),
            Self::Given(given) => {
                let all = async {
                    let mut result = Ok(());
                    for key in keys {
                        // One that fails does not keep the others.
                        result = result.and(given.store.remove(key).await);
                    }
                    result
                };
                given.call(Box::pin(all)).await;
            }
        }
    }
}

impl GivenStore {
    /// The result of a call, if it succeeds in time.
    async fn call<T>(&self, call: StoreFuture<'_, T>) -> Option<T> {
        let result = match tokio::time::timeout(self.patience, call).await {
            Ok(result) => result,
            Err(elapsed) => Err(elapsed.into()),
        };
        let was_failing = self.is_failing.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !was_failing => {
                tracing::warn!(target: "auth_proxy::lookup", %error, "session store failed: continuing without it");
            }
            Ok(_) if was_failing => {
                tracing::info!(target: "auth_proxy::lookup", "session store works again");
            }
            _ => {}
        }
        result.ok()
    }
}

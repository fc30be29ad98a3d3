//! Where the session cache keeps its entries: this process's memory, or the app's own [`SessionStore`].

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

/// A store for the session cache (`session.cache`).
///
/// The default is this process's memory, bounded by `session.cache_entries`. Instances that must share their cached
/// sessions and sign-outs need a common store, set with
/// [`Builder::session_store`](crate::options::Builder::session_store).
///
/// The store is only a cache: when a method fails, the upstream is asked. A method may take a quarter of
/// `upstream.timeout`, and at most one second; then it counts as failed. The first failure is logged as a warning with its
/// error, so the error must hold no secret. The first success after it is logged too.
///
/// When `remove` fails at a sign-out, other instances may use the session for `session.cache`. The same happens when an
/// instance looks up a token during a sign-out at another instance: it puts the session back into the store.
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
    /// The session under this key. The store may return a session that is too old: the caller checks its age.
    ///
    /// # Errors
    /// When the store cannot be read. The upstream is asked then.
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>>;

    /// Stores a session. The store may drop it after the time `keep`.
    ///
    /// # Errors
    /// When the session was not stored. The next request asks the upstream then.
    fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) -> StoreFuture<'_, ()>;

    /// Removes a session. A key without a session is no error.
    ///
    /// # Errors
    /// When the session may still be there. Other instances may use it for `session.cache` then.
    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()>;
}

/// The longest time that a call of the app's own store may take.
const LONGEST_CALL: Duration = Duration::from_secs(1);

/// A session counts as one entry of `session.cache_entries` for each so many bytes of its `/session` response.
const ENTRY: usize = 2048;

#[derive(Clone)]
pub(super) struct Weight;

impl Weighter<SessionKey, CachedSession> for Weight {
    fn weight(&self, _: &SessionKey, session: &CachedSession) -> u64 {
        u64::try_from(1 + session.size() / ENTRY).unwrap_or(u64::MAX)
    }
}

/// The store of one proxy.
pub(super) enum Store {
    Memory(Cache<SessionKey, CachedSession, Weight>),
    Custom(CustomStore),
}

/// The app's own store.
pub(super) struct CustomStore {
    store: Arc<dyn SessionStore>,
    timeout: Duration,
    /// Whether the last call failed. A store that stays down is logged once.
    is_failing: AtomicBool,
}

impl Store {
    pub(super) fn memory(entries: u32) -> Self {
        let items = usize::try_from(entries).unwrap_or(usize::MAX);
        Self::Memory(Cache::with_weighter(items, u64::from(entries), Weight))
    }

    pub(super) fn custom(store: Arc<dyn SessionStore>, timeout: Duration) -> Self {
        let timeout = LONGEST_CALL.min(timeout / 4);
        Self::Custom(CustomStore { store, timeout, is_failing: AtomicBool::new(false) })
    }

    pub(super) async fn get(&self, key: &SessionKey) -> Option<CachedSession> {
        match self {
            Self::Memory(cache) => cache.get(key),
            Self::Custom(custom) => custom.call(custom.store.get(key)).await.flatten(),
        }
    }

    pub(super) async fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) {
        match self {
            Self::Memory(cache) => cache.insert(key, session),
            Self::Custom(custom) => {
                custom.call(custom.store.put(key, session, keep)).await;
            }
        }
    }

    /// Removes sessions, in order. The time limit of one call applies to all of them together.
    pub(super) async fn remove(&self, keys: &[SessionKey]) {
        match self {
            Self::Memory(cache) => keys.iter().for_each(|key| drop(cache.remove(key))),
            Self::Custom(custom) => {
                let all = async {
                    let mut result = Ok(());
                    for key in keys {
                        // When one removal fails, the others are still tried.
                        result = result.and(custom.store.remove(key).await);
                    }
                    result
                };
                custom.call(Box::pin(all)).await;
            }
        }
    }
}

impl CustomStore {
    /// The result of a call. `None` when it fails or takes too long.
    async fn call<T>(&self, call: StoreFuture<'_, T>) -> Option<T> {
        let result = match tokio::time::timeout(self.timeout, call).await {
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

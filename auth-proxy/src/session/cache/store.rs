//! The store of the session cache: this process's memory, or a store of the app's own.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::error::BoxError;
use crate::session::cached::CachedSession;
use crate::session::key::SessionKey;

/// The future of a method of [`SessionStore`]: `Box::pin(async move { .. })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Stores cached sessions, with `session.cache`.
///
/// The default is this process's memory, bounded by `session.cache_entries`. Several instances can share their cached
/// sessions and their sign-outs through a store such as Redis, set with
/// [`Builder::session_store`](crate::options::Builder::session_store).
///
/// The store is only a cache: if a method fails, the upstream is asked. A method may take a quarter of
/// `upstream.timeout`, and at most one second; then it counts as failed. So does a panic. A method must not block its
/// thread. The first failure is logged as a warning with its error, so an error must hold no secret. The first success
/// after it is logged too.
///
/// If the store fails to remove a session at a sign-out, the other instances may use that session for `session.cache`.
/// The instance that signed out does not use it: it remembers its last 16,384 ended sessions for that long. The other
/// instances may also use the session if one of them looks up the token during the sign-out, because it then puts the
/// session back into the store.
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
    /// The session under this key. The store may return one that is too old: it is not used.
    ///
    /// # Errors
    /// If the store fails. The upstream is asked then.
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>>;

    /// Stores a session. The store may drop it once `keep` is over.
    ///
    /// # Errors
    /// If the session was not stored. The next request asks the upstream then.
    fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) -> StoreFuture<'_, ()>;

    /// Removes a session. An unknown key is not an error.
    ///
    /// # Errors
    /// If the session may still be in the store. Other instances may use it for `session.cache` then.
    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()>;
}

/// The longest time that a call of the app's own store may take.
const CALL_LIMIT: Duration = Duration::from_secs(1);

/// A session counts as one entry for each 2 KiB of the upstream's response body.
const ENTRY_SIZE: usize = 2048;

#[derive(Clone)]
pub(super) struct Weight;

impl Weighter<SessionKey, CachedSession> for Weight {
    fn weight(&self, _: &SessionKey, session: &CachedSession) -> u64 {
        u64::try_from(1 + session.size() / ENTRY_SIZE).unwrap_or(u64::MAX)
    }
}

/// The store of a proxy.
pub(super) enum Store {
    Memory(Cache<SessionKey, CachedSession, Weight>),
    Custom(Arc<CustomStore>),
}

/// A store of the app's own.
pub(super) struct CustomStore {
    store: Arc<dyn SessionStore>,
    limit: Duration,
    /// Whether the last call failed. A store that is down is logged once, not for each call.
    is_failing: AtomicBool,
}

impl Store {
    pub(super) fn memory(entries: u32) -> Self {
        let items = usize::try_from(entries).unwrap_or(usize::MAX);
        Self::Memory(Cache::with_weighter(items, u64::from(entries), Weight))
    }

    pub(super) fn custom(store: Arc<dyn SessionStore>, timeout: Duration) -> Self {
        let limit = CALL_LIMIT.min(timeout / 4);
        Self::Custom(Arc::new(CustomStore { store, limit, is_failing: AtomicBool::new(false) }))
    }

    /// Whether it is a store of the app's own. Another process may have stored its sessions, or another proxy of this
    /// one.
    pub(super) fn is_custom(&self) -> bool {
        matches!(self, Self::Custom(_))
    }

    pub(super) async fn get(&self, key: &SessionKey) -> Option<CachedSession> {
        match self {
            Self::Memory(cache) => cache.get(key),
            Self::Custom(custom) => custom.call(|| custom.store.get(key)).await.flatten(),
        }
    }

    pub(super) async fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) {
        match self {
            Self::Memory(cache) => cache.insert(key, session),
            Self::Custom(custom) => {
                custom.call(|| custom.store.put(key, session, keep)).await;
            }
        }
    }

    /// Begins to remove sessions, and returns a future that waits for it. The removals go on when that is dropped. They
    /// run at the same time, so that all have the time of one call, and one that fails or hangs delays no other.
    pub(super) fn remove(&self, keys: &[SessionKey]) -> impl Future<Output = ()> + use<> {
        let removals: Vec<_> = match self {
            Self::Memory(cache) => {
                keys.iter().for_each(|key| drop(cache.remove(key)));
                Vec::new()
            }
            Self::Custom(custom) => {
                let remove = |key: &SessionKey| {
                    let (custom, key) = (Arc::clone(custom), *key);
                    tokio::spawn(async move { custom.call(|| custom.store.remove(&key)).await })
                };
                keys.iter().map(remove).collect()
            }
        };
        async {
            for removal in removals {
                removal.await.ok();
            }
        }
    }
}

impl CustomStore {
    /// The result of a call. `None` if it fails, panics or takes too long.
    async fn call<'a, T>(&self, call: impl FnOnce() -> StoreFuture<'a, T>) -> Option<T> {
        let result = match tokio::time::timeout(self.limit, without_panic(call)).await {
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

/// Calls a method of the app's own store. A panic becomes an error: it must not break off a sign-out.
async fn without_panic<'a, T>(call: impl FnOnce() -> StoreFuture<'a, T>) -> Result<T, BoxError> {
    let panicked = || BoxError::from("the session store panicked");
    let mut answer = catch_unwind(AssertUnwindSafe(call)).map_err(|_| panicked())?;
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    })
    .await
}

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;

use super::CachedSession;

/// The name that a session is kept under: the SHA-256 of its token, which does not lead back to the token.
///
/// The same in every process, so that instances can share a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    pub(in crate::session) fn of(token: &str) -> Self {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(key)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// What a method of a [`SessionStore`] answers: `Box::pin(async move { .. })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where sessions that were looked up are kept, with `session.cache`.
///
/// The default is this process's memory, bounded by `session.cache_entries`. Instances that are to share
/// what they know, and forget it together at a sign-out, give another with
/// [`Builder::session_store`](crate::Builder::session_store). A store that fails answers `None` and logs
/// why: the upstream is asked then.
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

/// The store of a proxy.
pub(super) enum Store {
    Memory(Cache<SessionKey, CachedSession>),
    Given(Arc<dyn SessionStore>),
}

impl Store {
    pub(super) fn memory(entries: u32) -> Self {
        Self::Memory(Cache::new(usize::try_from(entries).unwrap_or(usize::MAX)))
    }

    pub(super) async fn get(&self, key: &SessionKey) -> Option<CachedSession> {
        match self {
            Self::Memory(cache) => cache.get(key),
            Self::Given(store) => store.get(key).await,
        }
    }

    pub(super) async fn put(&self, key: SessionKey, session: CachedSession, keep: Duration) {
        match self {
            Self::Memory(cache) => cache.insert(key, session),
            Self::Given(store) => store.put(key, session, keep).await,
        }
    }

    pub(super) async fn remove(&self, key: &SessionKey) {
        match self {
            Self::Memory(cache) => {
                // It may be known by the token that it was renewed from, too.
                if let Some((_, session)) = cache.remove(key) {
                    session.end();
                }
            }
            Self::Given(store) => store.remove(key).await,
        }
    }
}

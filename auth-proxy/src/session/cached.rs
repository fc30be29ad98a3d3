//! `CachedSession`: a session in the cache or in the app's store, with its age and the app's type of it.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::data::SessionData;
use super::family::Generation;
use super::key::TokenKey;
use super::raw::RawSession;
use crate::error::{AuthError, Reason};
use crate::json::deserialize_into;

/// A session from the upstream's `/session`, kept by a [`SessionStore`](crate::store::SessionStore).
///
/// Cheap to clone. Serialises with serde for stores outside this process, without the session token. `Debug` shows when
/// the upstream was asked, and nothing of the user.
///
/// ```
/// use auth_proxy::{errors::BoxError, store::CachedSession};
///
/// fn to_text(session: &CachedSession) -> Result<String, BoxError> {
///     Ok(serde_json::to_string(session)?)
/// }
/// ```
#[derive(Clone)]
pub struct CachedSession {
    inner: Arc<Inner>,
    /// Digest of the exact token, host and scheme of the lookup: see [`SessionKey`](crate::store::SessionKey).
    exact: [u8; 32],
    /// Whether the session is older than `session.cache` and used because of an outage.
    is_stale: bool,
}

struct Inner {
    raw: RawSession,
    /// Bytes of the `/session` response; zero for a session from the app's own store.
    size: usize,
    /// When the upstream was asked.
    asked: SystemTime,
    /// Outdated once a sign-out by any token of the session ended it. `None` for a session from the app's own store.
    generation: Option<Generation>,
    /// The session in the app's type, made at first use.
    typed: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl CachedSession {
    /// A session from a response that just arrived. `size` is the length of its body in bytes.
    pub(crate) fn new(raw: RawSession, size: usize) -> Self {
        let inner = Inner { raw, size, asked: SystemTime::now(), generation: None, typed: OnceLock::new() };
        Self { inner: Arc::new(inner), exact: [0; 32], is_stale: false }
    }

    /// The same session, valid in the cache until this generation is outdated.
    pub(super) fn with_generation(self, generation: &Generation) -> Self {
        let (size, asked) = (self.inner.size, self.inner.asked);
        let raw = Arc::try_unwrap(self.inner).map_or_else(|shared| shared.raw.clone(), |inner| inner.raw);
        let inner = Inner { raw, size, asked, generation: Some(generation.clone()), typed: OnceLock::new() };
        Self { inner: Arc::new(inner), exact: self.exact, is_stale: self.is_stale }
    }

    /// The same session, as the result for this key.
    pub(super) fn with_key(mut self, key: &TokenKey) -> Self {
        self.exact = key.exact;
        self
    }

    /// When the upstream was asked, if the session comes from the app's own store.
    pub(super) fn asked_if_from_store(&self) -> Option<SystemTime> {
        self.inner.generation.is_none().then_some(self.inner.asked)
    }

    /// Whether the session is the result for this key.
    pub(super) fn has_key(&self, key: &TokenKey) -> bool {
        self.exact == key.exact
    }

    pub(crate) fn raw(&self) -> &RawSession {
        &self.inner.raw
    }

    /// Bytes of the `/session` response.
    pub(super) fn size(&self) -> usize {
        self.inner.size
    }

    /// The same session, marked as stale.
    pub(super) fn stale(mut self) -> Self {
        self.is_stale = true;
        self
    }

    /// Whether the session is older than `session.cache` and used because of an outage.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// The session in the app's type.
    ///
    /// # Errors
    /// `user_mismatch` when the user does not fit the type. Its source names the field.
    pub(crate) fn typed<U: DeserializeOwned + Send + Sync + 'static>(
        &self,
    ) -> Result<Arc<SessionData<U>>, AuthError> {
        let known = self.inner.typed.get().map(Arc::clone).map(Arc::downcast::<SessionData<U>>);
        if let Some(Ok(known)) = known {
            return Ok(known);
        }
        let raw = self.raw();
        let user = deserialize_into(raw.user.clone(), Reason::USER_MISMATCH)?;
        let data = Arc::new(SessionData { user, expires: raw.expires, extra: raw.extra.clone() });
        // Two requests may do this at once. Both make the same value.
        self.inner.typed.set(Arc::clone(&data) as Arc<dyn Any + Send + Sync>).ok();
        Ok(data)
    }

    /// Whether the session is younger than `keep`, not expired and not ended. When the clock was set back, its age is
    /// unknown, and the session is not used.
    pub(super) fn is_usable(&self, now: SystemTime, keep: Duration) -> bool {
        let is_young = now.duration_since(self.inner.asked).is_ok_and(|age| age < keep);
        is_young
            && self.inner.raw.expires.is_none_or(|expires| now < expires)
            && self.inner.generation.as_ref().is_none_or(Generation::is_current)
    }
}

impl PartialEq for CachedSession {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl fmt::Debug for CachedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedSession").field("asked", &self.inner.asked).finish_non_exhaustive()
    }
}

/// The serialised form of a session.
#[derive(Serialize, Deserialize)]
struct Stored<R> {
    version: u8,
    asked: SystemTime,
    exact: [u8; 32],
    session: R,
}

/// The format of stored sessions. Increase it when this crate can no longer read the older format.
const VERSION: u8 = 1;

impl Serialize for CachedSession {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored =
            Stored { version: VERSION, asked: self.inner.asked, exact: self.exact, session: &self.inner.raw };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CachedSession {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<RawSession>::deserialize(deserializer)?;
        if stored.version != VERSION {
            return Err(D::Error::custom("the session was stored by another version of this crate"));
        }
        let inner = Inner {
            raw: stored.session,
            size: 0,
            asked: stored.asked,
            generation: None,
            typed: OnceLock::new(),
        };
        Ok(Self { inner: Arc::new(inner), exact: stored.exact, is_stale: false })
    }
}

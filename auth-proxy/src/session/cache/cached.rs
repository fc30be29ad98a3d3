use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{AuthError, Reason};
use crate::session::wire::RawSession;
use crate::session::{SessionData, fit};

/// A session as the upstream told it, to be kept by a [`SessionStore`](super::SessionStore).
///
/// A cheap clone. Serialises with serde for stores outside of this process; the session token is no part
/// of it. `Debug` shows when the upstream was asked and nothing of the user.
#[derive(Clone)]
pub struct CachedSession {
    inner: Arc<Inner>,
    /// Whether it is used past its time, since nobody could tell a newer one.
    is_stale: bool,
}

struct Inner {
    raw: RawSession,
    /// Bytes in which it was told; zero where a store of the app's own keeps it.
    size: usize,
    asked: SystemTime,
    /// Set when a sign-out ended it, for the copies that are known by an older token.
    ended: AtomicBool,
    /// In the app's type, made when it is first wanted.
    typed: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl CachedSession {
    /// A session that was told just now, in so many bytes.
    pub(in crate::session) fn new(raw: RawSession, size: usize) -> Self {
        Self::asked(raw, size, SystemTime::now())
    }

    fn asked(raw: RawSession, size: usize, asked: SystemTime) -> Self {
        let inner = Inner { raw, size, asked, ended: AtomicBool::new(false), typed: OnceLock::new() };
        Self { inner: Arc::new(inner), is_stale: false }
    }

    pub(in crate::session) fn raw(&self) -> &RawSession {
        &self.inner.raw
    }

    /// Bytes in which it was told.
    pub(super) fn size(&self) -> usize {
        self.inner.size
    }

    /// The same, used past its time.
    pub(super) fn stale(mut self) -> Self {
        self.is_stale = true;
        self
    }

    /// Whether it is used past its time.
    pub(in crate::session) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// The session in the app's type.
    ///
    /// # Errors
    /// `user_mismatch`, whose source names the field that does not fit.
    pub(in crate::session) fn typed<U: DeserializeOwned + Send + Sync + 'static>(
        &self,
    ) -> Result<Arc<SessionData<U>>, AuthError> {
        let known = self.inner.typed.get().map(Arc::clone).map(Arc::downcast::<SessionData<U>>);
        if let Some(Ok(known)) = known {
            return Ok(known);
        }
        let raw = self.raw();
        let user = fit(raw.user.clone(), Reason::USER_MISMATCH)?;
        let data = Arc::new(SessionData { user, expires: raw.expires, extra: raw.extra.clone() });
        // Somebody else may have been faster: what they made is the same.
        self.inner.typed.set(Arc::clone(&data) as Arc<dyn Any + Send + Sync>).ok();
        Ok(data)
    }

    /// Whether it may be used: told within this time, not over, and not ended. A clock that was set back
    /// makes it unknown how old it is.
    pub(super) fn is_good(&self, now: SystemTime, keep: Duration) -> bool {
        let young = now.duration_since(self.inner.asked).is_ok_and(|age| age < keep);
        young
            && self.inner.raw.expires.is_none_or(|expires| now < expires)
            && !self.inner.ended.load(Ordering::Acquire)
    }

    /// Marks every copy as of no use any more.
    pub(super) fn end(&self) {
        self.inner.ended.store(true, Ordering::Release);
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

impl Serialize for CachedSession {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.inner.asked, &self.inner.raw).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CachedSession {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (asked, raw) = Deserialize::deserialize(deserializer)?;
        Ok(Self::asked(raw, 0, asked))
    }
}

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
pub struct CachedSession(Arc<Inner>);

struct Inner {
    raw: RawSession,
    asked: SystemTime,
    /// Set when a sign-out ended it, for the copies that are known by an older token.
    ended: AtomicBool,
    /// In the app's type, made when it is first wanted.
    typed: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl CachedSession {
    /// A session that the upstream told just now.
    pub(in crate::session) fn new(raw: RawSession) -> Self {
        Self::asked(raw, SystemTime::now())
    }

    fn asked(raw: RawSession, asked: SystemTime) -> Self {
        Self(Arc::new(Inner { raw, asked, ended: AtomicBool::new(false), typed: OnceLock::new() }))
    }

    pub(in crate::session) fn raw(&self) -> &RawSession {
        &self.0.raw
    }

    /// The session in the app's type.
    ///
    /// # Errors
    /// `user_mismatch`, whose source names the field that does not fit.
    pub(in crate::session) fn typed<U: DeserializeOwned + Send + Sync + 'static>(
        &self,
    ) -> Result<Arc<SessionData<U>>, AuthError> {
        let known = self.0.typed.get().map(Arc::clone).map(Arc::downcast::<SessionData<U>>);
        if let Some(Ok(known)) = known {
            return Ok(known);
        }
        let raw = self.raw();
        let user = fit(raw.user.clone(), Reason::USER_MISMATCH)?;
        let data = Arc::new(SessionData { user, expires: raw.expires, extra: raw.extra.clone() });
        // Somebody else may have been faster: what they made is the same.
        self.0.typed.set(Arc::clone(&data) as Arc<dyn Any + Send + Sync>).ok();
        Ok(data)
    }

    /// Whether it may be used: told within this time, not over, and not ended. A clock that was set back
    /// makes it unknown how old it is.
    pub(super) fn is_good(&self, now: SystemTime, keep: Duration) -> bool {
        let young = now.duration_since(self.0.asked).is_ok_and(|age| age < keep);
        young
            && self.0.raw.expires.is_none_or(|expires| now < expires)
            && !self.0.ended.load(Ordering::Acquire)
    }

    /// Marks every copy as of no use any more.
    pub(super) fn end(&self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

impl PartialEq for CachedSession {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl fmt::Debug for CachedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedSession").field("asked", &self.0.asked).finish_non_exhaustive()
    }
}

impl Serialize for CachedSession {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.0.asked, &self.0.raw).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CachedSession {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (asked, raw) = Deserialize::deserialize(deserializer)?;
        Ok(Self::asked(raw, asked))
    }
}

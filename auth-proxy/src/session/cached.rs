//! A session as the cache holds it.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use super::data::SessionData;
use super::family::SessionSnapshot;
use super::key::TokenKey;
use crate::dialect::RawSession;
use crate::error::{AuthError, Reason};
use crate::fingerprint::Fingerprint;
use crate::json::deserialize_into;
use crate::revocation::NameHash;

/// A session as the upstream sent it, and what the cache must know of it. Cloning is cheap. `Debug` shows nothing about the
/// user.
#[derive(Clone)]
pub(crate) struct CachedSession {
    inner: Arc<Inner>,
    /// The fingerprint of the exact token, host and scheme that were looked up.
    fingerprint: Option<Fingerprint>,
    /// Whether it is used in an outage although it is older than `session.cache`.
    is_stale: bool,
}

struct Inner {
    raw: RawSession,
    /// The size of the upstream's response body in bytes. For a session from a store: the size of its serialized form.
    size: usize,
    looked_up_at: SystemTime,
    /// Whether it is the copy in a cookie, and was not looked up.
    is_copy: bool,
    /// Tells whether the session was ended, by any of its tokens. `None` until it is set.
    snapshot: Option<SessionSnapshot>,
    /// What the list of revoked users knows the user by. Computed on first use.
    user: OnceLock<Option<NameHash>>,
    /// The session in the app's type, deserialized on first use.
    typed: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl CachedSession {
    /// A session that was just looked up. `size` is the length of the response body in bytes.
    pub(crate) fn new(raw: RawSession, size: usize) -> Self {
        Self::stored(raw, size, SystemTime::now())
    }

    /// A session that the visitor sent in a cookie, which the upstream wrote at `written_ms`. Both times are milliseconds
    /// since the Unix epoch. It is not kept.
    pub(crate) fn copied(raw: RawSession, written_ms: f64, now_ms: u64) -> Self {
        // The clock of the upstream may be ahead. Negative numbers and NaN become zero.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let written = Duration::from_millis((written_ms as u64).min(now_ms));
        Self::made(raw, 0, SystemTime::UNIX_EPOCH + written, true)
    }

    /// A session that was looked up at this time, from a store.
    pub(super) fn stored(raw: RawSession, size: usize, looked_up_at: SystemTime) -> Self {
        Self::made(raw, size, looked_up_at, false)
    }

    fn made(raw: RawSession, size: usize, looked_up_at: SystemTime, is_copy: bool) -> Self {
        let inner = Inner {
            raw,
            size,
            looked_up_at,
            is_copy,
            snapshot: None,
            user: OnceLock::new(),
            typed: OnceLock::new(),
        };
        Self { inner: Arc::new(inner), fingerprint: None, is_stale: false }
    }

    /// The same session, usable until it is ended after this snapshot.
    pub(super) fn with_snapshot(self, snapshot: &SessionSnapshot) -> Self {
        let (size, looked_up_at) = (self.inner.size, self.inner.looked_up_at);
        let raw = Arc::try_unwrap(self.inner).map_or_else(|shared| shared.raw.clone(), |inner| inner.raw);
        let inner = Inner {
            raw,
            size,
            looked_up_at,
            is_copy: false,
            snapshot: Some(snapshot.clone()),
            user: OnceLock::new(),
            typed: OnceLock::new(),
        };
        Self { inner: Arc::new(inner), fingerprint: self.fingerprint, is_stale: self.is_stale }
    }

    /// The same session, as the answer for this token.
    pub(super) fn for_token(mut self, key: &TokenKey) -> Self {
        self.fingerprint = key.fingerprint;
        self
    }

    /// When the session was looked up.
    pub(super) fn looked_up_at(&self) -> SystemTime {
        self.inner.looked_up_at
    }

    /// What the list of revoked users knows the user by. `None` if the session does not name its user.
    pub(super) fn user(&self, hash: impl FnOnce(&RawSession) -> Option<NameHash>) -> Option<NameHash> {
        *self.inner.user.get_or_init(|| hash(&self.inner.raw))
    }

    /// Whether it is the answer for this exact token, host and scheme.
    pub(super) fn matches(&self, fingerprint: Fingerprint) -> bool {
        self.fingerprint == Some(fingerprint)
    }

    pub(crate) fn raw(&self) -> &RawSession {
        &self.inner.raw
    }

    /// The size of the upstream's response body in bytes.
    pub(super) fn size(&self) -> usize {
        self.inner.size
    }

    /// The same session, marked as stale.
    pub(crate) fn into_stale(mut self) -> Self {
        self.is_stale = true;
        self
    }

    /// Whether it is used in an outage although it is older than `session.cache`.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// The session in the app's type.
    ///
    /// # Errors
    /// `user_mismatch`, whose source names the field that does not fit.
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
        // Two requests may race here. Both values are the same.
        self.inner.typed.set(Arc::clone(&data) as Arc<dyn Any + Send + Sync>).ok();
        Ok(data)
    }

    /// Whether it is the copy in a cookie, and was not looked up.
    pub(crate) fn is_copy(&self) -> bool {
        self.inner.is_copy
    }

    /// Whether it was looked up at this time or later.
    pub(crate) fn is_looked_up_since(&self, time: SystemTime) -> bool {
        self.inner.looked_up_at >= time
    }

    /// Half of the time from the lookup until the session expires if it is not used again.
    pub(super) fn half_of_life(&self) -> Option<Duration> {
        let expires = self.inner.raw.expires?;
        Some(expires.duration_since(self.inner.looked_up_at).unwrap_or_default() / 2)
    }

    /// Whether it may be used: younger than `max_age`, not expired, and not ended. If the clock was set back, the age
    /// is unknown, and the session is not used.
    pub(super) fn is_usable(&self, now: SystemTime, max_age: Duration) -> bool {
        let is_young = now.duration_since(self.inner.looked_up_at).is_ok_and(|age| age < max_age);
        is_young
            && self.inner.raw.expires.is_none_or(|expires| now < expires)
            && self.inner.snapshot.as_ref().is_none_or(SessionSnapshot::is_current)
    }
}

impl PartialEq for CachedSession {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl fmt::Debug for CachedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedSession")
            .field("looked_up_at", &self.inner.looked_up_at)
            .finish_non_exhaustive()
    }
}

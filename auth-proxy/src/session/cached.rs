//! A session as the cache holds it.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use super::data::SessionData;
use super::family::SessionSnapshot;
use super::key::TokenKey;
use super::opened::{Close, Opened};
use super::packed::Packed;
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

/// A session in memory: what [`Local`](super::local::Local) holds for a token. It is as small as it can be, because there may
/// be a million of them.
#[derive(Clone)]
pub(super) struct KeptSession {
    inner: Arc<Inner>,
    fingerprint: Fingerprint,
}

/// The remembered sessions that are open.
pub(super) type OpenSessions = Opened<Inner>;

pub(super) struct Inner {
    packed: Packed,
    /// The size of the upstream's response body in bytes. For a session from a store: the size of its serialized form.
    size: u32,
    /// Whether it is the copy in a cookie, and was not looked up.
    is_copy: bool,
    looked_up_at: SystemTime,
    expires: Option<SystemTime>,
    /// `None` in a session that is not remembered.
    kept: Option<Kept>,
    forms: Mutex<Forms>,
}

/// What a session has that may be remembered.
struct Kept {
    /// Tells whether the session was ended, by any of its tokens.
    snapshot: SessionSnapshot,
    open: Arc<OpenSessions>,
}

/// What is made of a session on first use.
#[derive(Default)]
struct Forms {
    /// The session as maps. Dropped when the app's type was made of it, since most apps use nothing else.
    raw: Option<Arc<RawSession>>,
    /// The session in the app's type.
    typed: Option<Arc<dyn Any + Send + Sync>>,
    /// What the list of revoked users knows the user by.
    user: Option<Box<Option<NameHash>>>,
}

impl Forms {
    fn is_open(&self) -> bool {
        self.raw.is_some() || self.typed.is_some()
    }
}

impl Inner {
    fn forms(&self) -> MutexGuard<'_, Forms> {
        self.forms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Close for Inner {
    fn close(&self) {
        let mut forms = self.forms();
        let closed = (forms.raw.take(), forms.typed.take());
        drop(forms);
        // The app's type may take long to drop.
        drop(closed);
    }
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
        let expires = raw.expires;
        let inner = Inner {
            packed: Packed::Maps(Arc::new(raw)),
            size: u32::try_from(size).unwrap_or(u32::MAX),
            is_copy,
            looked_up_at,
            expires,
            kept: None,
            forms: Mutex::default(),
        };
        Self { inner: Arc::new(inner), fingerprint: None, is_stale: false }
    }

    /// The same session in the form in which it is remembered, usable until it is ended after this snapshot.
    pub(super) fn with_snapshot(self, snapshot: &SessionSnapshot, open: &Arc<OpenSessions>) -> Self {
        let Inner { size, looked_up_at, expires, .. } = *self.inner;
        let raw = self.raw();
        let packed = Packed::new(&raw);
        let kept = Some(Kept { snapshot: snapshot.clone(), open: Arc::clone(open) });
        // The request that looked the session up uses it next, so it is not read from its text again for that.
        let forms = Mutex::new(Forms { raw: Some(raw), ..Forms::default() });
        let inner = Arc::new(Inner { packed, size, is_copy: false, looked_up_at, expires, kept, forms });
        open.add(&inner);
        Self { inner, fingerprint: self.fingerprint, is_stale: self.is_stale }
    }

    /// The same session in memory, as the answer for this token. `None` if the token has no fingerprint: then the session would
    /// not be found again.
    pub(super) fn kept_for(&self, key: &TokenKey) -> Option<KeptSession> {
        Some(KeptSession { inner: Arc::clone(&self.inner), fingerprint: key.fingerprint? })
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
        if let Some(user) = &self.inner.forms().user {
            return **user;
        }
        let user = hash(&*self.read().ok()?);
        // Two requests may race here. Both values are the same.
        self.inner.forms().user = Some(Box::new(user));
        user
    }

    /// Whether it is the answer for this exact token, host and scheme.
    pub(super) fn matches(&self, fingerprint: Fingerprint) -> bool {
        self.fingerprint == Some(fingerprint)
    }

    /// The session as the upstream sent it. A remembered one is read from its text, and stays open.
    pub(crate) fn raw(&self) -> Arc<RawSession> {
        if let Some(raw) = &self.inner.forms().raw {
            return Arc::clone(raw);
        }
        let Ok(raw) = self.read() else {
            // A session that cannot be read has no user.
            let (user, extra, needs_refresh) = Default::default();
            return Arc::new(RawSession { user, expires: self.inner.expires, extra, needs_refresh });
        };
        if let (Some(kept), Packed::Text(_)) = (&self.inner.kept, &self.inner.packed) {
            self.open(kept, |forms| forms.raw = Some(Arc::clone(&raw)));
        }
        raw
    }

    /// The session as the upstream sent it, without opening it.
    ///
    /// # Errors
    /// Never: the text was written here.
    fn read(&self) -> Result<Arc<RawSession>, AuthError> {
        let known = self.inner.forms().raw.clone();
        let unreadable =
            || AuthError::new(Reason::UPSTREAM_FAILED).because("a remembered session cannot be read");
        known.or_else(|| self.inner.packed.raw(self.inner.expires)).ok_or_else(unreadable)
    }

    /// Keeps a form of the session until it is closed.
    fn open(&self, kept: &Kept, keep: impl FnOnce(&mut Forms)) {
        let mut forms = self.inner.forms();
        let was_open = forms.is_open();
        keep(&mut forms);
        drop(forms);
        if !was_open {
            kept.open.add(&self.inner);
        }
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
        let known = self.inner.forms().typed.clone();
        if let Some(Ok(known)) = known.map(Arc::downcast::<SessionData<U>>) {
            return Ok(known);
        }
        let raw = self.read()?;
        let user = deserialize_into(raw.user.clone(), Reason::USER_MISMATCH)?;
        let data = Arc::new(SessionData { user, expires: raw.expires, extra: raw.extra.clone() });
        let typed = Arc::clone(&data) as Arc<dyn Any + Send + Sync>;
        // Two requests may race here. Both values are the same.
        match &self.inner.kept {
            Some(kept) => self.open(kept, |forms| {
                forms.typed.get_or_insert(typed);
                forms.raw = None;
            }),
            None => _ = self.inner.forms().typed.get_or_insert(typed),
        }
        Ok(data)
    }

    /// Whether it is the copy in a cookie, and was not looked up.
    pub(crate) fn is_copy(&self) -> bool {
        self.inner.is_copy
    }

    /// Half of the time from the lookup until the session expires if it is not used again.
    pub(super) fn half_of_life(&self) -> Option<Duration> {
        let expires = self.inner.expires?;
        Some(expires.duration_since(self.inner.looked_up_at).unwrap_or_default() / 2)
    }

    /// Whether it may be used: younger than `max_age`, not expired, and not ended. If the clock was set back, the age
    /// is unknown, and the session is not used.
    pub(super) fn is_usable(&self, now: SystemTime, max_age: Duration) -> bool {
        let is_young = now.duration_since(self.inner.looked_up_at).is_ok_and(|age| age < max_age);
        is_young
            && self.inner.expires.is_none_or(|expires| now < expires)
            && self.inner.kept.as_ref().is_none_or(|kept| kept.snapshot.is_current())
    }
}

impl KeptSession {
    /// The size of the upstream's response body in bytes.
    pub(super) fn size(&self) -> usize {
        usize::try_from(self.inner.size).unwrap_or(usize::MAX)
    }
}

impl From<KeptSession> for CachedSession {
    fn from(KeptSession { inner, fingerprint }: KeptSession) -> Self {
        Self { inner, fingerprint: Some(fingerprint), is_stale: false }
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

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::session::SessionKey;
    use crate::session::family::TokenFamilies;

    type Typed = SessionData<Map<String, Value>>;

    fn session(name: &str) -> CachedSession {
        let user = Map::from_iter([("name".to_owned(), json!(name))]);
        let raw = RawSession { user, expires: None, extra: Map::new(), needs_refresh: false };
        CachedSession::new(raw, 100)
    }

    fn name(session: &CachedSession) -> Arc<Typed> {
        session.typed().unwrap()
    }

    #[test]
    fn session_is_the_same_after_it_was_closed() {
        let open = Arc::new(OpenSessions::new(1));
        let snapshot = TokenFamilies::default().snapshot(SessionKey::from_bytes([1; 32]));
        let [first, second] = ["Ada", "Bob"].map(|name| session(name).with_snapshot(&snapshot, &open));
        assert!(!first.inner.forms().is_open() && second.inner.forms().is_open());
        let typed = name(&first);
        assert_eq!(typed.user["name"], "Ada");
        assert!(Arc::ptr_eq(&typed, &name(&first)), "it is made once while the session is open");
        assert!(!second.inner.forms().is_open());
        assert_eq!((first.raw(), first.raw().user["name"].clone()), (session("Ada").raw(), json!("Ada")));
        assert!(!second.inner.forms().is_open() && first == session("Ada") && second == session("Bob"));
    }

    #[test]
    fn session_in_the_type_of_the_app_is_not_held_as_maps_too() {
        let open = Arc::new(OpenSessions::new(1));
        let snapshot = TokenFamilies::default().snapshot(SessionKey::from_bytes([1; 32]));
        let kept = session("Ada").with_snapshot(&snapshot, &open);
        assert!(kept.inner.forms().raw.is_some(), "the request that looked it up uses it");
        name(&kept);
        assert!(kept.inner.forms().raw.is_none());
        let raw = kept.raw();
        assert!(Arc::ptr_eq(&raw, &kept.raw()) && kept.inner.forms().typed.is_some());
        assert_eq!(open.len(), 1);
    }

    #[test]
    fn user_of_a_session_is_hashed_once() {
        let kept = session("Ada");
        assert_eq!(kept.user(|_| None), None);
        assert_eq!(kept.user(|_| panic!("it is known")), None);
    }
}

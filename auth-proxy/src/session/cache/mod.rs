//! The session cache: finds the session of a token in the cache, or by a lookup.

mod ending;
mod issuing;
mod known;
mod single_flight;
mod storing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use auth_proxy_rules::{AnswerSession, RevocationList, Settings, StoreUnavailable};
use http::HeaderValue;
use quick_cache::sync::Cache;
use tokio::time::{Instant, timeout_at};

use self::known::Known;
use self::single_flight::Lookups;
use super::answer::{Answer, Found, LookedUp, Renewed, Source};
use super::cached::CachedSession;
use super::family::{SessionSnapshot, TokenFamilies};
use super::key::{Keys, SessionKey, TokenKey};
use super::local::Local;
use super::store::{SessionStore, SharedStore, StoreState, StoreWatcher};
use crate::audit::Audit;
use crate::error::{AuthError, BoxError, Reason};
use crate::fingerprint::Fingerprint;
use crate::revocation::Revocations;
use crate::telemetry::{CacheName, asked_cache};

/// The most refused tokens that are cached. They have a cache of their own, so a flood of invalid tokens evicts no
/// session.
const MAX_REFUSED: usize = 1024;

/// The sessions of one proxy.
pub(crate) struct Sessions {
    /// `session.cache`: the age up to which a cached session is used. Zero turns the cache off.
    max_age: Duration,
    /// The same in an outage: `session.cache` and `session.stale_if_error` together.
    max_age_in_outage: Duration,
    local: Arc<Local>,
    /// By which fingerprints the sessions in `local` were found.
    known: Known,
    keys: Arc<Keys>,
    /// `upstream.timeout`: a lookup that takes this long is given up.
    timeout: Duration,
    memory_use: MemoryUse,
    store: Option<Arc<SharedStore>>,
    refused: Cache<TokenKey, Refused>,
    lookups: Arc<Lookups>,
    /// The list of revoked tokens, with `session.revocation: store`.
    revocations: Option<Arc<Revocations>>,
    /// Whether stale sessions were served since the last lookup that was answered.
    serves_stale: AtomicBool,
    /// With `session.renew`: that time, and when each token was last sent to a browser.
    issued: Option<(Duration, Cache<SessionKey, Instant>)>,
    /// With `session.answer_session: cached`: when a page last got the upstream's own answer for a token.
    shown: Option<Cache<SessionKey, Instant>>,
}

/// When this process's memory answers.
#[derive(Clone, Copy, PartialEq)]
enum MemoryUse {
    Always,
    /// While every sign-out at another instance is known, as the first level in front of the store.
    WhileComplete,
    /// The store does not tell what ended at other instances.
    Never,
}

/// A token that the upstream refused, and the cookies that clear it in the browser.
#[derive(Clone)]
struct Refused {
    until: SystemTime,
    clearing: Arc<[HeaderValue]>,
    snapshot: SessionSnapshot,
}

/// What the cache holds for a token.
enum Cached {
    /// An answer that is new enough.
    Fresh(Found),
    /// A session that may be used in an outage only.
    Stale(CachedSession),
    Missing,
}

impl Sessions {
    pub(crate) fn new(
        settings: &Settings,
        keys: Arc<Keys>,
        store: Option<Arc<dyn SessionStore>>,
        audit: Audit,
    ) -> Self {
        let entries = usize::try_from(settings.cache_entries).unwrap_or(usize::MAX);
        let max_age_in_outage = settings.cache.saturating_add(settings.stale_if_error);
        // A session in this process's memory holds its family. One in a store does not: if its removal failed, only the
        // memory of its end keeps it from being used again.
        let kept_for = if store.is_some() { max_age_in_outage } else { Duration::ZERO };
        let local = Arc::new(Local::new(settings.cache_entries, TokenFamilies::kept_for(kept_for)));
        let revocations: Option<Arc<Revocations>> =
            (settings.revocation == RevocationList::Store).then(Arc::default);
        let watcher = StoreWatcher::new(Arc::clone(&local), revocations.clone());
        let memory_use = match &store {
            Some(store) if !store.watch(watcher) => MemoryUse::Never,
            Some(_) if settings.store_unavailable == StoreUnavailable::AskUpstream => {
                MemoryUse::WhileComplete
            }
            _ => MemoryUse::Always,
        };
        Self {
            max_age: settings.cache,
            max_age_in_outage,
            local,
            known: Known::new(entries),
            keys,
            timeout: settings.timeout,
            memory_use,
            store: store.map(|store| Arc::new(SharedStore::new(store, settings.timeout, audit))),
            refused: Cache::new(MAX_REFUSED),
            lookups: Arc::new(Lookups::new(settings.timeout)),
            revocations,
            serves_stale: AtomicBool::new(false),
            shown: (settings.answer_session == AnswerSession::Cached).then(|| Cache::new(entries)),
            issued: (!settings.renew.is_zero()).then(|| (settings.renew, Cache::new(entries))),
        }
    }

    /// The session of a token that was found in memory before, if it may be used still. No hash of the token is computed.
    pub(crate) fn known(&self, fingerprint: Fingerprint) -> Option<Found> {
        let session = self.known.get(fingerprint)?;
        let found = self.session_in_memory(&session, fingerprint)?;
        if !found.is_usable(SystemTime::now(), self.max_age) {
            return None;
        }
        asked_cache(CacheName::Session, true);
        Some(Found { answer: Answer::Session(found), source: Source::Memory, renewed: None })
    }

    /// The answer for a token, from the cache or from a lookup. Requests for the same token share one lookup (single
    /// flight). A lookup has its own deadline, and continues when a request that waits for it is dropped. This request
    /// waits until `deadline`.
    ///
    /// # Errors
    /// The error of the lookup, unless a stale session may be used instead.
    pub(crate) async fn find<B, L>(
        self: &Arc<Self>,
        key: TokenKey,
        deadline: Instant,
        lookup: impl FnOnce() -> Result<B, AuthError>,
    ) -> Result<Found, AuthError>
    where
        B: FnOnce(Instant) -> L + Send + 'static,
        L: Future<Output = Result<LookedUp, AuthError>> + Send + 'static,
    {
        let cached = self.cached(&key);
        if !self.max_age.is_zero() {
            asked_cache(CacheName::Session, matches!(cached, Cached::Fresh(_)));
        }
        let stale = match cached {
            Cached::Fresh(found) => return Ok(found),
            Cached::Stale(session) => Some(session),
            Cached::Missing => None,
        };
        let found = self.look_up(key, deadline, lookup).await;
        self.or_stale(found, stale)
    }

    /// What this process remembers for a token.
    fn cached(&self, key: &TokenKey) -> Cached {
        let found = |fingerprint| Some((fingerprint, self.session_in_memory(&key.session, fingerprint)?));
        let cached = key.fingerprint.and_then(found);
        // Read after the session was found, since one that was looked up after `now` is not used.
        let now = SystemTime::now();
        let cached = match cached {
            Some((fingerprint, cached)) if cached.is_usable(now, self.max_age) => {
                self.known.note(fingerprint, key.session);
                let answer = Answer::Session(cached);
                return Cached::Fresh(Found { answer, source: Source::Memory, renewed: None });
            }
            cached => cached,
        };
        match (cached, self.refused.get(key)) {
            (_, Some(refused)) if refused.is_usable(now) => {
                let Refused { clearing: cookies, snapshot, .. } = refused;
                let renewed = Some(Renewed { cookies, snapshot, sent: key.session, next: None });
                Cached::Fresh(Found { answer: Answer::Refused, source: Source::Memory, renewed })
            }
            (Some((_, cached)), _) => Cached::Stale(cached),
            (None, _) => Cached::Missing,
        }
    }

    /// The session in this process's memory, if it is the answer for exactly what has this fingerprint.
    fn session_in_memory(&self, key: &SessionKey, fingerprint: Fingerprint) -> Option<CachedSession> {
        let cached = if self.may_use_memory() { self.local.get(key) } else { None };
        cached.filter(|cached| cached.matches(fingerprint) && self.may_trust_user(cached))
    }

    /// Whether this process's memory may answer now, or take a session.
    fn may_use_memory(&self) -> bool {
        // Checked in each case: when sign-outs at other instances were missed, this empties the memory.
        let is_complete = self.store.is_some() && self.local.is_complete();
        let may_use = match self.memory_use {
            MemoryUse::Always => true,
            MemoryUse::WhileComplete => is_complete,
            MemoryUse::Never => false,
        };
        may_use && !self.max_age.is_zero()
    }

    /// Joins the lookup of a token that is under way, or starts one.
    async fn look_up<B, L>(
        self: &Arc<Self>,
        key: TokenKey,
        deadline: Instant,
        lookup: impl FnOnce() -> Result<B, AuthError>,
    ) -> Result<Found, AuthError>
    where
        B: FnOnce(Instant) -> L + Send + 'static,
        L: Future<Output = Result<LookedUp, AuthError>> + Send + 'static,
    {
        // Sign-outs at other instances are not known now, so a lookup that is under way may have begun before one.
        let may_join = self.memory_use != MemoryUse::WhileComplete || self.local.is_complete();
        // Taken before the upstream is asked: if the session is ended from here on, the answer is outdated.
        let snapshot = self.local.families().snapshot(key.session);
        let sessions = Arc::clone(self);
        let found = self.lookups.join(key, &snapshot, may_join, deadline, || {
            let lookup = lookup()?;
            // Boxed: the future of a lookup is large, and `read` would hold it in several places.
            Ok(move |snapshot: SessionSnapshot, deadline| {
                sessions.read(key, snapshot, Box::pin(lookup(deadline)))
            })
        });
        timeout_at(deadline, found)
            .await
            .unwrap_or_else(|elapsed| Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)))
    }

    /// Reads the session of a token from the store, or else from the upstream.
    async fn read(
        self: Arc<Self>,
        key: TokenKey,
        snapshot: SessionSnapshot,
        lookup: impl Future<Output = Result<LookedUp, AuthError>> + Send,
    ) -> Result<Found, AuthError> {
        let Some(store) = self.store.as_ref().filter(|_| !self.max_age.is_zero()) else {
            return Ok(self.cache(key, lookup.await?, &snapshot, None).await);
        };
        let held = store.get(&key).await;
        // A session of the store holds no snapshot yet. If its removal failed at a sign-out, the families know of that.
        let ended_since = |at| self.local.families().was_ended_since(&key.session, at);
        let session = held.session.filter(|session| {
            snapshot.is_current() && !ended_since(session.looked_up_at()) && self.may_trust_user(session)
        });
        let session = session.map(|session| session.with_snapshot(&snapshot, self.local.open()));
        let was_held = session.is_some();
        match session {
            Some(session) if session.is_usable(SystemTime::now(), self.max_age) => {
                asked_cache(CacheName::Store, true);
                self.remember(&key, &session, &snapshot);
                let answer = Answer::Session(session);
                Ok(Found { answer, source: Source::Store, renewed: None })
            }
            stale => {
                asked_cache(CacheName::Store, false);
                match lookup.await {
                    Ok(found) => Ok(self.cache(key, found, &snapshot, Some((held.ticket, was_held))).await),
                    Err(error) => self.or_stale(Err(error), stale),
                }
            }
        }
    }

    /// In an outage, replaces the error by the stale session, within `session.stale_if_error`.
    fn or_stale(
        &self,
        found: Result<Found, AuthError>,
        stale: Option<CachedSession>,
    ) -> Result<Found, AuthError> {
        // Checked again, because the session may have become too old, or have ended, while the lookup ran.
        let now = SystemTime::now();
        match (found, stale) {
            (Err(error), Some(stale))
                if error.is_outage()
                    && stale.is_usable(now, self.max_age_in_outage)
                    && self.may_trust_user(&stale) =>
            {
                // Logged once in an outage, not for each request.
                if !self.serves_stale.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        target: "auth_proxy::lookup",
                        code = error.code(),
                        "serving stale session: upstream unavailable"
                    );
                }
                let answer = Answer::Session(stale.into_stale());
                Ok(Found { answer, source: Source::Stale, renewed: None })
            }
            (found, _) => found,
        }
    }

    /// The session of a token in this process's memory, however old it is. For an event about its user.
    pub(crate) fn remembered(&self, key: &SessionKey) -> Option<CachedSession> {
        self.local.get(key)
    }

    /// How the last call to the store ended. `None` without a store.
    pub(crate) fn store_state(&self) -> Option<StoreState> {
        self.store.as_ref().map(|store| store.state())
    }

    /// Asks the store something. `None` without a store.
    pub(crate) async fn ping_store(&self, deadline: Instant) -> Option<Result<(), BoxError>> {
        Some(self.store.as_ref()?.ping(deadline).await)
    }

    /// The present state of the session that a token belongs to.
    pub(crate) fn snapshot(&self, key: SessionKey) -> SessionSnapshot {
        self.local.families().snapshot(key)
    }
}

impl Refused {
    fn is_usable(&self, now: SystemTime) -> bool {
        now < self.until && self.snapshot.is_current()
    }
}

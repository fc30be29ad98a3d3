//! The session cache: finds the session of a token in the cache, or by a lookup, and ends sessions.

mod single_flight;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use auth_proxy_rules::{RevocationList, Settings, StoreUnavailable};
use http::HeaderValue;
use quick_cache::sync::Cache;
use tokio::time::{Instant, timeout_at};

use self::single_flight::Lookups;
use super::answer::{Answer, Found, LookedUp, Renewed, Source};
use super::cached::CachedSession;
use super::family::{End, REMEMBERED_FOR, SessionSnapshot, TokenFamilies};
use super::key::{SessionKey, TokenKey};
use super::local::Local;
use super::store::{SessionStore, SharedStore, StoreWatcher, Ticket};
use crate::error::{AuthError, Reason};
use crate::revocation::{Revocation, Revocations};

/// The longest time that a refused token is cached. A flood of one invalid token costs one lookup in this time.
const REFUSED_FOR: Duration = Duration::from_secs(5);

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
    pub(crate) fn new(settings: &Settings, store: Option<Arc<dyn SessionStore>>) -> Self {
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
            memory_use,
            store: store.map(|store| Arc::new(SharedStore::new(store, settings.timeout))),
            refused: Cache::new(MAX_REFUSED),
            lookups: Arc::new(Lookups::new(settings.timeout)),
            revocations,
            serves_stale: AtomicBool::new(false),
            issued: (!settings.renew.is_zero()).then(|| (settings.renew, Cache::new(entries))),
        }
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
        let stale = match self.cached(&key) {
            Cached::Fresh(found) => return Ok(found),
            Cached::Stale(session) => Some(session),
            Cached::Missing => None,
        };
        let found = self.look_up(key, deadline, lookup).await;
        self.or_stale(found, stale)
    }

    /// What this process remembers for a token.
    fn cached(&self, key: &TokenKey) -> Cached {
        let cached = if self.may_use_memory() { self.local.get(&key.session) } else { None };
        let cached = cached.filter(|cached| cached.matches(key));
        let now = SystemTime::now();
        match (cached, self.refused.get(key)) {
            (Some(cached), _) if cached.is_usable(now, self.max_age) => {
                let answer = Answer::Session(cached);
                Cached::Fresh(Found { answer, source: Source::Memory, renewed: None })
            }
            (_, Some(refused)) if refused.is_usable(now) => {
                let Refused { clearing: cookies, snapshot, .. } = refused;
                let renewed = Some(Renewed { cookies, snapshot, sent: key.session, next: None });
                Cached::Fresh(Found { answer: Answer::Refused, source: Source::Memory, renewed })
            }
            (Some(cached), _) => Cached::Stale(cached),
            (None, _) => Cached::Missing,
        }
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
        let session =
            held.session.filter(|session| snapshot.is_current() && !ended_since(session.looked_up_at()));
        let session = session.map(|session| session.with_snapshot(&snapshot));
        let was_held = session.is_some();
        match session {
            Some(session) if session.is_usable(SystemTime::now(), self.max_age) => {
                self.remember(&key, &session, &snapshot);
                let answer = Answer::Session(session);
                Ok(Found { answer, source: Source::Store, renewed: None })
            }
            stale => match lookup.await {
                Ok(found) => Ok(self.cache(key, found, &snapshot, Some((held.ticket, was_held))).await),
                Err(error) => self.or_stale(Err(error), stale),
            },
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
                if error.is_outage() && stale.is_usable(now, self.max_age_in_outage) =>
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

    /// Ends the sessions of these tokens: marks the answers of lookups under way as outdated, and begins to remove the
    /// sessions from the store. The returned future waits until the other instances know of it, within the time limit of
    /// the store. If it is dropped, the removal goes on.
    pub(crate) fn end(&self, tokens: &[SessionKey], end: End) -> impl Future<Output = ()> + use<> {
        let mut keys: Vec<_> =
            tokens.iter().flat_map(|token| self.local.families().end(*token, end)).collect();
        keys.sort_unstable();
        keys.dedup();
        let was_remembered = self.local.remove(&keys);
        // Anyone can send a token that the upstream refuses. It must not cost the other instances a message.
        let is_told = end != End::Refused || was_remembered || self.memory_use == MemoryUse::Never;
        let block_for = if end == End::Unanswered { REMEMBERED_FOR } else { Duration::ZERO };
        let store = self.store.as_ref().filter(|_| is_told && !self.max_age.is_zero());
        let ended = store.filter(|_| !keys.is_empty()).map(|store| store.end(keys, block_for));
        async {
            if let Some(ended) = ended {
                ended.await;
            }
        }
    }

    /// Notes that the visitor of these tokens signed out. [`end`](Self::end) follows.
    pub(crate) fn sign_out(&self, tokens: &[SessionKey]) {
        tokens.iter().for_each(|token| self.local.families().sign_out(token));
    }

    /// The list of revoked tokens. `None` if there is none.
    pub(crate) fn revocations(&self) -> Option<&Revocations> {
        self.revocations.as_deref()
    }

    /// Whether the list has every revocation of all instances.
    pub(crate) fn knows_revocations(&self) -> bool {
        let is_complete = self.revocations.as_ref().is_some_and(|list| list.is_complete());
        if !is_complete && let Some(store) = &self.store {
            store.connect();
        }
        is_complete
    }

    /// Revokes tokens: here at once, and at other instances when the returned future is ready. It returns whether the store
    /// took them. If it is dropped, the store is told nonetheless.
    pub(crate) fn revoke(
        &self,
        revocations: Vec<Revocation>,
        now: u64,
    ) -> impl Future<Output = bool> + use<> {
        let list = self.revocations.as_ref().filter(|_| !revocations.is_empty());
        if let Some(list) = list {
            list.add(&revocations, now);
        }
        let told = list.and(self.store.as_ref()).map(|store| store.revoke(revocations));
        async {
            match told {
                Some(told) => told.await,
                None => true,
            }
        }
    }

    /// The keys of the other tokens of a session.
    pub(crate) fn linked(&self, key: SessionKey) -> Vec<SessionKey> {
        self.local.families().snapshot(key).keys()
    }

    /// The present state of the session that a token belongs to.
    pub(crate) fn snapshot(&self, key: SessionKey) -> SessionSnapshot {
        self.local.families().snapshot(key)
    }

    /// Notes that a response gives the browser a token that was renewed from an earlier one.
    pub(crate) fn note_renewed(&self, snapshot: &SessionSnapshot, key: SessionKey) {
        self.local.families().add_renewed(snapshot, key);
        self.note_issued(key);
    }

    /// Notes that a response gives the browser the session cookies of a lookup.
    pub(crate) fn note_relayed(&self, renewed: &Renewed) {
        if let Some(next) = &renewed.next {
            self.local.families().add_renewed(&renewed.snapshot, next.session);
        }
    }

    /// Notes that a response gives the browser a token.
    pub(crate) fn note_issued(&self, key: SessionKey) {
        if let Some((_, issued)) = &self.issued {
            issued.insert(key, Instant::now());
        }
    }

    /// Whether the session cookies of a lookup are relayed to the browser. Cookies that clear the session always are. A
    /// renewed token is relayed if the browser's present one was sent to it longer ago than `session.renew`.
    pub(crate) fn should_relay(&self, renewed: &Renewed) -> bool {
        let (Some((after, issued)), Some(next)) = (&self.issued, &renewed.next) else { return true };
        let is_due = issued.get(&renewed.sent).is_none_or(|since| since.elapsed() >= *after);
        if is_due {
            issued.insert(next.session, Instant::now());
        }
        is_due
    }

    /// Caches the answer of a lookup, unless the session was ended meanwhile. `held` is what the store had: a ticket, and
    /// whether it had a session for this exact token.
    async fn cache(
        &self,
        key: TokenKey,
        found: LookedUp,
        snapshot: &SessionSnapshot,
        held: Option<(Option<Ticket>, bool)>,
    ) -> Found {
        let LookedUp { mut answer, cookies, next } = found;
        self.serves_stale.store(false, Ordering::Relaxed);
        if !self.max_age.is_zero() && snapshot.may_cache() {
            match &mut answer {
                Answer::Session(session) => {
                    *session = session.clone().with_snapshot(snapshot);
                    if let Some((Some(ticket), _)) = held {
                        self.store(&key, ticket, session, next, snapshot).await;
                    }
                    // The browser's next request carries the renewed token. Cached under the old one alone, the session
                    // would be looked up each time.
                    for key in [Some(key), next].into_iter().flatten() {
                        self.remember(&key, session, snapshot);
                    }
                }
                Answer::Refused => {
                    let until = SystemTime::now() + REFUSED_FOR.min(self.max_age);
                    let clearing = Arc::clone(&cookies);
                    self.refused.insert(key, Refused { until, clearing, snapshot: snapshot.clone() });
                    self.forget(&key, held).await;
                }
                Answer::SignedOut => self.forget(&key, held).await,
            }
        }
        let renewed = (!cookies.is_empty()).then(|| Renewed {
            cookies,
            snapshot: snapshot.clone(),
            sent: key.session,
            next,
        });
        Found { answer, source: Source::Upstream, renewed }
    }

    /// Keeps a session in this process's memory.
    fn remember(&self, key: &TokenKey, session: &CachedSession, snapshot: &SessionSnapshot) {
        // A session that ends from here on is removed, or its snapshot tells it.
        if self.may_use_memory() && snapshot.is_current() {
            self.local.put(key.session, session.clone().for_token(key));
        }
    }

    /// Puts a session into the store, under its token and under the renewed one.
    async fn store(
        &self,
        key: &TokenKey,
        ticket: Ticket,
        session: &CachedSession,
        next: Option<TokenKey>,
        snapshot: &SessionSnapshot,
    ) {
        let Some(store) = &self.store else { return };
        let linked = |own: SessionKey| {
            let newest = [Some(key.session), next.map(|next| next.session)].into_iter().flatten();
            let mut keys: Vec<_> = snapshot.keys();
            keys.retain(|key| *key != own && newest.clone().all(|newest| newest != *key));
            keys.extend(newest.filter(|newest| *newest != own));
            keys
        };
        // The ticket of the renewed token is taken before the first session is put. A sign-out by the old token from
        // then on ends the renewed one too, and makes this ticket invalid.
        let next = match next {
            Some(next) => store.get(&next).await.ticket.map(|ticket| (next, ticket)),
            None => None,
        };
        let tickets = [Some((*key, ticket)), next];
        for (key, ticket) in tickets.into_iter().flatten() {
            if !snapshot.is_current() {
                return;
            }
            store.put(&key, ticket, session, linked(key.session), self.max_age_in_outage).await;
        }
    }

    /// Forgets a session that the upstream does not know any more.
    async fn forget(&self, key: &TokenKey, held: Option<(Option<Ticket>, bool)>) {
        self.local.remove(&[key.session]);
        // Only if the store had a session for this exact token: anyone can send a token that the upstream refuses.
        if let (Some(store), Some((_, true))) = (&self.store, held) {
            store.end(vec![key.session], Duration::ZERO).await;
        }
    }
}

impl Refused {
    fn is_usable(&self, now: SystemTime) -> bool {
        now < self.until && self.snapshot.is_current()
    }
}

//! The session cache: finds a session in memory or the store, else by one lookup for all waiting requests (single flight).

mod single_flight;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use auth_proxy_rules::Settings;
use http::HeaderValue;
use quick_cache::sync::Cache;
use tokio::time::{Instant, timeout_at};

use self::single_flight::Lookups;
use self::store::Store;
pub use self::store::{SessionStore, StoreFuture};
use super::answer::{Answer, Found, LookedUp, Renewed, Source};
use super::cached::CachedSession;
use super::family::{End, Generation, TokenFamilies};
use super::key::{SessionKey, TokenKey};
use crate::error::{AuthError, Reason};

/// The longest time for which a refused token is cached. A flood of requests with one invalid token costs one lookup in
/// this time.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// The most refused tokens in the cache. They have a cache of their own, so that a flood of invalid tokens evicts no
/// session.
const MOST_REFUSED: usize = 1024;

/// The session cache of one proxy, its lookups under way, and its ended sessions.
pub(crate) struct Sessions {
    /// `session.cache`: how long a session is cached. Zero when the cache is off.
    cache_for: Duration,
    /// How long a session may be served in an outage: `session.cache` and `session.stale_if_error` together.
    stale_for: Duration,
    store: Store,
    refused: Cache<TokenKey, Refused>,
    lookups: Arc<Lookups>,
    families: TokenFamilies,
    /// Whether a stale session was served since the last lookup that succeeded.
    serves_stale: AtomicBool,
    /// `session.renew`, and when each token was last sent to a browser.
    issued: Option<(Duration, Cache<SessionKey, Instant>)>,
}

/// A token that the upstream refused, and the cookies that clear it in the browser.
#[derive(Clone)]
struct Refused {
    until: SystemTime,
    clearing: Arc<[HeaderValue]>,
    generation: Generation,
}

/// The result of looking for a token in the cache.
enum Cached {
    /// A cached result that may be used now.
    Fresh(Found),
    /// A session that may be used only in an outage.
    Stale(CachedSession),
    Nothing,
}

impl Sessions {
    pub(crate) fn new(settings: &Settings, custom_store: Option<Arc<dyn SessionStore>>) -> Self {
        let entries = usize::try_from(settings.cache_entries).unwrap_or(usize::MAX);
        Self {
            cache_for: settings.cache,
            stale_for: settings.cache.saturating_add(settings.stale_if_error),
            store: match custom_store {
                Some(store) => Store::custom(store, settings.timeout),
                None => Store::memory(settings.cache_entries),
            },
            refused: Cache::new(MOST_REFUSED),
            lookups: Arc::new(Lookups::new(settings.timeout)),
            families: TokenFamilies::default(),
            serves_stale: AtomicBool::new(false),
            issued: (!settings.renew.is_zero()).then(|| (settings.renew, Cache::new(entries))),
        }
    }

    /// Finds the session of a token: in the cache, or by a lookup. Requests for the same token share one lookup (single
    /// flight). The lookup continues when a waiting request is dropped. It has a deadline of its own; the request waits
    /// until `deadline`.
    ///
    /// # Errors
    /// The errors of the lookup, unless a stale session may be used in its place.
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
        let stale = match self.find_cached(&key).await {
            Cached::Fresh(found) => return Ok(found),
            Cached::Stale(session) => Some(session),
            Cached::Nothing => None,
        };
        let found = self.look_up(key, deadline, lookup).await;
        self.or_stale(found, stale)
    }

    /// Looks for a token in the cache.
    async fn find_cached(&self, key: &TokenKey) -> Cached {
        let cached = if self.cache_for.is_zero() { None } else { self.store.get(&key.session).await };
        let cached = cached.filter(|cached| cached.has_key(key) && !self.ended_after(key, cached));
        let now = SystemTime::now();
        match (cached, self.refused.get(key)) {
            (Some(cached), _) if cached.is_usable(now, self.cache_for) => {
                let answer = Answer::Session(cached);
                Cached::Fresh(Found { answer, source: Source::Memory, renewed: None })
            }
            (_, Some(refused)) if refused.is_usable(now) => {
                let Refused { clearing: cookies, generation, .. } = refused;
                let renewed = Some(Renewed { cookies, generation, sent: key.session, next: None });
                Cached::Fresh(Found { answer: Answer::Refused, source: Source::Memory, renewed })
            }
            (Some(cached), _) => Cached::Stale(cached),
            (None, _) => Cached::Nothing,
        }
    }

    /// Whether this instance ended the session after the lookup that put it into the app's own store. The store may still
    /// have it, because removing it may have failed.
    fn ended_after(&self, key: &TokenKey, cached: &CachedSession) -> bool {
        cached.asked_if_from_store().is_some_and(|asked| self.families.was_ended_since(&key.session, asked))
    }

    /// Joins the lookup of a token, or starts one.
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
        // Taken before the request is sent: a sign-in or sign-out from here on makes the result of the lookup outdated.
        let generation = self.families.generation(key.session);
        let sessions = Arc::clone(self);
        let found = self.lookups.join(key, &generation, deadline, || {
            let lookup = lookup()?;
            Ok(move |generation: Generation, deadline| async move {
                let found = lookup(deadline).await?;
                Ok(sessions.remember(key, found, &generation).await)
            })
        });
        timeout_at(deadline, found)
            .await
            .unwrap_or_else(|elapsed| Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)))
    }

    /// In an outage, returns the stale session in place of the error, within `session.stale_if_error`.
    fn or_stale(
        &self,
        found: Result<Found, AuthError>,
        stale: Option<CachedSession>,
    ) -> Result<Found, AuthError> {
        // The clock is read again: the session may have become too old while the lookup ran.
        match (found, stale) {
            (Err(error), Some(stale))
                if error.is_outage() && stale.is_usable(SystemTime::now(), self.stale_for) =>
            {
                // Logged once for each outage, not for each request.
                if !self.serves_stale.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        target: "auth_proxy::lookup",
                        code = error.code(),
                        "serving stale session: upstream unavailable"
                    );
                }
                let answer = Answer::Session(stale.stale());
                Ok(Found { answer, source: Source::Stale, renewed: None })
            }
            (found, _) => found,
        }
    }

    /// Ends a session: removes it from the cache, and makes the results of lookups under way outdated.
    pub(crate) async fn end(&self, key: SessionKey, end: End) {
        let keys = self.families.end(key, end);
        if !self.cache_for.is_zero() {
            self.store.remove(&keys).await;
        }
    }

    /// The current generation of a token's session. It is outdated once the session is ended.
    pub(crate) fn generation(&self, key: SessionKey) -> Generation {
        self.families.generation(key)
    }

    /// Records that a browser is sent a token that was renewed from an earlier one.
    pub(crate) fn renewed(&self, generation: &Generation, key: SessionKey) {
        self.families.renewed(generation, key);
        self.issued_now(key);
    }

    /// Records that a browser is sent a token now.
    pub(crate) fn issued_now(&self, key: SessionKey) {
        if let Some((_, issued)) = &self.issued {
            issued.insert(key, Instant::now());
        }
    }

    /// Whether the cookies of a lookup must be relayed to the browser. Cookies that clear the session always are. A renewed
    /// token is not while the browser's present token is younger than `session.renew`.
    pub(crate) fn is_worth_relaying(&self, renewed: &Renewed) -> bool {
        let (Some((after, issued)), Some(next)) = (&self.issued, &renewed.next) else { return true };
        let is_due = issued.get(&renewed.sent).is_none_or(|since| since.elapsed() >= *after);
        if is_due {
            issued.insert(next.session, Instant::now());
        }
        is_due
    }

    async fn remember(&self, key: TokenKey, found: LookedUp, generation: &Generation) -> Found {
        let LookedUp { mut answer, cookies, next } = found;
        self.serves_stale.store(false, Ordering::Relaxed);
        if let Some(next) = &next {
            self.families.renewed(generation, next.session);
        }
        if !self.cache_for.is_zero() && generation.may_remember() {
            match &mut answer {
                Answer::Session(session) => {
                    *session = session.clone().with_generation(generation);
                    // The browser's next request has the renewed token. A session cached only under the old token would
                    // be looked up again on every request.
                    for key in [Some(key), next].into_iter().flatten() {
                        self.store.put(key.session, session.clone().with_key(&key), self.stale_for).await;
                        if !generation.is_current() {
                            self.store.remove(&[key.session]).await;
                        }
                    }
                }
                Answer::Refused => {
                    let until = SystemTime::now() + REFUSED_FOR.min(self.cache_for);
                    let clearing = Arc::clone(&cookies);
                    self.refused.insert(key, Refused { until, clearing, generation: generation.clone() });
                    self.store.remove(&[key.session]).await;
                }
                Answer::SignedOut => self.store.remove(&[key.session]).await,
            }
        }
        let renewed = (!cookies.is_empty()).then(|| Renewed {
            cookies,
            generation: generation.clone(),
            sent: key.session,
            next,
        });
        Found { answer, source: Source::Upstream, renewed }
    }
}

impl Refused {
    fn is_usable(&self, now: SystemTime) -> bool {
        now < self.until && self.generation.is_current()
    }
}

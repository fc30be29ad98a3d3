//! The session cache: finds the session of a token in the cache, or by a lookup, and ends sessions.

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
use super::family::{End, SessionSnapshot, TokenFamilies};
use super::key::{SessionKey, TokenKey};
use crate::error::{AuthError, Reason};

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
    store: Store,
    refused: Cache<TokenKey, Refused>,
    lookups: Arc<Lookups>,
    families: TokenFamilies,
    /// Whether stale sessions were served since the last lookup that was answered.
    serves_stale: AtomicBool,
    /// With `session.renew`: that time, and when each token was last sent to a browser.
    issued: Option<(Duration, Cache<SessionKey, Instant>)>,
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
    pub(crate) fn new(settings: &Settings, custom: Option<Arc<dyn SessionStore>>) -> Self {
        let entries = usize::try_from(settings.cache_entries).unwrap_or(usize::MAX);
        let max_age_in_outage = settings.cache.saturating_add(settings.stale_if_error);
        // A session in this process's memory holds its family. One in the app's own store does not: if its removal
        // failed, only the memory of its end keeps it from being used again.
        let kept_for = if custom.is_some() { max_age_in_outage } else { Duration::ZERO };
        Self {
            max_age: settings.cache,
            max_age_in_outage,
            store: match custom {
                Some(store) => Store::custom(store, settings.timeout),
                None => Store::memory(settings.cache_entries),
            },
            refused: Cache::new(MAX_REFUSED),
            lookups: Arc::new(Lookups::new(settings.timeout)),
            families: TokenFamilies::kept_for(kept_for),
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
        let stale = match self.cached(&key).await {
            Cached::Fresh(found) => return Ok(found),
            Cached::Stale(session) => Some(session),
            Cached::Missing => None,
        };
        let found = self.look_up(key, deadline, lookup).await;
        self.or_stale(&key, found, stale)
    }

    /// What the cache holds for a token.
    async fn cached(&self, key: &TokenKey) -> Cached {
        let cached = if self.max_age.is_zero() { None } else { self.store.get(&key.session).await };
        let cached = cached.filter(|cached| cached.matches(key));
        let now = SystemTime::now();
        match (cached, self.refused.get(key)) {
            (Some(cached), _) if self.is_usable(key, &cached, self.max_age) => {
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

    /// Whether a cached session may be used now: it is young enough, not expired, and not ended.
    ///
    /// The snapshot of a session in the app's own store does not tell whether it was ended: it is missing, or that of
    /// another proxy of this process. The removal from that store may have failed too. So the families tell it.
    fn is_usable(&self, key: &TokenKey, cached: &CachedSession, max_age: Duration) -> bool {
        let was_ended =
            || self.store.is_custom() && self.families.was_ended_since(&key.session, cached.looked_up_at());
        cached.is_usable(SystemTime::now(), max_age) && !was_ended()
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
        // Taken before the upstream is asked: if the session is ended from here on, the answer is outdated.
        let snapshot = self.families.snapshot(key.session);
        let sessions = Arc::clone(self);
        let found = self.lookups.join(key, &snapshot, deadline, || {
            let lookup = lookup()?;
            Ok(move |snapshot: SessionSnapshot, deadline| async move {
                let found = lookup(deadline).await?;
                Ok(sessions.store_answer(key, found, &snapshot).await)
            })
        });
        timeout_at(deadline, found)
            .await
            .unwrap_or_else(|elapsed| Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)))
    }

    /// In an outage, replaces the error by the stale session, within `session.stale_if_error`.
    fn or_stale(
        &self,
        key: &TokenKey,
        found: Result<Found, AuthError>,
        stale: Option<CachedSession>,
    ) -> Result<Found, AuthError> {
        // Checked again, because the session may have become too old, or have ended, while the lookup ran.
        match (found, stale) {
            (Err(error), Some(stale))
                if error.is_outage() && self.is_usable(key, &stale, self.max_age_in_outage) =>
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
    /// sessions from the cache. The returned future waits for that, within the time limit of one call to the store. If
    /// it is dropped, the removal goes on.
    pub(crate) fn end(&self, tokens: &[SessionKey], end: End) -> impl Future<Output = ()> + use<> {
        let keys: Vec<_> = tokens.iter().flat_map(|token| self.families.end(*token, end)).collect();
        let is_caching = !self.max_age.is_zero();
        self.store.remove(if is_caching { &keys } else { &[] })
    }

    /// The present state of the session that a token belongs to.
    pub(crate) fn snapshot(&self, key: SessionKey) -> SessionSnapshot {
        self.families.snapshot(key)
    }

    /// Notes that a response gives the browser a token that was renewed from an earlier one.
    pub(crate) fn note_renewed(&self, snapshot: &SessionSnapshot, key: SessionKey) {
        self.families.add_renewed(snapshot, key);
        self.note_issued(key);
    }

    /// Notes that a response gives the browser the session cookies of a lookup.
    pub(crate) fn note_relayed(&self, renewed: &Renewed) {
        if let Some(next) = &renewed.next {
            self.families.add_renewed(&renewed.snapshot, next.session);
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

    /// Caches the answer of a lookup, unless the session was ended meanwhile.
    async fn store_answer(&self, key: TokenKey, found: LookedUp, snapshot: &SessionSnapshot) -> Found {
        let LookedUp { mut answer, cookies, next } = found;
        self.serves_stale.store(false, Ordering::Relaxed);
        if !self.max_age.is_zero() && snapshot.may_cache() {
            match &mut answer {
                Answer::Session(session) => {
                    *session = session.clone().with_snapshot(snapshot);
                    // The browser's next request carries the renewed token. Cached under the old one alone, the session
                    // would be looked up each time.
                    for key in [Some(key), next].into_iter().flatten() {
                        self.store
                            .put(key.session, session.clone().for_token(&key), self.max_age_in_outage)
                            .await;
                        if !snapshot.is_current() {
                            self.store.remove(&[key.session]).await;
                        }
                    }
                }
                Answer::Refused => {
                    let until = SystemTime::now() + REFUSED_FOR.min(self.max_age);
                    let clearing = Arc::clone(&cookies);
                    self.refused.insert(key, Refused { until, clearing, snapshot: snapshot.clone() });
                    self.store.remove(&[key.session]).await;
                }
                Answer::SignedOut => self.store.remove(&[key.session]).await,
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
}

impl Refused {
    fn is_usable(&self, now: SystemTime) -> bool {
        now < self.until && self.snapshot.is_current()
    }
}

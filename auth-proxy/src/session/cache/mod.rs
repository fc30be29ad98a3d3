//! The session cache, and single flight: one lookup for all requests that ask for the same session at once.

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
use super::family::{End, Ticket, TokenFamilies};
use super::key::{SessionKey, TokenKey};
use crate::error::{AuthError, Reason};

/// How long a refused token is refused without asking again, at most. A flood of one invalid token costs one lookup in
/// this time.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// Refused tokens that are cached. They are kept apart from the sessions, so that a flood of invalid tokens evicts no
/// session.
const MOST_REFUSED: usize = 1024;

/// The sessions of one proxy.
pub(crate) struct Sessions {
    /// `session.cache`; zero when it is off.
    keep: Duration,
    keep_in_trouble: Duration,
    store: Store,
    refused: Cache<TokenKey, Refused>,
    lookups: Arc<Lookups>,
    families: TokenFamilies,
    /// Whether stale sessions were served since the last lookup that was answered.
    serves_stale: AtomicBool,
    /// When browsers were given their tokens, for `session.renew`.
    given: Option<(Duration, Cache<SessionKey, Instant>)>,
}

/// A token that the upstream refused, and the cookies that clear it in the browser.
#[derive(Clone)]
struct Refused {
    until: SystemTime,
    clearing: Arc<[HeaderValue]>,
    ticket: Ticket,
}

/// What the cache has for a token.
enum Recalled {
    /// An answer that may be used.
    Fresh(Found),
    /// A session that may be used in an outage.
    Stale(CachedSession),
    Nothing,
}

impl Sessions {
    pub(crate) fn new(settings: &Settings, given: Option<Arc<dyn SessionStore>>) -> Self {
        let entries = usize::try_from(settings.cache_entries).unwrap_or(usize::MAX);
        Self {
            keep: settings.cache,
            keep_in_trouble: settings.cache.saturating_add(settings.stale_if_error),
            store: match given {
                Some(store) => Store::given(store, settings.timeout),
                None => Store::memory(settings.cache_entries),
            },
            refused: Cache::new(MOST_REFUSED),
            lookups: Arc::new(Lookups::new(settings.timeout)),
            families: TokenFamilies::default(),
            serves_stale: AtomicBool::new(false),
            given: (!settings.renew.is_zero()).then(|| (settings.renew, Cache::new(entries))),
        }
    }

    /// The answer for a token: cached, or from a lookup. Requests for the same token share one lookup (single flight). The
    /// lookup goes on when a request that waits for it is dropped. It has a deadline of its own; the request waits until
    /// `deadline`.
    ///
    /// # Errors
    /// Those of the lookup, when no stale session may be used in its place.
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
        let stale = match self.recall(&key).await {
            Recalled::Fresh(found) => return Ok(found),
            Recalled::Stale(session) => Some(session),
            Recalled::Nothing => None,
        };
        let found = self.look_up(key, deadline, lookup).await;
        self.or_stale(found, stale)
    }

    /// What the cache has for a token.
    async fn recall(&self, key: &TokenKey) -> Recalled {
        let cached = if self.keep.is_zero() { None } else { self.store.get(&key.session).await };
        let cached = cached.filter(|cached| cached.is_of(key) && !self.ended_after(key, cached));
        let now = SystemTime::now();
        match (cached, self.refused.get(key)) {
            (Some(cached), _) if cached.is_good(now, self.keep) => {
                let answer = Answer::Session(cached);
                Recalled::Fresh(Found { answer, source: Source::Memory, renewed: None })
            }
            (_, Some(refused)) if refused.is_good(now) => {
                let Refused { clearing: cookies, ticket, .. } = refused;
                let renewed = Some(Renewed { cookies, ticket, sent: key.session, next: None });
                Recalled::Fresh(Found { answer: Answer::Refused, source: Source::Memory, renewed })
            }
            (Some(cached), _) => Recalled::Stale(cached),
            (None, _) => Recalled::Nothing,
        }
    }

    /// Whether the session was ended here after it was put into a store of the app's own: the store may not know.
    fn ended_after(&self, key: &TokenKey, cached: &CachedSession) -> bool {
        cached.asked_by_store().is_some_and(|asked| self.families.was_ended_since(&key.session, asked))
    }

    /// Joins the lookup of a token, or begins it.
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
        // Taken before the upstream is asked: whatever ends the session from here on makes the answer outdated.
        let ticket = self.families.of(key.session);
        let sessions = Arc::clone(self);
        let found = self.lookups.join(key, &ticket, deadline, || {
            let lookup = lookup()?;
            Ok(move |ticket: Ticket, deadline| async move {
                let found = lookup(deadline).await?;
                Ok(sessions.remember(key, found, &ticket).await)
            })
        });
        timeout_at(deadline, found)
            .await
            .unwrap_or_else(|elapsed| Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)))
    }

    /// In an outage, the stale session in place of the error, within `session.stale_if_error`.
    fn or_stale(
        &self,
        found: Result<Found, AuthError>,
        stale: Option<CachedSession>,
    ) -> Result<Found, AuthError> {
        // The clock is read again: the session may have become too old while the lookup ran.
        match (found, stale) {
            (Err(error), Some(stale))
                if error.is_outage() && stale.is_good(SystemTime::now(), self.keep_in_trouble) =>
            {
                // Once in an outage, not for each request.
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

    /// Ends a session: removes it from the cache, and makes the answers of lookups under way outdated.
    pub(crate) async fn end(&self, key: SessionKey, end: End) {
        let keys = self.families.end(key, end);
        if !self.keep.is_zero() {
            self.store.remove(&keys).await;
        }
    }

    /// The session of a token as of now. The ticket is outdated once the session is ended.
    pub(crate) fn ticket(&self, key: SessionKey) -> Ticket {
        self.families.of(key)
    }

    /// Notes that a browser is given a token, renewed from an earlier one.
    pub(crate) fn renewed(&self, ticket: &Ticket, key: SessionKey) {
        self.families.renewed(ticket, key);
        self.given_now(key);
    }

    /// Notes that a browser is given a token.
    pub(crate) fn given_now(&self, key: SessionKey) {
        if let Some((_, given)) = &self.given {
            given.insert(key, Instant::now());
        }
    }

    /// Whether cookies of a lookup are to reach the browser: those that clear the session always, a renewed token
    /// unless the browser was given the one that it has a short time ago (`session.renew`).
    pub(crate) fn is_worth_relaying(&self, renewed: &Renewed) -> bool {
        let (Some((after, given)), Some(next)) = (&self.given, &renewed.next) else { return true };
        let is_due = given.get(&renewed.sent).is_none_or(|since| since.elapsed() >= *after);
        if is_due {
            given.insert(next.session, Instant::now());
        }
        is_due
    }

    async fn remember(&self, key: TokenKey, found: LookedUp, ticket: &Ticket) -> Found {
        let LookedUp { mut answer, cookies, next } = found;
        self.serves_stale.store(false, Ordering::Relaxed);
        if let Some(next) = &next {
            self.families.renewed(ticket, next.session);
        }
        if !self.keep.is_zero() && ticket.may_remember() {
            match &mut answer {
                Answer::Session(session) => {
                    *session = session.clone().until(ticket);
                    // The browser comes back with the renewed token: cached under the old one alone, the session would
                    // be looked up each time.
                    for key in [Some(key), next].into_iter().flatten() {
                        self.store.put(key.session, session.clone().of(&key), self.keep_in_trouble).await;
                        if !ticket.is_current() {
                            self.store.remove(&[key.session]).await;
                        }
                    }
                }
                Answer::Refused => {
                    let until = SystemTime::now() + REFUSED_FOR.min(self.keep);
                    let clearing = Arc::clone(&cookies);
                    self.refused.insert(key, Refused { until, clearing, ticket: ticket.clone() });
                    self.store.remove(&[key.session]).await;
                }
                Answer::SignedOut => self.store.remove(&[key.session]).await,
            }
        }
        let renewed = (!cookies.is_empty()).then(|| Renewed {
            cookies,
            ticket: ticket.clone(),
            sent: key.session,
            next,
        });
        Found { answer, source: Source::Upstream, renewed }
    }
}

impl Refused {
    fn is_good(&self, now: SystemTime) -> bool {
        now < self.until && self.ticket.is_current()
    }
}

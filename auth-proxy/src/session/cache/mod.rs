//! What keeps lookups away from the upstream: sessions that are remembered for a while, and one lookup
//! for all who ask for the same session at once.

mod flight;
mod store;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_proxy_rules::Settings;
use http::HeaderValue;
use quick_cache::sync::Cache;
use tokio::time::{Instant, timeout_at};

use self::flight::{Flight, Flights};
use self::store::Store;
pub use self::store::{SessionStore, StoreFuture};
use super::answer::{Answer, Found, LookedUp, Renewed, Source};
use super::cached::CachedSession;
use super::key::{SessionKey, TokenKey};
use super::lineage::{End, Lineages, Ticket};
use crate::error::{AuthError, Reason};

/// How long a token that the upstream refused is refused without asking again, at most: a flood of one
/// bad token costs a call every so often.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// Refused tokens that are remembered. Apart from the sessions, so that a flood of bad tokens makes no
/// good one forgotten.
const MOST_REFUSED: usize = 1024;

/// The sessions of one proxy.
pub(crate) struct Sessions {
    /// Zero where nothing is remembered.
    keep: Duration,
    keep_in_trouble: Duration,
    store: Store,
    refused: Cache<TokenKey, Refused>,
    flights: Arc<Flights>,
    lineages: Lineages,
    /// When browsers were given their tokens, where `session.renew` wants to know.
    given: Option<(Duration, Cache<SessionKey, Instant>)>,
}

/// A token that the upstream refused, and the cookies that take it from the browser.
#[derive(Clone)]
struct Refused {
    until: SystemTime,
    clearing: Arc<[HeaderValue]>,
    ticket: Ticket,
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
            flights: Arc::new(Flights::new(settings.timeout)),
            lineages: Lineages::default(),
            given: (!settings.renew.is_zero()).then(|| (settings.renew, Cache::new(entries))),
        }
    }

    /// What is known of a token: remembered, or found out by a lookup, which everybody who asks for the
    /// same token in the meantime shares. A caller that goes away takes nothing from the others, and waits
    /// until this deadline, while the lookup has one of its own.
    ///
    /// # Errors
    /// Those of the lookup, where no older answer may be used in its place.
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
        let remembered = if self.keep.is_zero() { None } else { self.store.get(&key.session).await };
        // What a store of the app's own keeps does not know of an end that the store was not told of, or missed.
        let is_over = |cached: &CachedSession| {
            cached.asked_by_store().is_some_and(|asked| self.lineages.was_ended_since(&key.session, asked))
        };
        let remembered = remembered.filter(|cached| cached.is_of(&key) && !is_over(cached));
        let now = SystemTime::now();
        if let Some(cached) = remembered.as_ref().filter(|cached| cached.is_good(now, self.keep)) {
            let answer = Answer::Session(cached.clone());
            return Ok(Found { answer, source: Source::Memory, renewed: None });
        }
        if let Some(refused) = self.refused.get(&key).filter(|refused| refused.is_good(now)) {
            let renewed =
                Renewed { cookies: refused.clearing, ticket: refused.ticket, sent: key.session, next: None };
            return Ok(Found { answer: Answer::Refused, source: Source::Memory, renewed: Some(renewed) });
        }
        // Before anything is found out: what ends the session from here on makes it out of date.
        let ticket = self.lineages.of(key.session);
        let sessions = Arc::clone(self);
        let found = self.flights.join(key, &ticket, deadline, || {
            let lookup = lookup()?;
            Ok(move |flight: Arc<Flight>, deadline| async move {
                let found = lookup(deadline).await?;
                Ok(sessions.remember(key, found, &flight.ticket).await)
            })
        });
        let found = timeout_at(deadline, found)
            .await
            .unwrap_or_else(|elapsed| Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)));
        // Its time may have come while nobody answered.
        let now = SystemTime::now();
        match (found, remembered) {
            (Err(error), Some(cached)) if error.is_outage() && cached.is_good(now, self.keep_in_trouble) => {
                tracing::warn!(code = error.code(), "serving stale session: upstream unavailable");
                let answer = Answer::Session(cached.stale());
                Ok(Found { answer, source: Source::Stale, renewed: None })
            }
            (found, _) => found,
        }
    }

    /// Ends what is known of a session, at once, and what lookups that are under way will find out about it.
    pub(crate) async fn end(&self, key: SessionKey, end: End) {
        let keys = self.lineages.end(key, end);
        if !self.keep.is_zero() {
            self.store.remove(&keys).await;
        }
    }

    /// The session of a token as of now: out of date once it is ended.
    pub(crate) fn ticket(&self, key: SessionKey) -> Ticket {
        self.lineages.of(key)
    }

    /// Notes that a browser is given a token, renewed from an earlier one.
    pub(crate) fn renewed(&self, ticket: &Ticket, key: SessionKey) {
        self.lineages.renewed(ticket, key);
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
        if let Some(next) = &next {
            self.lineages.renewed(ticket, next.session);
        }
        if !self.keep.is_zero() && ticket.may_remember() {
            match &mut answer {
                Answer::Session(session) => {
                    *session = session.clone().until(ticket);
                    // The browser comes back with the renewed token. Known by its old one alone, every
                    // answer would make the next lookup necessary.
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

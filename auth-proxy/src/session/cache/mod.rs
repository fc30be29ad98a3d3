//! What keeps lookups away from the upstream: sessions that are remembered for a while, and one lookup
//! for all who ask for the same session at once.

mod cached;
mod eviction;
mod flight;
mod store;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_proxy_rules::Settings;
use http::HeaderValue;
use quick_cache::sync::Cache;
use tokio::time::{Instant, timeout_at};

pub use self::cached::CachedSession;
pub(crate) use self::eviction::Eviction;
use self::flight::{Flight, Flights};
use self::store::Store;
pub use self::store::{SessionKey, SessionStore, StoreFuture};
use super::wire::Answer;
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
    refused: Cache<SessionKey, Refused>,
    flights: Arc<Flights>,
}

/// A token that the upstream refused, and the cookies that take it from the browser.
#[derive(Clone)]
struct Refused {
    until: SystemTime,
    clearing: Arc<[HeaderValue]>,
}

/// What is known of a token.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) answer: Answer,
    /// The session cookies that the upstream set or cleared. Everybody who waited for the lookup gets
    /// them; who is answered from memory does not, save that a refused token is cleared every time.
    pub(super) renewed: Arc<[HeaderValue]>,
    /// The token that those cookies hold.
    pub(super) next: Option<SessionKey>,
}

impl Found {
    fn remembered(answer: Answer, renewed: Arc<[HeaderValue]>) -> Self {
        Self { answer, renewed, next: None }
    }
}

impl Sessions {
    pub(crate) fn new(settings: &Settings, given: Option<Arc<dyn SessionStore>>) -> Self {
        Self {
            keep: settings.cache,
            keep_in_trouble: settings.cache.saturating_add(settings.stale_if_error),
            store: match given {
                Some(store) => Store::given(store, settings.timeout),
                None => Store::memory(settings.cache_entries),
            },
            refused: Cache::new(MOST_REFUSED),
            flights: Arc::new(Flights::new(settings.concurrency, settings.queue, settings.timeout)),
        }
    }

    /// What is known of a token: remembered, or found out by a lookup, which everybody who asks for the
    /// same token in the meantime shares. A caller that goes away takes nothing from the others, and waits
    /// until this deadline, while the lookup has one of its own.
    ///
    /// # Errors
    /// Those of the lookup, where no older answer may be used in its place.
    pub(super) async fn find<B, L>(
        self: &Arc<Self>,
        token: &str,
        deadline: Instant,
        lookup: impl FnOnce() -> Result<B, AuthError>,
    ) -> Result<Found, AuthError>
    where
        B: FnOnce(Instant) -> L + Send + 'static,
        L: Future<Output = Result<Found, AuthError>> + Send + 'static,
    {
        let key = SessionKey::of(token);
        let remembered = if self.keep.is_zero() { None } else { self.store.get(&key).await };
        let now = SystemTime::now();
        if let Some(cached) = remembered.as_ref().filter(|cached| cached.is_good(now, self.keep)) {
            return Ok(Found::remembered(Answer::Session(cached.clone()), Arc::default()));
        }
        if let Some(refused) = self.refused.get(&key).filter(|refused| now < refused.until) {
            return Ok(Found::remembered(Answer::Refused, refused.clearing));
        }
        let sessions = Arc::clone(self);
        let found = self.flights.join(key, || {
            let lookup = lookup()?;
            Ok(move |flight: Arc<Flight>, deadline| async move {
                let mut found = lookup(deadline).await?;
                sessions.remember(key, &found, &flight).await;
                if flight.is_overtaken() {
                    // A session that was renewed while its visitor signed out would sign them in again.
                    found.renewed = Arc::default();
                }
                Ok(found)
            })
        });
        let found = timeout_at(deadline, found)
            .await
            .unwrap_or_else(|elapsed| Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)));
        // Its time may have come while nobody answered.
        let now = SystemTime::now();
        match (found, remembered) {
            (Err(error), Some(cached))
                if error.is_unavailable() && cached.is_good(now, self.keep_in_trouble) =>
            {
                tracing::warn!(code = error.code(), "a session that was remembered is used: nobody can tell");
                Ok(Found::remembered(Answer::Session(cached.stale()), Arc::default()))
            }
            (found, _) => found,
        }
    }

    /// Forgets a token, at once, and what a lookup that is under way will find out about it.
    async fn forget(&self, key: &SessionKey) {
        self.flights.overtake(key);
        self.refused.remove(key);
        if !self.keep.is_zero() {
            self.store.remove(key).await;
        }
    }

    async fn remember(&self, key: SessionKey, found: &Found, flight: &Flight) {
        if self.keep.is_zero() || flight.is_overtaken() {
            return;
        }
        match &found.answer {
            Answer::Session(session) => {
                // The browser comes back with the renewed token. Known by its old one alone, every
                // answer would make the next lookup necessary.
                for key in [Some(key), found.next].into_iter().flatten() {
                    self.store.put(key, session.clone(), self.keep_in_trouble).await;
                    if flight.is_overtaken() {
                        self.store.remove(&key).await;
                        session.end();
                    }
                }
            }
            Answer::Refused => {
                let until = SystemTime::now() + REFUSED_FOR.min(self.keep);
                self.refused.insert(key, Refused { until, clearing: Arc::clone(&found.renewed) });
                self.store.remove(&key).await;
            }
            Answer::SignedOut => self.store.remove(&key).await,
        }
    }
}

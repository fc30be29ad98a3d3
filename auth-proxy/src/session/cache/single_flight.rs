//! Single flight: one lookup for all requests that need the session of the same token at the same time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::error::{AuthError, Reason};
use crate::session::answer::Found;
use crate::session::family::SessionSnapshot;
use crate::session::key::TokenKey;
use crate::telemetry::joined_lookup;

type Outcome = Result<Found, AuthError>;

/// The lookups under way, at most one for each token.
pub(super) struct Lookups {
    under_way: Mutex<HashMap<TokenKey, Arc<Lookup>>>,
    timeout: Duration,
}

/// A lookup under way.
struct Lookup {
    outcome: watch::Receiver<Option<Outcome>>,
    /// Once the session is ended, later requests start a new lookup. Requests that joined before still get the outcome.
    snapshot: SessionSnapshot,
}

impl Lookups {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { under_way: Mutex::default(), timeout }
    }

    /// Waits for the lookup of a token. Starts one with `make` unless it is under way and `may_join`. Its deadline is a
    /// little before the first request's `deadline`, so that this request still gets the error of the lookup.
    ///
    /// The lookup runs in its own task, so it continues for the others when one request is dropped.
    ///
    /// # Errors
    /// The error of the lookup, or of `make`.
    pub(super) async fn join<B, L>(
        self: &Arc<Self>,
        key: TokenKey,
        snapshot: &SessionSnapshot,
        may_join: bool,
        deadline: Instant,
        make: impl FnOnce() -> Result<B, AuthError>,
    ) -> Outcome
    where
        B: FnOnce(SessionSnapshot, Instant) -> L + Send + 'static,
        L: Future<Output = Outcome> + Send + 'static,
    {
        let under_way = self.under_way().get(&key).map(Arc::clone);
        let lookup = match under_way.filter(|lookup| may_join && lookup.snapshot.is_current()) {
            Some(lookup) => {
                joined_lookup();
                lookup
            }
            None => {
                // Before the lookup is registered: an error of this request must not fail the requests that join.
                let begin = make()?;
                self.start_or_join(key, snapshot, may_join, deadline, begin)
            }
        };
        let mut outcome = lookup.outcome.clone();
        let outcome = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        outcome
            .unwrap_or_else(|| Err(AuthError::new(Reason::UPSTREAM_FAILED).because("the lookup broke off")))
    }

    /// Starts a lookup. Joins the one that another request started meanwhile.
    fn start_or_join<B, L>(
        self: &Arc<Self>,
        key: TokenKey,
        snapshot: &SessionSnapshot,
        may_join: bool,
        deadline: Instant,
        begin: B,
    ) -> Arc<Lookup>
    where
        B: FnOnce(SessionSnapshot, Instant) -> L + Send + 'static,
        L: Future<Output = Outcome> + Send + 'static,
    {
        let (sender, outcome) = watch::channel(None);
        let lookup = Arc::new(Lookup { outcome, snapshot: snapshot.clone() });
        match self.under_way().entry(key) {
            Entry::Occupied(other) if may_join && other.get().snapshot.is_current() => {
                joined_lookup();
                return Arc::clone(other.get());
            }
            Entry::Occupied(mut other) => drop(other.insert(Arc::clone(&lookup))),
            Entry::Vacant(place) => drop(place.insert(Arc::clone(&lookup))),
        }
        let remove = RemoveOnDrop { lookups: Arc::clone(self), key, lookup: Arc::clone(&lookup) };
        let answer = begin(snapshot.clone(), deadline - self.timeout / 10);
        let lookup_task = async move {
            let outcome = answer.await;
            // The answer is in the cache now, so later requests find it there.
            drop(remove);
            sender.send_replace(Some(outcome));
        };
        tokio::spawn(lookup_task.in_current_span());
        lookup
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<TokenKey, Arc<Lookup>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a lookup from those under way when it is dropped, even if its task panics.
struct RemoveOnDrop {
    lookups: Arc<Lookups>,
    key: TokenKey,
    lookup: Arc<Lookup>,
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        let mut under_way = self.lookups.under_way();
        if under_way.get(&self.key).is_some_and(|lookup| Arc::ptr_eq(lookup, &self.lookup)) {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};
    use http::HeaderMap;

    use super::*;
    use crate::forwarded::ForwardedAs;
    use crate::session::family::TokenFamilies;
    use crate::session::key::{Keys, Sent};

    #[tokio::test]
    async fn error_before_the_lookup_starts_fails_only_its_own_request() {
        let lookups = Arc::new(Lookups::new(Duration::from_secs(1)));
        let mut draft = Draft::default();
        draft.set(OptionKey::BaseUrl, "http://auth.internal").unwrap();
        let keys = Keys::new(&draft.resolve().unwrap(), &HeaderMap::new()).unwrap();
        let forwarded = ForwardedAs { host: None, forwarded_host: None, scheme: "http" };
        let key = keys.token(&Sent { token: "a", companions: ["", ""], names: [None; 2], forwarded });
        let snapshot = TokenFamilies::default().snapshot(key.session);
        type Begin = fn(SessionSnapshot, Instant) -> std::future::Pending<Outcome>;
        let made = lookups.join(key, &snapshot, true, Instant::now(), || {
            assert!(lookups.under_way().is_empty(), "no request can have joined it");
            Err::<Begin, _>(AuthError::new(Reason::HOST_INVALID))
        });
        assert_eq!(made.await.err().unwrap().code(), "host_invalid");
        assert!(lookups.under_way().is_empty());
    }
}

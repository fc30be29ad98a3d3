//! Single flight: concurrent requests with the same token share one lookup at the upstream.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{AuthError, Reason};
use crate::session::answer::Found;
use crate::session::family::Generation;
use crate::session::key::TokenKey;

type Outcome = Result<Found, AuthError>;

/// The lookups under way, at most one for each token.
pub(super) struct Lookups {
    under_way: Mutex<HashMap<TokenKey, Arc<Lookup>>>,
    timeout: Duration,
}

/// A lookup under way.
struct Lookup {
    outcome: watch::Receiver<Option<Outcome>>,
    /// Outdated once the session was ended. Requests that joined before still get the outcome. Later requests start another
    /// lookup.
    generation: Generation,
}

impl Lookups {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { under_way: Mutex::default(), timeout }
    }

    /// Waits for the lookup of a token, and starts it unless it is under way. The lookup's deadline is a little before that
    /// of the request that starts it, so that this request still gets the lookup's error.
    ///
    /// The lookup runs in a task of its own: when one waiting request is dropped, the others still get the outcome.
    ///
    /// # Errors
    /// The errors of the lookup, and of `make`.
    pub(super) async fn join<B, L>(
        self: &Arc<Self>,
        key: TokenKey,
        generation: &Generation,
        deadline: Instant,
        make: impl FnOnce() -> Result<B, AuthError>,
    ) -> Outcome
    where
        B: FnOnce(Generation, Instant) -> L + Send + 'static,
        L: Future<Output = Outcome> + Send + 'static,
    {
        let under_way = self.under_way().get(&key).map(Arc::clone);
        let lookup = match under_way.filter(|lookup| lookup.generation.is_current()) {
            Some(lookup) => lookup,
            None => {
                // `make` runs before the lookup is registered: its error concerns this request alone, and must not fail
                // requests that join.
                let begin = make()?;
                self.start_or_join(key, generation, deadline, begin)
            }
        };
        let mut outcome = lookup.outcome.clone();
        let outcome = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        outcome
            .unwrap_or_else(|| Err(AuthError::new(Reason::UPSTREAM_FAILED).because("the lookup broke off")))
    }

    /// Starts a lookup, unless another request started one meanwhile.
    fn start_or_join<B, L>(
        self: &Arc<Self>,
        key: TokenKey,
        generation: &Generation,
        deadline: Instant,
        begin: B,
    ) -> Arc<Lookup>
    where
        B: FnOnce(Generation, Instant) -> L + Send + 'static,
        L: Future<Output = Outcome> + Send + 'static,
    {
        let (sender, outcome) = watch::channel(None);
        let lookup = Arc::new(Lookup { outcome, generation: generation.clone() });
        match self.under_way().entry(key) {
            Entry::Occupied(other) if other.get().generation.is_current() => return Arc::clone(other.get()),
            Entry::Occupied(mut other) => drop(other.insert(Arc::clone(&lookup))),
            Entry::Vacant(place) => drop(place.insert(Arc::clone(&lookup))),
        }
        let remove = RemoveOnDrop { lookups: Arc::clone(self), key, lookup: Arc::clone(&lookup) };
        let answer = begin(generation.clone(), deadline - self.timeout / 20);
        tokio::spawn(async move {
            let outcome = answer.await;
            // The result is in the cache now, where later requests find it.
            drop(remove);
            sender.send_replace(Some(outcome));
        });
        lookup
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<TokenKey, Arc<Lookup>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a lookup from [`Lookups`] when its task ends, also by a panic.
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
    use crate::session::key::Keys;

    #[tokio::test]
    async fn error_in_building_a_lookup_does_not_fail_other_requests() {
        let lookups = Arc::new(Lookups::new(Duration::from_secs(1)));
        let mut draft = Draft::default();
        draft.set(OptionKey::BaseUrl, "http://auth.internal").unwrap();
        let keys = Keys::new(&draft.resolve().unwrap(), &HeaderMap::new());
        let forwarded_as = ForwardedAs { host: None, forwarded_host: None, scheme: "http" };
        let key = keys.token("a", std::iter::empty(), &forwarded_as);
        let generation = TokenFamilies::default().generation(key.session);
        type Begin = fn(Generation, Instant) -> std::future::Pending<Outcome>;
        let made = lookups.join(key, &generation, Instant::now(), || {
            assert!(lookups.under_way().is_empty(), "the lookup must not be registered before it is built");
            Err::<Begin, _>(AuthError::new(Reason::HOST_INVALID))
        });
        assert_eq!(made.await.err().unwrap().code(), "host_invalid");
        assert!(lookups.under_way().is_empty());
    }
}

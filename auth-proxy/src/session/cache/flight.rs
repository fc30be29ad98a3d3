use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{AuthError, Reason};
use crate::session::answer::Found;
use crate::session::key::TokenKey;
use crate::session::lineage::Ticket;

type Outcome = Result<Found, AuthError>;

/// The lookups that are under way: one for a token, however many ask for it (single flight).
pub(super) struct Flights {
    under_way: Mutex<HashMap<TokenKey, Arc<Flight>>>,
    timeout: Duration,
}

/// A lookup that is under way.
pub(super) struct Flight {
    outcome: watch::Receiver<Option<Outcome>>,
    /// Out of date once the session was ended: what the lookup finds out holds for those who asked before, and who asks
    /// from then on begins another.
    pub(super) ticket: Ticket,
}

impl Flights {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { under_way: Mutex::default(), timeout }
    }

    /// Waits for the lookup of a token, which is begun unless it is under way. It ends a little before this deadline of its
    /// first caller, who is to learn how.
    ///
    /// It runs by itself, so that a caller who goes away does not end it for the others.
    ///
    /// # Errors
    /// Those of the lookup, and of making it.
    pub(super) async fn join<B, L>(
        self: &Arc<Self>,
        key: TokenKey,
        ticket: &Ticket,
        deadline: Instant,
        make: impl FnOnce() -> Result<B, AuthError>,
    ) -> Outcome
    where
        B: FnOnce(Arc<Flight>, Instant) -> L + Send + 'static,
        L: Future<Output = Outcome> + Send + 'static,
    {
        let under_way = self.under_way().get(&key).map(Arc::clone);
        let flight = match under_way.filter(|flight| flight.ticket.is_current()) {
            Some(flight) => flight,
            None => {
                // Before anybody else relies on it: what one request lacks is not for others to bear.
                let begin = make()?;
                self.board(key, ticket, deadline, begin)
            }
        };
        let mut outcome = flight.outcome.clone();
        let landed = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        landed.unwrap_or_else(|| Err(AuthError::new(Reason::UPSTREAM_FAILED).because("the lookup broke off")))
    }

    /// The flight of a token: this one, unless another was quicker.
    fn board<B, L>(
        self: &Arc<Self>,
        key: TokenKey,
        ticket: &Ticket,
        deadline: Instant,
        begin: B,
    ) -> Arc<Flight>
    where
        B: FnOnce(Arc<Flight>, Instant) -> L + Send + 'static,
        L: Future<Output = Outcome> + Send + 'static,
    {
        let (sender, outcome) = watch::channel(None);
        let flight = Arc::new(Flight { outcome, ticket: ticket.clone() });
        match self.under_way().entry(key) {
            Entry::Occupied(other) if other.get().ticket.is_current() => return Arc::clone(other.get()),
            Entry::Occupied(mut other) => drop(other.insert(Arc::clone(&flight))),
            Entry::Vacant(place) => drop(place.insert(Arc::clone(&flight))),
        }
        let landing = Landing { flights: Arc::clone(self), key, flight: Arc::clone(&flight) };
        let deadline = deadline - self.timeout / 20;
        let lookup = begin(Arc::clone(&flight), deadline);
        tokio::spawn(async move {
            let outcome = lookup.await;
            // Remembered by now: who comes after this finds it there.
            drop(landing);
            sender.send_replace(Some(outcome));
        });
        flight
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<TokenKey, Arc<Flight>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a flight off the board, however it ends.
struct Landing {
    flights: Arc<Flights>,
    key: TokenKey,
    flight: Arc<Flight>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way();
        if under_way.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, Opt};
    use http::HeaderMap;

    use super::*;
    use crate::forwarded::ForwardedAs;
    use crate::session::key::Keys;
    use crate::session::lineage::Lineages;

    /// Others may ask for the same token meanwhile, with requests that lack nothing.
    #[tokio::test]
    async fn a_lookup_that_cannot_be_made_is_nobody_elses() {
        let flights = Arc::new(Flights::new(Duration::from_secs(1)));
        let mut draft = Draft::default();
        draft.set(Opt::BaseUrl, "http://auth.internal").unwrap();
        let keys = Keys::new(&draft.resolve().unwrap(), &HeaderMap::new());
        let told = ForwardedAs { host: None, forwarded_host: None, scheme: "http" };
        let key = keys.token("a", std::iter::empty(), &told);
        let ticket = Lineages::default().of(key.session);
        type Begin = fn(Arc<Flight>, Instant) -> std::future::Pending<Outcome>;
        let made = flights.join(key, &ticket, Instant::now(), || {
            assert!(flights.under_way().is_empty(), "nobody can have joined it");
            Err::<Begin, _>(AuthError::new(Reason::HOST_INVALID))
        });
        assert_eq!(made.await.err().unwrap().code(), "host_invalid");
        assert!(flights.under_way().is_empty());
    }
}

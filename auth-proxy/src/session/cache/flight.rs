use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, timeout_at};

use crate::error::{AuthError, Reason};
use crate::session::answer::Found;
use crate::session::key::TokenKey;
use crate::session::lineage::Ticket;

type Outcome = Result<Found, AuthError>;

/// The lookups that are under way: one for a token, however many ask for it (single flight).
pub(super) struct Flights {
    under_way: Mutex<HashMap<TokenKey, Arc<Flight>>>,
    /// Lookups that may be at the upstream at once.
    slots: Semaphore,
    /// How many may wait for a slot, and how many do.
    queue: usize,
    waiting: AtomicUsize,
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
    pub(super) fn new(slots: u32, queue: u32, timeout: Duration) -> Self {
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            under_way: Mutex::default(),
            slots: Semaphore::new(number(slots).min(Semaphore::MAX_PERMITS)),
            queue: number(queue),
            waiting: AtomicUsize::new(0),
            timeout,
        }
    }

    /// Waits for the lookup of a token, which is begun unless it is under way. It ends a little before this deadline of its
    /// first caller, who is to learn how.
    ///
    /// It runs by itself, so that a caller who goes away does not end it for the others.
    ///
    /// # Errors
    /// Those of the lookup, and of making it; `upstream_overloaded` when it is not its turn within the
    /// timeout, or at once when too many wait already.
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
            let outcome = landing.flights.in_turn(deadline, lookup).await;
            // Remembered by now: who comes after this finds it there.
            drop(landing);
            sender.send_replace(Some(outcome));
        });
        flight
    }

    async fn in_turn(&self, deadline: Instant, lookup: impl Future<Output = Outcome>) -> Outcome {
        let _slot = match self.slots.try_acquire() {
            Ok(slot) => slot,
            // Whose turn comes with hardly any time left is not asked for: it would only seem that the
            // upstream is late.
            Err(_) => self.slot(deadline - self.timeout / 10).await?,
        };
        lookup.await
    }

    /// Waits in line for a slot. In a longer queue, callers would have given up before their turn.
    async fn slot(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, AuthError> {
        let overloaded = AuthError::new(Reason::UPSTREAM_OVERLOADED);
        let _line = Line::stand(&self.waiting, self.queue).ok_or_else(|| {
            let soon = Some(HeaderValue::from_static("1"));
            overloaded.clone().because("as many lookups wait as may").retry_after(soon)
        })?;
        let slot = timeout_at(deadline, self.slots.acquire()).await;
        let slot = slot.map_err(|elapsed| overloaded.clone().because(elapsed))?;
        slot.map_err(|closed| overloaded.because(closed))
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<TokenKey, Arc<Flight>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits.
struct Line<'w>(&'w AtomicUsize);

impl<'w> Line<'w> {
    /// `None` when so many wait already.
    fn stand(waiting: &'w AtomicUsize, most: usize) -> Option<Self> {
        let stood =
            waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < most).then(|| now + 1));
        stood.is_ok().then(|| Self(waiting))
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
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
    use auth_proxy_rules::{Draft, OptionKey};
    use http::HeaderMap;

    use super::*;
    use crate::forwarded::ForwardedAs;
    use crate::session::key::Keys;
    use crate::session::lineage::Lineages;

    /// Others may ask for the same token meanwhile, with requests that lack nothing.
    #[tokio::test]
    async fn a_lookup_that_cannot_be_made_is_nobody_elses() {
        let flights = Arc::new(Flights::new(1, 1, Duration::from_secs(1)));
        let mut draft = Draft::default();
        draft.set(OptionKey::BaseUrl, "http://auth.internal").unwrap();
        let keys = Keys::new(&draft.resolve().unwrap(), &HeaderMap::new());
        let told = ForwardedAs { host: None, forwarded_host: None, scheme: "http" };
        let key = keys.token("a", std::iter::empty(), &told);
        let ticket = Lineages::default().of(key.session);
        let none = |_, _| std::future::pending::<Outcome>();
        let made = flights.join(key, &ticket, Instant::now(), || {
            assert!(flights.under_way().is_empty(), "nobody can have joined it");
            if flights.queue == 1 { Err(AuthError::new(Reason::HOST_INVALID)) } else { Ok(none) }
        });
        assert_eq!(made.await.err().unwrap().code(), "host_invalid");
        assert!(flights.under_way().is_empty());
    }
}

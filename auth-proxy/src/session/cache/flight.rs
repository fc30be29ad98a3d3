use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, timeout_at};

use super::{Found, SessionKey};
use crate::error::{AuthError, Reason};

type Outcome = Result<Found, AuthError>;

/// The lookups that are under way: one for a token, however many ask for it (single flight).
pub(super) struct Flights {
    under_way: Mutex<HashMap<SessionKey, Arc<Flight>>>,
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
    /// Whether the token was used to sign in or out since the lookup began: what it finds out holds for
    /// those who asked before, and is not to be remembered.
    overtaken: AtomicBool,
}

impl Flight {
    pub(super) fn is_overtaken(&self) -> bool {
        self.overtaken.load(Ordering::Acquire)
    }
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

    /// Waits for the lookup of a token, which is begun unless it is under way.
    ///
    /// It runs by itself, so that a caller who goes away does not end it for the others.
    ///
    /// # Errors
    /// Those of the lookup; `upstream_overloaded` when it is not its turn within the timeout, or at once
    /// when too many wait already.
    pub(super) async fn join<L>(
        self: &Arc<Self>,
        key: SessionKey,
        begin: impl FnOnce(Arc<Flight>) -> Result<L, AuthError>,
    ) -> Outcome
    where
        L: Future<Output = Outcome> + Send + 'static,
    {
        let flight = match self.board(key) {
            (flight, None) => flight,
            (flight, Some(sender)) => {
                let landing = Landing { flights: Arc::clone(self), key, flight: Arc::clone(&flight) };
                let lookup = begin(Arc::clone(&flight))?;
                tokio::spawn(async move {
                    let outcome = landing.flights.in_turn(lookup).await;
                    // Remembered by now: who comes after this finds it there.
                    drop(landing);
                    sender.send_replace(Some(outcome));
                });
                flight
            }
        };
        let mut outcome = flight.outcome.clone();
        let landed = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        landed.unwrap_or_else(|| Err(AuthError::new(Reason::UPSTREAM_FAILED).because("the lookup broke off")))
    }

    /// The flight of a token, and the end to land it by for who has to begin it.
    fn board(&self, key: SessionKey) -> (Arc<Flight>, Option<watch::Sender<Option<Outcome>>>) {
        match self.under_way().entry(key) {
            Entry::Occupied(flight) => (Arc::clone(flight.get()), None),
            Entry::Vacant(place) => {
                let (sender, outcome) = watch::channel(None);
                let flight = Arc::new(Flight { outcome, overtaken: AtomicBool::new(false) });
                (Arc::clone(place.insert(flight)), Some(sender))
            }
        }
    }

    async fn in_turn(&self, lookup: impl Future<Output = Outcome>) -> Outcome {
        let deadline = Instant::now() + self.timeout;
        let _slot = match self.slots.try_acquire() {
            Ok(slot) => slot,
            Err(_) => self.slot(deadline).await?,
        };
        timeout_at(deadline, lookup)
            .await
            .map_err(|elapsed| AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed))?
    }

    /// Waits in line for a slot. A line that is too long would be of those who have left already, when it
    /// is their turn.
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

    /// Marks the lookup of a token, if one is under way: who asks from now on begins another.
    pub(super) fn overtake(&self, key: &SessionKey) {
        if let Some(flight) = self.under_way().remove(key) {
            flight.overtaken.store(true, Ordering::Release);
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<SessionKey, Arc<Flight>>> {
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
    key: SessionKey,
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

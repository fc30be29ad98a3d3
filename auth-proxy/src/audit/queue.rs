//! The events that wait for the observer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::event::Event;

/// The most events that wait.
pub(super) const CAPACITY: usize = 4096;

/// The places that events of any request do not take.
const RESERVED: usize = CAPACITY / 4;

/// The events that wait for the observer. Its lock is held for a few instructions only.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    /// How many events were put in.
    accepted: u64,
    /// How many were dropped since an event was taken out.
    dropped: u64,
    was_drop_logged: bool,
    is_closed: bool,
}

/// An event for the observer.
pub(super) struct Next {
    pub(super) event: Event,
    /// How many events were dropped.
    pub(super) dropped: u64,
}

impl Queue {
    /// Adds an event, or drops it if the queue is full.
    pub(super) fn push(&self, event: Event) {
        let places = if event.kind.any_client_can_cause_it() { CAPACITY - RESERVED } else { CAPACITY };
        let mut state = self.state();
        if state.events.len() < places {
            state.events.push_back(event);
            state.accepted += 1;
            drop(state);
            self.changed.notify_one();
            return;
        }
        state.dropped += 1;
        let is_first = !std::mem::replace(&mut state.was_drop_logged, true);
        drop(state);
        if is_first {
            tracing::warn!(
                target: "auth_proxy::audit",
                waiting = places,
                "the observer is too slow: audit events are dropped, and an event `dropped` says how many"
            );
        }
    }

    /// Waits for an event. `None` when the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<Next> {
        let mut state = self.state();
        loop {
            if let Some(event) = state.events.pop_front() {
                // Events are dropped only while others wait, so this is told before the queue is empty.
                return Some(Next { event, dropped: std::mem::take(&mut state.dropped) });
            }
            if state.is_closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many events were put in so far.
    pub(super) fn accepted(&self) -> u64 {
        self.state().accepted
    }

    /// No event follows.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::audit::event::EventKind;

    fn event(kind: EventKind) -> Event {
        Event { kind, at: SystemTime::now(), proxy: "Auth", subject: None, session: None, client: None }
    }

    #[test]
    fn flood_of_any_request_leaves_room_for_other_events() {
        let queue = Queue::default();
        for kind in [EventKind::CrossOriginRefused, EventKind::SignedOut] {
            (0..CAPACITY).for_each(|_| queue.push(event(kind.clone())));
        }
        for _ in 0..RESERVED + 5 {
            queue.push(event(EventKind::CircuitOpened));
        }
        queue.push(event(EventKind::CrossOriginRefused));
        queue.close();
        let delivered: Vec<Next> = std::iter::from_fn(|| queue.pop()).collect();
        let of = |kind| delivered.iter().filter(|next| next.event.kind == kind).count();
        assert_eq!(of(EventKind::CrossOriginRefused), CAPACITY - RESERVED);
        assert_eq!((of(EventKind::SignedOut), of(EventKind::CircuitOpened)), (0, RESERVED));
        let dropped: u64 = delivered.iter().map(|next| next.dropped).sum();
        assert_eq!(dropped, u64::try_from(CAPACITY + RESERVED + 5 + 1).unwrap());
        assert_eq!(queue.accepted(), u64::try_from(CAPACITY).unwrap());
    }
}

//! Bounds how many remembered sessions are held in a form that can be used at once, besides their text.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Something that holds memory which can be made again.
pub(super) trait Close {
    /// Drops that memory.
    fn close(&self);
}

/// The sessions that were opened last: read from their text into maps or into the app's type. When there are too many, the
/// one that was opened first is closed. Its next use reads its text again.
pub(super) struct Opened<T> {
    most: usize,
    queue: Mutex<VecDeque<Weak<T>>>,
}

impl<T: Close> Opened<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, queue: Mutex::default() }
    }

    /// Notes that a session was opened. It must have been closed before, so that each is in the queue once.
    pub(super) fn add(&self, session: &Arc<T>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(Arc::downgrade(session));
        // Sessions that are no longer remembered need no place. The oldest are in front.
        while queue.front().is_some_and(|first| first.strong_count() == 0) {
            queue.pop_front();
        }
        let first = if queue.len() > self.most { queue.pop_front() } else { None };
        drop(queue);
        if let Some(first) = first.and_then(|first| first.upgrade()) {
            first.close();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[derive(Default)]
    struct Session(AtomicBool);

    impl Close for Session {
        fn close(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn session_that_was_opened_first_is_closed() {
        let opened = Opened::new(2);
        let sessions: [Arc<Session>; 4] = Default::default();
        sessions.iter().for_each(|session| opened.add(session));
        assert_eq!(sessions.map(|session| session.0.load(Ordering::Relaxed)), [true, true, false, false]);
        assert_eq!(opened.len(), 2);
    }

    #[test]
    fn session_that_is_not_remembered_takes_no_place() {
        let opened = Opened::new(10);
        for _ in 0..100 {
            opened.add(&Arc::<Session>::default());
        }
        assert!(opened.len() <= 1);
    }
}

//! The messages that were accepted, so that each is accepted once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::identity::NameHash;
use super::signature::WINDOW;

/// The most messages that are remembered, which take less than 1 MiB. Only someone whose messages are accepted can add one.
const MOST: usize = 10_000;

/// The accepted messages of this process. Each is remembered until its time is no longer recent
/// ([`is_recent`](super::is_recent)): from then on it is refused anyway.
///
/// It is not shared with other instances, and forgets the oldest message when it is full. Then a message is accepted again,
/// which has no further effect: the same tokens are revoked.
pub(crate) struct SeenMessages {
    /// When each message may be forgotten, in seconds since the Unix epoch.
    until: Mutex<HashMap<NameHash, u64>>,
    most: usize,
}

/// A message that is being handled. It can be sent again if it is dropped before [`keep`](Self::keep).
#[must_use]
pub(crate) struct Handling<'s> {
    seen: &'s SeenMessages,
    message: Option<NameHash>,
}

impl Default for SeenMessages {
    fn default() -> Self {
        Self { until: Mutex::default(), most: MOST }
    }
}

impl SeenMessages {
    /// Begins to handle the message with this name and this time, at `now`. `None` if it was accepted before, or is being
    /// handled. All times are in seconds since the Unix epoch.
    pub(crate) fn begin(&self, message: NameHash, time: u64, now: u64) -> Option<Handling<'_>> {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.contains_key(&message) {
            return None;
        }
        if until.len() >= self.most {
            until.retain(|_, until| *until >= now);
        }
        if until.len() >= self.most {
            let oldest = until.iter().min_by_key(|(_, until)| **until).map(|(message, _)| *message);
            oldest.map(|oldest| until.remove(&oldest));
        }
        until.insert(message, time.saturating_add(WINDOW));
        Some(Handling { seen: self, message: Some(message) })
    }
}

impl Handling<'_> {
    /// The message was accepted.
    pub(crate) fn keep(mut self) {
        self.message = None;
    }
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        if let Some(message) = self.message {
            self.seen.until.lock().unwrap_or_else(PoisonError::into_inner).remove(&message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(seen: &SeenMessages, message: NameHash, time: u64, now: u64) -> bool {
        seen.begin(message, time, now).map(Handling::keep).is_some()
    }

    #[test]
    fn message_is_accepted_once_unless_it_was_not_handled() {
        let seen = SeenMessages::default();
        let first = seen.begin(1, 1000, 1000);
        assert!(first.is_some() && seen.begin(1, 1000, 1000).is_none(), "it is being handled");
        drop(first);
        assert!(accept(&seen, 1, 1000, 1000), "it was not accepted, so it can be sent again");
        assert!(!accept(&seen, 1, 1000, 1000) && !accept(&seen, 1, 1000, 1300));
        assert!(accept(&seen, 2, 1000, 1000));
    }

    #[test]
    fn memory_is_bounded_and_keeps_the_latest_messages() {
        let seen = SeenMessages { most: 3, ..SeenMessages::default() };
        for (message, time) in [(1, 1001), (2, 1000), (3, 1002), (4, 1003)] {
            assert!(accept(&seen, message, time, 1000));
        }
        let known = |message| seen.until.lock().unwrap().contains_key(&message);
        assert_eq!([1, 2, 3, 4].map(known), [true, false, true, true]);
        // 1 and 3 are no longer recent at 1303, so they leave first; 4 still is.
        assert!(accept(&seen, 5, 1303, 1303));
        assert_eq!([1, 3, 4, 5].map(known), [false, false, true, true]);
    }
}

//! The values that were added last, each once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// The values that were added last, each once, however often it was added.
pub(super) struct Recent<T> {
    /// A value that was added again keeps its place until it comes to the front.
    queue: VecDeque<(Instant, Arc<T>)>,
    /// When each value in the queue was last added, by its address.
    added_at: HashMap<usize, Instant>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), added_at: HashMap::new() }
    }
}

impl<T> Recent<T> {
    /// Adds a value. Drops those that were last added too long ago, or that are too many.
    pub(super) fn add(&mut self, value: Arc<T>, most: usize, kept_for: Duration) {
        let now = Instant::now();
        if self.added_at.insert(address(&value), now).is_none() {
            self.queue.push_back((now, value));
        }
        let is_too_old = |(since, _): &(Instant, Arc<T>)| now.duration_since(*since) > kept_for;
        while self.queue.len() > most || self.queue.front().is_some_and(is_too_old) {
            let Some((since, value)) = self.queue.pop_front() else { return };
            match self.added_at.get(&address(&value)) {
                Some(again) if *again > since => self.queue.push_back((*again, value)),
                _ => drop(self.added_at.remove(&address(&value))),
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.queue.len(), self.added_at.len());
        self.queue.len()
    }
}

/// The address of a value. No other value has it while the queue holds this one.
fn address<T>(value: &Arc<T>) -> usize {
    Arc::as_ptr(value).addr()
}

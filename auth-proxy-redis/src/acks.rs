//! Acknowledgements of sign-outs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::names::Instance;

#[derive(Debug, Default)]
pub(crate) struct Acks(Mutex<HashMap<u64, Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    acked: HashSet<Instance>,
    changed: Arc<Notify>,
}

impl Acks {
    /// Starts to collect the acknowledgements of a message, before it is published.
    pub(crate) fn collect(&self, number: u64) -> Collected<'_> {
        let changed = Arc::default();
        self.lock().insert(number, Waiting { acked: HashSet::new(), changed: Arc::clone(&changed) });
        Collected { acks: self, number, changed }
    }

    /// An acknowledgement came.
    pub(crate) fn add(&self, from: Instance, number: u64) {
        if let Some(waiting) = self.lock().get_mut(&number) {
            waiting.acked.insert(from);
            waiting.changed.notify_one();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(crate) struct Collected<'a> {
    acks: &'a Acks,
    number: u64,
    changed: Arc<Notify>,
}

impl Collected<'_> {
    /// Waits until as many instances have acknowledged as received the message, and each instance in `alive` has. An
    /// instance in `alive` that received nothing has lost its connection, but may not know it yet.
    pub(crate) async fn wait(&self, receivers: usize, alive: &[Instance]) {
        loop {
            let complete = self.acks.lock().get(&self.number).is_none_or(|waiting| {
                waiting.acked.len() >= receivers && alive.iter().all(|one| waiting.acked.contains(one))
            });
            if complete {
                return;
            }
            self.changed.notified().await;
        }
    }
}

impl Drop for Collected<'_> {
    fn drop(&mut self) {
        self.acks.lock().remove(&self.number);
    }
}

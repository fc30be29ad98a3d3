//! Finds the sessions that a token belongs to.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, RandomState};
use std::sync::{Arc, Weak};

use crate::fingerprint::IdentityHasher;
use crate::session::key::SessionKey;

/// A session that knows its tokens.
pub(super) trait HasTokens {
    /// Whether a token belongs to the session.
    fn has(&self, key: &SessionKey) -> bool;
}

/// The sessions by a hash of their tokens. The tokens themselves are in the sessions: a million of them are 32 MB.
pub(super) struct Index<T> {
    /// For each hash the session that was added first.
    first: HashMap<u64, Weak<T>, BuildHasherDefault<IdentityHasher>>,
    /// The others, in the order in which they were added. Almost every token belongs to one session.
    others: HashMap<u64, Vec<Weak<T>>, BuildHasherDefault<IdentityHasher>>,
    /// A keyed hash (SipHash). A client chooses its tokens, and with a hash without a key could make many of them collide.
    hasher: RandomState,
    /// When there are this many hashes, those of dropped sessions are removed.
    sweep_at: usize,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        let (first, others, hasher) = Default::default();
        Self { first, others, hasher, sweep_at: 0 }
    }
}

impl<T: HasTokens> Index<T> {
    /// Every session that a token belongs to. The one that was added first is the first.
    pub(super) fn get(&self, key: &SessionKey) -> Vec<Arc<T>> {
        let hash = self.hasher.hash_one(key);
        let known = self.first.get(&hash).into_iter().chain(self.others.get(&hash).into_iter().flatten());
        // Another token may have the same hash.
        known.filter_map(Weak::upgrade).filter(|family| family.has(key)).collect()
    }

    /// Adds a session of a token. Of more than `most`, the one that was added first is removed.
    pub(super) fn add(&mut self, key: &SessionKey, family: &Arc<T>, most: usize) {
        self.change(key, |known| {
            known.retain(|known| known.strong_count() > 0);
            if known.len() >= most {
                known.remove(0);
            }
            known.push(Arc::downgrade(family));
        });
        if self.first.len() >= self.sweep_at.max(1024) {
            let others = &mut self.others;
            others.retain(|_, others| others.iter().any(|known| known.strong_count() > 0));
            self.first.retain(|hash, known| known.strong_count() > 0 || others.contains_key(hash));
            self.sweep_at = 2 * self.first.len();
        }
    }

    /// Removes a session of a token.
    pub(super) fn remove(&mut self, key: &SessionKey, family: &Arc<T>) {
        self.change(key, |known| known.retain(|known| !std::ptr::eq(known.as_ptr(), Arc::as_ptr(family))));
    }

    /// Changes the sessions with the hash of a token.
    fn change(&mut self, key: &SessionKey, change: impl FnOnce(&mut Vec<Weak<T>>)) {
        let hash = self.hasher.hash_one(key);
        let mut known: Vec<_> = self.first.remove(&hash).into_iter().collect();
        known.extend(self.others.remove(&hash).into_iter().flatten());
        change(&mut known);
        let mut known = known.into_iter();
        if let Some(first) = known.next() {
            self.first.insert(hash, first);
        }
        if !known.as_slice().is_empty() {
            self.others.insert(hash, known.collect());
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }
}

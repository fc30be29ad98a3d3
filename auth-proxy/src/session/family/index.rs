//! Finds the sessions that a token belongs to.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Arc, Weak};

use super::{MAX_LINKED, TokenFamily};
use crate::session::key::SessionKey;

/// The sessions by a hash of their tokens. The tokens themselves are in the sessions: a million of them are 32 MB.
#[derive(Default)]
pub(super) struct Index {
    places: HashMap<u64, Place, BuildHasherDefault<Hashed>>,
    /// Hashes the keys with a secret of this process, so that nobody can choose tokens with the same hash.
    hasher: RandomState,
    /// When there are this many hashes, those of dropped sessions are removed.
    sweep_at: usize,
}

/// The sessions that were linked to the tokens with one hash, the oldest first.
enum Place {
    One(Weak<TokenFamily>),
    Many(Box<[Weak<TokenFamily>]>),
}

impl Index {
    /// Every session that a token belongs to, the oldest first.
    pub(super) fn get(&self, key: &SessionKey) -> Vec<Arc<TokenFamily>> {
        let known = self.places.get(&self.hasher.hash_one(key)).map_or(&[][..], Place::as_slice);
        // Another token may have the same hash.
        known.iter().filter_map(Weak::upgrade).filter(|family| family.inner().tokens.contains(key)).collect()
    }

    /// Adds a session of a token. Of more than `MAX_LINKED`, the oldest is removed.
    pub(super) fn add(&mut self, key: &SessionKey, family: &Arc<TokenFamily>) {
        let new = Place::One(Arc::downgrade(family));
        let place = self.places.entry(self.hasher.hash_one(key)).or_insert(Place::Many(Box::default()));
        let mut known = std::mem::replace(place, new).into_vec();
        known.retain(|known| known.strong_count() > 0);
        if !known.is_empty() {
            if known.len() >= MAX_LINKED {
                known.remove(0);
            }
            known.push(Arc::downgrade(family));
            *place = Place::Many(known.into());
        }
        if self.places.len() >= self.sweep_at.max(1024) {
            self.places.retain(|_, place| place.as_slice().iter().any(|known| known.strong_count() > 0));
            self.sweep_at = 2 * self.places.len();
        }
    }

    /// Removes a session of a token.
    pub(super) fn remove(&mut self, key: &SessionKey, family: &Arc<TokenFamily>) {
        let Some(place) = self.places.get_mut(&self.hasher.hash_one(key)) else { return };
        let mut known = std::mem::replace(place, Place::Many(Box::default())).into_vec();
        known.retain(|known| !std::ptr::eq(known.as_ptr(), Arc::as_ptr(family)));
        *place = Place::Many(known.into());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

impl Place {
    fn as_slice(&self) -> &[Weak<TokenFamily>] {
        match self {
            Self::One(known) => std::slice::from_ref(known),
            Self::Many(known) => known,
        }
    }

    fn into_vec(self) -> Vec<Weak<TokenFamily>> {
        match self {
            Self::One(known) => vec![known],
            Self::Many(known) => known.into_vec(),
        }
    }
}

/// The hash of a number that is a hash already: itself.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

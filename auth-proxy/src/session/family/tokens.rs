//! The tokens of one session.

use crate::session::key::SessionKey;

/// The tokens of one session, the newest last. Almost every session has one token, which needs no memory of its own.
pub(super) enum Tokens {
    One(SessionKey),
    Many(Vec<SessionKey>),
}

impl Tokens {
    pub(super) fn as_slice(&self) -> &[SessionKey] {
        match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Many(keys) => keys,
        }
    }

    pub(super) fn contains(&self, key: &SessionKey) -> bool {
        self.as_slice().contains(key)
    }

    /// Adds a token that it does not contain. Of more than `most`, the oldest is removed and returned.
    pub(super) fn push(&mut self, key: SessionKey, most: usize) -> Option<SessionKey> {
        match self {
            Self::One(first) => {
                *self = Self::Many(vec![*first, key]);
                None
            }
            Self::Many(keys) => {
                let oldest = (keys.len() >= most).then(|| keys.remove(0));
                keys.push(key);
                oldest
            }
        }
    }

    /// Makes a token the newest. Returns whether it is one of these.
    pub(super) fn renew(&mut self, key: &SessionKey) -> bool {
        let at = self.as_slice().iter().position(|known| known == key);
        if let (Self::Many(keys), Some(at)) = (self, at) {
            let key = keys.remove(at);
            keys.push(key);
        }
        at.is_some()
    }
}

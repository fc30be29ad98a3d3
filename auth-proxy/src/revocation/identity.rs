//! What the list of revoked tokens knows a token by.

use std::sync::atomic::AtomicU64;

/// The first 128 bits of a SHA-256 of a token, of a session's name, or of a user's id, each with a prefix of its own.
pub(crate) type NameHash = u128;

/// The most names of a token: two hashes of the token itself, its `jti` and its `sid`.
const MOST_NAMES: usize = 4;

/// What a token is known by. Computed once for each verified token.
pub(crate) struct Identity {
    /// The token itself, and the names of its session. Kept in place, which saves a cache miss for each token after each new
    /// entry of the list.
    names: [NameHash; MOST_NAMES],
    /// How many of the names there are.
    count: usize,
    /// The user, and when the token was issued (`iat`), in seconds since the Unix epoch. A token without `iat` counts as
    /// the oldest.
    pub(super) subject: Option<(NameHash, u64)>,
    /// The version of the list that does not have this token. Zero: it was not compared yet.
    pub(super) absent_in: AtomicU64,
}

impl Identity {
    /// An identity with these names, at most [`MOST_NAMES`].
    pub(crate) fn new(all: impl IntoIterator<Item = NameHash>, subject: Option<(NameHash, u64)>) -> Self {
        let mut names = [0; MOST_NAMES];
        let count = names.iter_mut().zip(all).map(|(place, name)| *place = name).count();
        Self { names, count, subject, absent_in: AtomicU64::new(0) }
    }

    pub(super) fn names(&self) -> &[NameHash] {
        self.names.get(..self.count).unwrap_or_default()
    }
}

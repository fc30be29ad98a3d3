//! What the list of revoked tokens knows a token by.

use std::sync::atomic::AtomicU64;

/// The first 128 bits of a SHA-256 of a token, of a session's name, or of a user's id, each with a prefix of its own.
pub(crate) type NameHash = u128;

/// What a token is known by. Computed once for each verified token.
pub(crate) struct Identity {
    /// The token itself, and the names of its session (`jti`, `sid`).
    pub(super) names: Vec<NameHash>,
    /// The user, and when the token was issued (`iat`), in seconds since the Unix epoch. A token without `iat` counts as
    /// the oldest.
    pub(super) subject: Option<(NameHash, u64)>,
    /// The version of the list that does not have this token. Zero: it was not compared yet.
    pub(super) absent_in: AtomicU64,
}

impl Identity {
    pub(crate) fn new(names: Vec<NameHash>, subject: Option<(NameHash, u64)>) -> Self {
        Self { names, subject, absent_in: AtomicU64::new(0) }
    }
}

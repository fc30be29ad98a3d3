//! Keys.

/// The key of a session. It must not tell the token: use a hash of it.
pub type Key = [u8; 32];

//! The options of the fake that only Better Auth has.

use std::time::Duration;

use crate::config::TokenFormat;

/// How long a session lasts unless configured (`docs/better-auth.md#cookie-names`).
pub(in crate::testing) const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Clone)]
pub(in crate::testing) struct Options {
    /// The format and the lifetime of the cookie cache, if it is on.
    pub(in crate::testing) cookie_cache: Option<(TokenFormat, Duration)>,
    /// A lookup extends a session that was extended this long ago.
    pub(in crate::testing) update_age: Duration,
    /// Origins beside the fake's own, with `*` for any text.
    pub(in crate::testing) trusted_origins: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { cookie_cache: None, update_age: Duration::from_secs(24 * 3600), trusted_origins: Vec::new() }
    }
}

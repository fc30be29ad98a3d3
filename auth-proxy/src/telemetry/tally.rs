//! Counts of what has no span.

use super::metrics::{
    CACHE, CANCELLED, FORWARDS, GUARDS, LOOKUPS_IN_FLIGHT, LOOKUPS_QUEUED, Metric, NONE, OPEN_BREAKERS,
    REVOCATIONS, SIGN_INS, SIGN_OUTS, change, count,
};

/// A cache in front of the upstream.
#[derive(Clone, Copy)]
pub(crate) enum CacheName {
    /// This process's memory of sessions.
    Session,
    /// The store that instances share.
    Store,
    /// The verified tokens.
    Token,
    /// The published keys.
    Keys,
}

/// Counts a question to a cache.
pub(crate) fn asked_cache(cache: CacheName, is_hit: bool) {
    let name = match cache {
        CacheName::Session => "session",
        CacheName::Store => "store",
        CacheName::Token => "token",
        CacheName::Keys => "keys",
    };
    count(CACHE, [name, if is_hit { "hit" } else { "miss" }]);
}

/// Counts the decision of a guard. A request that passes has no code.
pub(crate) fn guard_decided(outcome: &'static str, code: Option<&'static str>) {
    count(GUARDS, [outcome, code.unwrap_or(NONE)]);
}

/// Counts a request to a sign-in route when it ends, also if it is dropped before: its client has hung up, and the upstream
/// may have carried it out.
pub(crate) struct Forwarded {
    has_ended: bool,
}

impl Forwarded {
    pub(crate) fn begin() -> Self {
        Self { has_ended: false }
    }

    /// `outcome` is `answered`, `cached` for a request that was not forwarded, or that of the error with this code.
    pub(crate) fn end(mut self, outcome: &'static str, code: Option<&'static str>) {
        self.has_ended = true;
        count(FORWARDS, [outcome, code.unwrap_or(NONE)]);
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        if !self.has_ended {
            count(FORWARDS, [CANCELLED, NONE]);
        }
    }
}

/// Counts a sign-in. `kind` is `form` if a page of the app posted it, or `callback`, to which a provider or a mail leads.
pub(crate) fn signed_in(kind: &'static str) {
    count(SIGN_INS, [kind]);
}

/// Counts a sign-out through this proxy.
pub(crate) fn signed_out() {
    count(SIGN_OUTS, []);
}

/// Counts a revocation by the upstream. `kind` is `token`, `session` or `subject`.
pub(crate) fn revoked(kind: &'static str, is_stored: bool) {
    count(REVOCATIONS, [kind, if is_stored { "stored" } else { "not_stored" }]);
}

/// Raises a gauge until it is dropped.
pub(crate) struct Raised(Metric);

impl Raised {
    /// A lookup is under way.
    pub(crate) fn in_flight() -> Self {
        Self::of(LOOKUPS_IN_FLIGHT)
    }

    /// A lookup waits.
    pub(crate) fn queued() -> Self {
        Self::of(LOOKUPS_QUEUED)
    }

    /// A circuit breaker is open.
    pub(crate) fn open_breaker() -> Self {
        Self::of(OPEN_BREAKERS)
    }

    fn of(gauge: Metric) -> Self {
        change(gauge, 1.0);
        Self(gauge)
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        change(self.0, -1.0);
    }
}

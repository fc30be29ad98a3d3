//! The results of a session lookup.

use std::sync::Arc;

use http::HeaderValue;

use super::CachedSession;
use super::family::SessionSnapshot;
use super::key::{SessionKey, TokenKey};

/// What the upstream's `/session` says about a credential.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// The credential belongs to this session.
    Session(CachedSession),
    /// The upstream cleared the cookie: the credential is invalid.
    Refused,
    /// The upstream's session callback returned no session and kept the cookie: the visitor is signed out.
    SignedOut,
}

impl Answer {
    /// The word for logs.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Session(_) => "present",
            Self::Refused => "invalid",
            Self::SignedOut => "absent",
        }
    }
}

/// The answer for a token, with its source.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) answer: Answer,
    pub(crate) source: Source,
    /// The session cookies that the upstream set or cleared.
    pub(crate) renewed: Option<Renewed>,
}

/// Where an answer was found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Memory,
    Store,
    Upstream,
    Stale,
}

impl Source {
    /// Whether the upstream was asked.
    pub(crate) fn is_upstream(self) -> bool {
        matches!(self, Self::Upstream)
    }

    /// The word for logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Store => "store",
            Self::Upstream => "upstream",
            Self::Stale => "stale",
        }
    }
}

/// The session cookies that the upstream set or cleared in a lookup. Every request that waited for the lookup relays
/// them. A request that is answered from the cache relays none, but the cookies that clear a refused token.
#[derive(Clone)]
pub(crate) struct Renewed {
    pub(super) cookies: Arc<[HeaderValue]>,
    pub(super) snapshot: SessionSnapshot,
    /// The session of the token that was sent.
    pub(super) sent: SessionKey,
    /// The token that the browser holds once it has these cookies.
    pub(super) next: Option<TokenKey>,
}

impl Renewed {
    /// The cookies. Empty if the session was ended meanwhile, because the browser has newer cookies then.
    pub(crate) fn cookies(&self) -> &[HeaderValue] {
        if self.snapshot.may_relay() { &self.cookies } else { &[] }
    }
}

/// The result of a lookup, before it is cached.
pub(crate) struct LookedUp {
    pub(crate) answer: Answer,
    pub(crate) cookies: Arc<[HeaderValue]>,
    pub(crate) next: Option<TokenKey>,
}

//! Answers to a lookup.

use std::sync::Arc;

use http::HeaderValue;

use super::CachedSession;
use super::family::Ticket;
use super::key::{SessionKey, TokenKey};

/// What the upstream's `/session` answers for a credential.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// It belongs to this session.
    Session(CachedSession),
    /// The upstream cleared the cookie: the credential is invalid.
    Refused,
    /// The upstream's session callback answered no session, and the cookie stayed alive: the visitor is signed out.
    SignedOut,
}

impl Answer {
    /// As it is logged.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Session(_) => "present",
            Self::Refused => "invalid",
            Self::SignedOut => "absent",
        }
    }
}

/// The answer for a token.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) answer: Answer,
    /// Where it was found.
    pub(crate) source: Source,
    /// The session cookies that the upstream set or cleared.
    pub(crate) renewed: Option<Renewed>,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Memory,
    Upstream,
    Stale,
}

impl Source {
    /// As it is logged.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Upstream => "upstream",
            Self::Stale => "stale",
        }
    }
}

/// The session cookies that the upstream set or cleared in a lookup. Every request that waited for the lookup relays
/// them. A request that is answered from the cache relays none, except that a refused token is cleared each time.
#[derive(Clone)]
pub(crate) struct Renewed {
    pub(super) cookies: Arc<[HeaderValue]>,
    pub(super) ticket: Ticket,
    /// The token that was sent.
    pub(super) sent: SessionKey,
    /// The token that the browser has after them.
    pub(super) next: Option<TokenKey>,
}

impl Renewed {
    /// The cookies. None when the session was ended meanwhile: the browser has newer cookies then.
    pub(crate) fn cookies(&self) -> &[HeaderValue] {
        if self.ticket.may_relay() { &self.cookies } else { &[] }
    }
}

/// What a lookup found out.
pub(crate) struct LookedUp {
    pub(crate) answer: Answer,
    pub(crate) cookies: Arc<[HeaderValue]>,
    pub(crate) next: Option<TokenKey>,
}

//! A session as the upstream sent it, and what a response to a lookup says.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most by which the clocks of this machine and of the upstream may differ.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// A session as the upstream sent it, before it is deserialized into the app's type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RawSession {
    pub(crate) user: Map<String, Value>,
    pub(crate) expires: Option<SystemTime>,
    pub(crate) extra: Map<String, Value>,
    /// Whether the upstream tells its own client to extend the session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) needs_refresh: bool,
}

impl RawSession {
    /// Whether every field of the user is null or empty.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.user.values().all(|value| value.is_null() || value.as_str().is_some_and(str::is_empty))
    }
}

/// What a response to a lookup says about the token that was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SessionAnswer {
    /// The token belongs to this session.
    Session(RawSession),
    /// The session belongs to another token, or may do so.
    OtherSession,
    /// The upstream cleared the cookie: the token is invalid.
    Refused,
    /// The upstream's session callback returned no session and kept the cookie: the visitor is signed out.
    SignedOut,
}

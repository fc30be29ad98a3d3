//! [`Probes`]: the questions that a check asks of one family of upstreams.

use std::fmt;

use auth_proxy_rules::Origin;
use bytes::Bytes;
use http::{Method, Response};

use super::server::Server;
use crate::config::Kind;
use crate::cookie::ReceivedCookie;

/// The value of cookies that no server accepts, and the name of a cookie that no server has.
pub(crate) const UNKNOWN: &str = "auth-proxy-check";

/// A request that shows something of an upstream.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) method: Method,
    /// Below the base path.
    pub(crate) path: &'static str,
    /// The names of the cookies to send, each with a value that the server refuses.
    pub(crate) cookies: Vec<String>,
}

impl Question {
    pub(crate) fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path, cookies: Vec::new() }
    }

    /// For a route that no server has.
    pub(crate) fn unknown() -> Self {
        Self::get("/auth-proxy-check")
    }
}

/// How an upstream shows which secret it has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SecretProbe {
    /// Beside its mark it sets a cookie with a value and the hash of that value and the secret, unless an option of the
    /// server switches that off.
    Hash { off_with: &'static str },
    /// It clears the session cookie in its answer to this path if the secret signed the cookie, and no session has it.
    Signature(&'static str),
}

/// How an upstream shows whether it trusts an origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OriginCheck {
    /// A path that refuses a POST with a cookie from an origin that the upstream does not trust.
    pub(crate) path: &'static str,
    /// What to change, so that the upstream trusts an origin.
    pub(crate) setting: fn(&Origin) -> String,
}

/// What was seen of an upstream, to tell the servers of one family apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen<'s> {
    /// The names of the cookies that it set and cleared.
    pub(crate) cookies: &'s [String],
    /// The body of its answer to [`Probes::clearing`], if there is one.
    pub(crate) signed_out: Option<&'s [u8]>,
    /// The body of its answer to a path that does not exist, if there is one.
    pub(crate) unknown: Option<&'s [u8]>,
    /// The configured kind, which decides where an answer is missing.
    pub(crate) expected: Option<Kind>,
}

/// The probes of one family. Paths are below the base path.
pub(crate) trait Probes: fmt::Debug + Send + Sync {
    /// The paths whose answers mark the family, the more certain one first.
    fn marks(&self) -> &'static [&'static str];

    /// Whether the body of a 200 response at one of these paths marks the family.
    fn has_mark(&self, path: &str, body: &[u8]) -> bool;

    /// Whether the server depends on more than the marks, so that it is asked for a path that does not exist.
    fn has_several_servers(&self) -> bool;

    /// The server of the family.
    fn server(&self, seen: Seen<'_>) -> Server;

    /// Makes the upstream clear its session cookie, whose name is then known. `configured` are the expected names.
    fn clearing(&self, configured: &[String]) -> Question;

    /// The session cookie among the cookies that were cleared, if they show which one it is.
    fn session_cookie<'c>(&self, cleared: &'c [String]) -> Option<&'c str>;

    /// Whether a missing session cookie in that answer may come from a failure of the upstream's database.
    fn hides_failures(&self) -> bool;

    /// Whether its session cookie may hold a token or the key of a database. No answer shows which: a server with tokens
    /// clears a well encrypted token without a user in the same way, if its callbacks need one.
    fn has_session_strategies(&self) -> bool {
        false
    }

    /// How the secret shows.
    fn secret(&self) -> SecretProbe;

    /// The value and its hash in the cookie that shows the secret.
    fn hash<'c>(&self, _cookies: &'c [ReceivedCookie]) -> Option<(&'c str, &'c str)> {
        None
    }

    /// A path in whose answer the upstream names a URL of its own.
    fn urls(&self) -> &'static str;

    /// The URL in that answer.
    fn url(&self, response: &Response<Bytes>, base: &str) -> Option<String>;

    /// How the upstream shows whether it trusts an origin.
    fn origin_check(&self) -> Option<OriginCheck> {
        None
    }
}

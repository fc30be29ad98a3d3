//! [`Route`]: a known route of an upstream.

use http::Method;

/// A known route of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The methods, as `Allow` lists them.
    pub(crate) allow: &'static str,
    /// Whether HEAD may be answered by a GET to the upstream. Not for callbacks and links in mails: that would use up
    /// their one-time token.
    pub(crate) head: bool,
}

impl Route {
    pub(super) const READ: Self = Self { allow: "GET, HEAD", head: true };
    pub(super) const READ_OR_POST: Self = Self { allow: "GET, HEAD, POST", head: true };
    pub(super) const GET: Self = Self { allow: "GET", head: false };
    pub(super) const POST: Self = Self { allow: "POST", head: false };
    pub(super) const GET_OR_POST: Self = Self { allow: "GET, POST", head: false };
    pub(super) const POST_OR_OPTIONS: Self = Self { allow: "POST, OPTIONS", head: false };

    /// Whether the upstream accepts this method here. HEAD never counts: see [`Self::head`].
    pub(crate) fn allows(self, method: &Method) -> bool {
        *method != Method::HEAD && self.allow.split(", ").any(|allowed| allowed == method.as_str())
    }
}

//! [`Route`]: a known route of an upstream.

use http::Method;

/// A path without the slash at its end, which upstreams ignore: Auth.js always, Better Auth by an option.
pub(super) fn without_last_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// A known route of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The methods, as `Allow` lists them. Empty if the upstream decides.
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

    /// Every method, with HEAD as it is.
    pub(super) const ANY: Self = Self { allow: "", head: false };
    /// Every method, with HEAD answered by a GET.
    pub(super) const READ_OR_ANY: Self = Self { allow: "", head: true };

    /// Whether the upstream may get this method here. In a list, HEAD never counts: see [`Self::head`].
    pub(crate) fn allows(self, method: &Method) -> bool {
        self.allow.is_empty()
            || *method != Method::HEAD && self.allow.split(", ").any(|allowed| allowed == method.as_str())
    }
}

//! [`CookieNames`]: the full names that the session cookie may have.

use crate::choices::Kind;

/// The session cookie of Auth.js v5 and of Robo, without a prefix.
pub const AUTHJS_COOKIE: &str = "authjs.session-token";

/// The session cookie of next-auth v4, without a prefix.
pub const NEXT_AUTH_V4_COOKIE: &str = "next-auth.session-token";

/// The full names that the session cookie may have. The name is the salt of the key that its tokens are encrypted with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CookieNames {
    /// One name.
    One(String),
    /// The name with the prefix `__Secure-` and the name without: the upstream may use either.
    Either(String, String),
    /// The name with the prefix `__Secure-` and the name without: the scheme of the request, as a trusted proxy reports
    /// it, decides between them.
    ByScheme(String, String),
}

impl CookieNames {
    /// The name with the prefix `__Secure-`, and without.
    pub(crate) fn pair(name: &str) -> (String, String) {
        (format!("__Secure-{name}"), name.to_owned())
    }

    /// The names if `upstream.cookie_name` is not set.
    ///
    /// `https` says whether the upstream sees its own URL as https: Auth.js v5 (`docs/authjs.md#cookie-names`) and
    /// next-auth v4 (`docs/authjs.md#cookie-names-v4`) then add the prefix. Robo never does
    /// (`docs/authjs.md#cookie-names-robo`).
    pub(crate) fn defaults(kind: Option<Kind>, https: Option<bool>, secure_is_possible: bool) -> Self {
        let name = match kind {
            None | Some(Kind::Robo | Kind::Authjs) => AUTHJS_COOKIE,
            Some(Kind::NextAuthV4) => NEXT_AUTH_V4_COOKIE,
        };
        let (secure, plain) = Self::pair(name);
        match (kind, https) {
            (None, _) if secure_is_possible => Self::Either(secure, plain),
            (None | Some(Kind::Robo), _) | (_, Some(false)) => Self::One(plain),
            (_, Some(true)) => Self::One(secure),
            (_, None) => Self::ByScheme(secure, plain),
        }
    }

    /// Every name, the one with the prefix first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::One(name) => (name, None),
            Self::Either(secure, plain) | Self::ByScheme(secure, plain) => (secure, Some(plain)),
        };
        [Some(first), second].into_iter().flatten().map(String::as_str)
    }
}

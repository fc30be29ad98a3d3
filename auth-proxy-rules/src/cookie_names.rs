//! [`CookieNames`]: the full names that the session cookie may have.

use crate::choices::Kind;

/// The session cookie of Auth.js v5 and of Robo, without a prefix.
pub const AUTHJS_COOKIE: &str = "authjs.session-token";

/// The session cookie of next-auth v4, without a prefix.
pub const NEXT_AUTH_V4_COOKIE: &str = "next-auth.session-token";

/// The session cookie of Better Auth, without a prefix.
pub const BETTER_AUTH_COOKIE: &str = "better-auth.session_token";

/// The full names that the session cookie may have. In Auth.js the name is the salt of the key that its tokens are encrypted with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CookieNames {
    /// No cookie: tokens come in `Authorization` only.
    None,
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
    /// (`docs/authjs.md#cookie-names-robo`). Better Auth decides by its own settings, never by a request
    /// (`docs/better-auth.md#cookie-names`).
    pub(crate) fn defaults(kind: Option<Kind>, https: Option<bool>, secure_is_possible: bool) -> Self {
        let name = match kind {
            None | Some(Kind::Robo | Kind::Authjs) => AUTHJS_COOKIE,
            Some(Kind::NextAuthV4) => NEXT_AUTH_V4_COOKIE,
            Some(Kind::BetterAuth) => BETTER_AUTH_COOKIE,
            // Each of these issuers has its own name.
            Some(Kind::Generic) => return Self::None,
        };
        let (secure, plain) = Self::pair(name);
        match (kind, https) {
            (None | Some(Kind::BetterAuth), _) if secure_is_possible => Self::Either(secure, plain),
            (None | Some(Kind::Robo | Kind::BetterAuth), _) | (_, Some(false)) => Self::One(plain),
            (_, Some(true)) => Self::One(secure),
            (_, None) => Self::ByScheme(secure, plain),
        }
    }

    /// Every name, the one with the prefix first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::None => [None, None],
            Self::One(name) => [Some(name), None],
            Self::Either(secure, plain) | Self::ByScheme(secure, plain) => [Some(secure), Some(plain)],
        };
        names.into_iter().flatten().map(String::as_str)
    }
}

/// A cookie that the upstream sets beside the session cookie, and that belongs to the same session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Companion {
    /// The full name of the cookie. Long values are in several cookies, `{name}.0` and following.
    pub name: String,
    /// What it is for.
    pub role: CompanionRole,
}

/// What a cookie beside the session cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompanionRole {
    /// It is the cookie cache: a signed copy of the session for a short time.
    Cache,
    /// The upstream reads it in a session lookup.
    Sent,
    /// The upstream clears it with the session cookie.
    Cleared,
}

/// The cookies of Better Auth beside its session cookie (`docs/better-auth.md#cookie-names`), without a prefix.
const COMPANIONS: [(&str, CompanionRole); 4] = [
    ("session_data", CompanionRole::Cache),
    ("dont_remember", CompanionRole::Sent),
    ("account_data", CompanionRole::Cleared),
    ("oauth_state", CompanionRole::Cleared),
];

/// The cookies that belong to the session cookie of this name. An upstream of another kind than Better Auth has none.
pub(crate) fn companions(kind: Option<Kind>, session_cookie: &str) -> Vec<Companion> {
    if kind != Some(Kind::BetterAuth) {
        return Vec::new();
    }
    // `advanced.cookiePrefix` changes the names of all cookies. A session cookie of another name keeps their prefix.
    let prefix = match session_cookie.strip_suffix("session_token") {
        Some(prefix) => prefix,
        None if session_cookie.starts_with("__Secure-") => "__Secure-better-auth.",
        None => "better-auth.",
    };
    COMPANIONS.map(|(name, role)| Companion { name: format!("{prefix}{name}"), role }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_have_the_prefix_of_the_session_cookie() {
        for (session_cookie, first) in [
            ("better-auth.session_token", "better-auth.session_data"),
            ("__Secure-better-auth.session_token", "__Secure-better-auth.session_data"),
            ("my-app.session_token", "my-app.session_data"),
            ("__Secure-sid", "__Secure-better-auth.session_data"),
            ("sid", "better-auth.session_data"),
        ] {
            assert_eq!(companions(Some(Kind::BetterAuth), session_cookie)[0].name, first, "{session_cookie}");
        }
        assert_eq!(companions(Some(Kind::Authjs), AUTHJS_COOKIE), []);
    }
}

//! What is special about one family of upstreams: its routes and what they do, the responses of its session route, and
//! its settings.
//!
//! Each family has a file. The rest of the code asks the dialect, and never which family it is. The names of cookies and
//! the token format of a kind are rules of the options, in `auth-proxy-rules`. No request is sent here.
//!
//! Imports the rooms: `config`, `cookie`, `error`, `json`.
//! Does without the crates: `axum`, `hyper`, `jsonwebtoken`, `tokio`, `tower`.

mod authjs;
mod authjs_family;
mod better_auth;
#[cfg(feature = "client-js")]
mod client;
mod definition;
mod next_auth_v4;
mod probes;
mod purpose;
mod robo;
mod route;
mod session;
mod software;
mod token_key;

pub(crate) use self::authjs::address_parts;
use self::authjs_family::AuthjsFamily;
use self::better_auth::BetterAuth;
pub(crate) use self::better_auth::{ACTIVE_ORGANIZATION, IMPERSONATED_BY};
#[cfg(feature = "client-js")]
pub(crate) use self::client::BrowserClient;
pub(crate) use self::definition::{Dialect, SentBearer, SentToken};
pub(crate) use self::probes::{
    ALLOWED_HOSTS, BASE_PATHS, Probes, Question, SecretProbe, Seen, Server, UNKNOWN, families, misconfigured,
};
pub(crate) use self::purpose::{Page, Purpose};
pub(crate) use self::session::{CLOCK_SKEW, RawSession, SessionAnswer};
pub(crate) use self::software::Software;
pub(crate) use self::token_key::{CookieCacheMarks, TokenKeySource};
use crate::config::{Kind, TokenFormat};

/// What the key of an encrypted token is derived from. `cookie_name` is the full name of the session cookie. `None` for a
/// format with keys of its own.
pub(crate) fn token_key(format: TokenFormat, cookie_name: &str) -> Option<TokenKeySource> {
    match format {
        TokenFormat::Encrypted => Some(authjs::token_key(cookie_name)),
        TokenFormat::EncryptedV4 => Some(next_auth_v4::token_key()),
        TokenFormat::Jwe => Some(better_auth::cookie_cache::token_key()),
        _ => None,
    }
}

/// How the family that has a cookie cache marks it.
pub(crate) fn cookie_cache_marks() -> CookieCacheMarks {
    better_auth::cookie_cache::marks()
}

/// The session cookies of every family, without prefixes.
pub(crate) const COOKIES: [&str; 3] = [authjs::COOKIE, next_auth_v4::COOKIE, better_auth::COOKIE];

/// The kind of upstream, as it is configured, if only one kind uses a session cookie of this name.
pub(crate) fn kind_of_cookie(name: &str) -> Option<&'static str> {
    [(next_auth_v4::COOKIE, "next_auth_v4"), (better_auth::COOKIE, "better_auth")]
        .into_iter()
        .find_map(|(cookie, kind)| name.ends_with(cookie).then_some(kind))
}

/// The dialect of a kind. Without a kind the upstream is Auth.js v5 or Robo.js.
pub(crate) fn of(kind: Option<Kind>) -> &'static dyn Dialect {
    match kind {
        Some(Kind::BetterAuth) => &BetterAuth,
        Some(Kind::NextAuthV4) => &AuthjsFamily { is_v4: true },
        _ => &AuthjsFamily { is_v4: false },
    }
}

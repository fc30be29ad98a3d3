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
mod definition;
mod next_auth_v4;
mod purpose;
mod robo;
mod route;
mod session;
mod software;
mod token_key;

use self::authjs_family::AuthjsFamily;
pub(crate) use self::definition::Dialect;
pub(crate) use self::purpose::{Page, Purpose};
pub(crate) use self::session::{RawSession, SessionAnswer};
pub(crate) use self::software::Software;
pub(crate) use self::token_key::TokenKeySource;
use crate::config::Kind;

/// How Auth.js v5 derives the key of its tokens, which depends on the full name of the session cookie.
pub(crate) fn authjs_token_key(cookie_name: &str) -> TokenKeySource {
    authjs::token_key(cookie_name)
}

/// How next-auth v4 derives the key of its tokens.
pub(crate) fn next_auth_v4_token_key() -> TokenKeySource {
    next_auth_v4::token_key()
}

/// The session cookies of every family, without prefixes.
pub(crate) const COOKIES: [&str; 2] = [authjs::COOKIE, next_auth_v4::COOKIE];

/// The kind of upstream, as it is configured, if only one kind uses a session cookie of this name.
pub(crate) fn kind_of_cookie(name: &str) -> Option<&'static str> {
    name.ends_with(next_auth_v4::COOKIE).then_some("next_auth_v4")
}

/// The dialect of a kind. Without a kind the upstream is Auth.js v5 or Robo.js.
pub(crate) fn of(kind: Option<Kind>) -> &'static dyn Dialect {
    match kind {
        Some(Kind::NextAuthV4) => &AuthjsFamily { is_v4: true },
        _ => &AuthjsFamily { is_v4: false },
    }
}

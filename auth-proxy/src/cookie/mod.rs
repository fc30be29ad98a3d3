//! The text of cookies: finds the session token in a request, tells whether a `Set-Cookie` sets or clears the session
//! cookie, and renames and adapts cookies between the upstream and the browser.
//!
//! All parsing of `Cookie` and `Set-Cookie` lines is here. This module decrypts no token and sends no request.
//!
//! Imports the rooms: `error`.
//! Does without the crates: `axum`, `hyper`, `tokio`, `tower`, `aws_lc_rs`, `jsonwebtoken`.

mod adapt;
mod bearer;
mod candidate;
mod companions;
mod error;
mod names;
mod outgoing;
mod percent;
mod prefix;
mod received;
mod scan;
mod set_cookie;
mod shape;
mod stray;
mod text;

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};

pub(crate) use self::adapt::CookieAdapter;
pub(crate) use self::candidate::{Candidate, Credential, every_token, sends_one_token};
pub(crate) use self::error::CredentialError;
pub(crate) use self::names::{NameIndexes, NamesInPlay, SessionName, SessionNames};
pub(crate) use self::outgoing::{lookup_bearer, lookup_cookie};
#[cfg(feature = "testing")]
pub(crate) use self::percent::encoded;
pub(crate) use self::prefix::{restore_prefixes, without_prefix};
pub(crate) use self::received::{ReceivedCookie, received};
pub(crate) use self::set_cookie::{SetCookieKind, token_after};
pub(crate) use self::shape::{is_base64url, is_compact};
pub(crate) use self::stray::{drop_cookies, drop_stray_cookies};
pub(crate) use self::text::{domain, drop_set_cookies, join_cookie_lines, value};

/// The headers that may hold the session token.
pub(crate) const CREDENTIAL_HEADERS: [HeaderName; 2] = [COOKIE, AUTHORIZATION];

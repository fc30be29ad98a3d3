//! The fake as a Better Auth server: the responses of `better-auth` 1.7 on a bare Node.js server, with email and password
//! and no plugin (`docs/better-auth.md#routes`).

mod account;
mod cookie_cache;
mod cookies;
mod lookup;
mod options;
mod origin;
mod request;
mod response;
mod session;
mod sessions;
mod store;
mod visitor;

use axum::response::Response;
use http::{Method, StatusCode};

pub(super) use self::options::{MAX_AGE, Options};
use self::request::Request;
use self::response::{Refusal, empty, json_with};
pub(super) use self::store::Store;
pub use self::visitor::Visitor;
use super::state::{Fake, SeenRequest};

/// The path of a session lookup, below the base path.
pub(super) const SESSION: &str = "/get-session";

/// The name of the session cookie unless configured.
pub(super) const COOKIE: &str = auth_proxy_rules::BETTER_AUTH_COOKIE;

/// Responds to one request. The raw path must match: no other case, no trailing slash. Every HEAD and OPTIONS, an unknown
/// path and another method are 404.
pub(super) fn answer(fake: &Fake, seen: &SeenRequest, body: &[u8], database_is_down: bool) -> Response {
    let path = seen.uri.path().strip_prefix(&fake.settings.base_path).unwrap_or_default();
    let mut request = Request::new(fake, seen, body, database_is_down);
    let route = match (&seen.method, path) {
        (&Method::GET, "/ok") => Request::ok,
        (&Method::GET, SESSION) => Request::get_session,
        (&Method::POST, SESSION) => Request::post_session,
        (&Method::GET, callback) if callback.starts_with("/callback/") => Request::callback,
        (&Method::POST, "/sign-up/email") => Request::sign_up,
        (&Method::POST, "/sign-in/email") => Request::sign_in,
        (&Method::POST, "/sign-out") => Request::sign_out,
        (&Method::POST, "/update-user") => Request::update_user,
        (&Method::GET, "/list-sessions") => Request::list_sessions,
        (&Method::POST, "/revoke-session") => Request::revoke_session,
        (&Method::POST, "/revoke-sessions") => Request::revoke_sessions,
        (&Method::POST, "/revoke-other-sessions") => Request::revoke_other_sessions,
        _ => return empty(StatusCode::NOT_FOUND),
    };
    // A refused origin is answered before the route sets its headers.
    let refused = request.check_origin(path).err();
    let is_uncached = path == SESSION && refused.is_none();
    match refused.map_or_else(|| route(&mut request), Err) {
        Ok(answer) | Err(Refusal::Error(answer)) => json_with(answer, request.set_cookies(), is_uncached),
        Err(Refusal::Crash) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

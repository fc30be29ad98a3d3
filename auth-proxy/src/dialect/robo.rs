//! Robo.js (`@robojs/auth`): Auth.js with sign-in by email and password, and its own cookies and session callback.

use serde_json::{Map, Value};

use super::route::Route;
use super::session::RawSession;

const SESSION_TOKEN: &str = "sessionToken";

/// The known route at the segments of a path, in addition to those of Auth.js (`docs/authjs.md#routes-robo-email`).
#[expect(clippy::match_same_arms, reason = "a table: a row for each route")]
pub(super) fn route(segments: &[&str]) -> Option<Route> {
    Some(match segments {
        ["verify-email"] => Route::READ,
        ["signup"] => Route::POST_OR_OPTIONS,
        ["verify-email", "request"] => Route::POST,
        ["verify-email", "confirm"] => Route::GET,
        ["password", "reset", "request"] => Route::POST,
        ["password", "reset", "confirm"] => Route::GET_OR_POST,
        _ => return None,
    })
}

/// A word that is in every session with a session token.
pub(super) const SECRET_WORD: &str = SESSION_TOKEN;

/// Removes the session token from a session. Robo includes it in the database strategy
/// (`docs/authjs.md#session-callback-robo`), though it is the value of a cookie that scripts cannot read. Returns whether
/// it was there.
pub(super) fn remove_session_token(session: &mut Map<String, Value>) -> bool {
    let user = session.get_mut("user").and_then(Value::as_object_mut);
    let of_user = user.and_then(|user| user.remove(SESSION_TOKEN));
    let own = session.remove(SESSION_TOKEN);
    of_user.or(own).is_some()
}

/// The id of the user, which the database strategy puts beside the user (`docs/authjs.md#session-callback-robo`).
pub(super) fn user_id(session: &RawSession) -> Option<&Value> {
    session.extra.get("userId")
}

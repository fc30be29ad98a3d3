//! Reads the responses of `/get-session`.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderName, Response};
use serde_json::{Map, Value};

use crate::dialect::session::{CLOCK_SKEW, RawSession, SessionAnswer};
use crate::error::{AuthError, Reason};
use crate::json::replace_lone_surrogates;

/// The field with the details of the session, beside the user.
pub(super) const SESSION: &str = "session";

/// The field of the session with its token.
pub(super) const TOKEN: &str = "token";

/// The field of the session with the organization that the visitor chose (`docs/better-auth.md#get-session`).
pub(crate) const ACTIVE_ORGANIZATION: &str = "activeOrganizationId";

/// The field of the session with the admin who impersonates the user (`docs/better-auth.md#get-session`).
pub(crate) const IMPERSONATED_BY: &str = "impersonatedBy";

/// Reads a response with status 200 (`docs/better-auth.md#get-session`). `null` means that there is no session: in a
/// failure of its database, the status is 500.
///
/// `sent` is the token that was sent, without its signature, and whether the cookie cache was sent too. Better Auth 1.6
/// answers with the session in the cache without comparing it with the token (`docs/better-auth.md#cookie-cache`).
///
/// # Errors
/// `upstream_invalid_response` for a body that is neither `null` nor a session.
pub(super) fn read_session(
    response: &Response<Bytes>,
    sent: Option<(String, bool)>,
) -> Result<SessionAnswer, AuthError> {
    let invalid = |why: &str| AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE).because(why);
    let text = std::str::from_utf8(response.body())
        .map_err(|_| invalid("/get-session answered with a body that is not UTF-8"))?;
    match serde_json::from_str(&replace_lone_surrogates(text)) {
        Ok(Value::Object(object)) if sent.is_some_and(|sent| is_of_another(&object, &sent)) => {
            Ok(SessionAnswer::OtherSession)
        }
        Ok(Value::Object(object)) => Ok(match session(object).map_err(invalid)? {
            Some(session) => SessionAnswer::Session(session),
            None => SessionAnswer::Refused,
        }),
        Ok(Value::Null) => Ok(SessionAnswer::Refused),
        Ok(_) => Err(invalid("/get-session answered with neither null nor an object")),
        Err(_) => Err(invalid("/get-session answered with a body that is not JSON")),
    }
}

/// Whether a session belongs to another token than the one that was sent, or may do so. The plugin `customSession` may
/// leave out the token: then it is known only if no cookie cache was sent.
fn is_of_another(object: &Map<String, Value>, (token, with_cache): &(String, bool)) -> bool {
    let has_user = object.get("user").is_some_and(Value::is_object);
    match object.get(SESSION).and_then(|session| session.get(TOKEN)) {
        Some(found) => found != token,
        None => has_user && *with_cache,
    }
}

/// The session in an object with `user` and `session`, without the session's token. The plugin `customSession` may leave
/// out either and add others.
pub(in crate::dialect) fn session(
    mut object: Map<String, Value>,
) -> Result<Option<RawSession>, &'static str> {
    remove_token(&mut object);
    let user = match object.remove("user") {
        Some(Value::Object(user)) => user,
        None | Some(Value::Null) => return Ok(None),
        Some(_) => return Err("/get-session answered with a user that is not an object"),
    };
    // Of `deferSessionRefresh`: it is for Better Auth's own client.
    let needs_refresh = object.remove("needsRefresh") == Some(Value::Bool(true));
    let expires = match object.get(SESSION).and_then(|session| session.get("expiresAt")) {
        Some(Value::String(text)) => Some(
            humantime::parse_rfc3339(text)
                .map_err(|_| "/get-session answered with an `expiresAt` that is not a date")?,
        ),
        None | Some(Value::Null) => None,
        Some(_) => return Err("/get-session answered with an `expiresAt` that is not a string"),
    };
    if expires.is_some_and(|expires| expires + CLOCK_SKEW < SystemTime::now()) {
        return Err(
            "/get-session answered with an expired session: is there a cache before it, or a wrong clock?",
        );
    }
    Ok(Some(RawSession { user, expires, extra: object, needs_refresh }))
}

/// The headers of an answer with a session (`docs/better-auth.md#get-session`).
pub(super) const HEADERS: [(HeaderName, &str); 2] = [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];

/// Removes the token of a session: it is a Bearer token, and scripts cannot read the cookie that holds it. Returns
/// whether it was there.
pub(super) fn remove_token(object: &mut Map<String, Value>) -> bool {
    let session = object.get_mut(SESSION).and_then(Value::as_object_mut);
    session.and_then(|session| session.remove(TOKEN)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Result<SessionAnswer, &'static str> {
        answer_to(body, None)
    }

    fn answer_to(body: &str, sent: Option<(&str, bool)>) -> Result<SessionAnswer, &'static str> {
        let response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
        read_session(&response, sent.map(|(token, with_cache)| (token.to_owned(), with_cache)))
            .map_err(|error| error.code())
    }

    #[test]
    fn session_is_read_without_its_token() {
        let body = r#"{"session":{"id":"s","token":"secret","expiresAt":"2030-01-02T03:04:05.678Z","impersonatedBy":"1"},
            "user":{"id":"1","name":"Ada","role":"admin"},"needsRefresh":true,"plan":"free"}"#;
        let Ok(SessionAnswer::Session(session)) = answer(body) else { panic!() };
        assert_eq!(
            Value::Object(session.user),
            serde_json::json!({"id": "1", "name": "Ada", "role": "admin"})
        );
        assert_eq!(
            Value::Object(session.extra),
            serde_json::json!({
                "session": {"id": "s", "expiresAt": "2030-01-02T03:04:05.678Z", "impersonatedBy": "1"},
                "plan": "free",
            })
        );
        assert!(session.needs_refresh);
        assert_eq!(
            humantime::format_rfc3339_millis(session.expires.unwrap()).to_string(),
            "2030-01-02T03:04:05.678Z"
        );
    }

    #[test]
    fn session_of_another_token_is_recognised() {
        let own = r#"{"session":{"token":"a"},"user":{"id":"1"}}"#;
        let custom = r#"{"user":{"id":"1"}}"#;
        for (body, token, with_cache, is_other) in [
            (own, "a", true, false),
            (own, "a", false, false),
            (own, "b", true, true),
            (own, "b", false, true),
            (own, "", false, true),
            (custom, "a", false, false),
            (custom, "a", true, true),
            (r#"{"session":{"token":1},"user":{"id":"1"}}"#, "1", false, true),
            ("null", "a", true, false),
            ("{}", "a", true, false),
        ] {
            let answer = answer_to(body, Some((token, with_cache)));
            assert_eq!(answer == Ok(SessionAnswer::OtherSession), is_other, "{body} {token} {with_cache}");
        }
    }

    #[test]
    fn null_is_a_refused_token() {
        for body in ["null", "{}", r#"{"user":null,"session":null}"#, r#"{"session":{"token":"x"}}"#] {
            assert_eq!(answer(body), Ok(SessionAnswer::Refused), "{body}");
        }
    }

    #[test]
    fn invalid_responses_are_outages() {
        for body in [
            "",
            "[]",
            "1",
            "\"null\"",
            "<!doctype html>",
            r#"{"user":1}"#,
            r#"{"user":{},"session":{"expiresAt":1}}"#,
            r#"{"user":{},"session":{"expiresAt":"soon"}}"#,
            r#"{"user":{},"session":{"expiresAt":"2001-01-01T00:00:00.000Z"}}"#,
            "null null",
        ] {
            assert_eq!(answer(body), Err("upstream_invalid_response"), "{body}");
        }
    }
}

//! Reads the responses of `/session`.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, EXPIRES, PRAGMA, SET_COOKIE};
use http::{HeaderName, Response};
use serde_json::{Map, Value};

use crate::cookie::{SessionNames, SetCookieKind};
use crate::dialect::session::{CLOCK_SKEW, RawSession, SessionAnswer};
use crate::error::{AuthError, Reason};
use crate::json::replace_lone_surrogates;

/// Reads a session (`docs/authjs.md#session-absent`). `remove_secrets` removes what nobody may read from it.
///
/// # Errors
/// - `upstream_invalid_response` for a body that is neither `null` nor an object. Robo reports "not found" and "failed"
///   with status 200 and a JSON string.
/// - `upstream_ambiguous_session` for `null` without a `Set-Cookie` of the session cookie. Auth.js sends this when its
///   database fails, and when the configured cookie name is not the upstream's.
pub(in crate::dialect) fn read_session(
    response: &Response<Bytes>,
    names: &SessionNames,
    remove_secrets: impl Fn(&mut Map<String, Value>),
) -> Result<SessionAnswer, AuthError> {
    let invalid = |why: &str| AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE).because(why);
    let text = std::str::from_utf8(response.body())
        .map_err(|_| invalid("/session answered with a body that is not UTF-8"))?;
    let mut object = match serde_json::from_str(&replace_lone_surrogates(text)) {
        Ok(Value::Object(object)) => object,
        Ok(Value::Null) => Map::new(),
        Ok(_) => return Err(invalid("/session answered with neither null nor an object")),
        Err(_) => return Err(invalid("/session answered with a body that is not JSON")),
    };
    remove_secrets(&mut object);
    match session(object).map_err(invalid)? {
        Some(session) => Ok(SessionAnswer::Session(session)),
        None => signed_out(response, names),
    }
}

/// The session in a response. `None` without a user: next-auth v4 sends `{}` where v5 sends `null`
/// (`docs/authjs.md#session-absent-v4`), and some session callbacks leave out the user.
fn session(mut object: Map<String, Value>) -> Result<Option<RawSession>, &'static str> {
    let user = match object.remove("user") {
        Some(Value::Object(user)) => user,
        None | Some(Value::Null) => return Ok(None),
        Some(_) => return Err("/session answered with a user that is not an object"),
    };
    let expires = match object.remove("expires") {
        Some(Value::String(text)) => Some(
            humantime::parse_rfc3339(&text)
                .map_err(|_| "/session answered with an `expires` that is not a date")?,
        ),
        None | Some(Value::Null) => None,
        Some(_) => return Err("/session answered with an `expires` that is not a string"),
    };
    if expires.is_some_and(|expires| expires + CLOCK_SKEW < SystemTime::now()) {
        return Err(
            "/session answered with an expired session: is there a cache before it, or a wrong clock?",
        );
    }
    Ok(Some(RawSession { user, expires, extra: object, needs_refresh: false }))
}

/// The headers of an answer with a session (`docs/authjs.md#session-absent`).
pub(in crate::dialect) const SESSION_HEADERS: [(HeaderName, &str); 3] =
    [(CACHE_CONTROL, "private, no-cache, no-store"), (EXPIRES, "0"), (PRAGMA, "no-cache")];

/// The answer for a response without a session, by its session cookies.
fn signed_out(response: &Response<Bytes>, names: &SessionNames) -> Result<SessionAnswer, AuthError> {
    let kinds = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| names.set_cookie_kind(value.as_bytes()));
    // A token that became shorter clears some chunks and sets others. If any cookie is set, the cookie stays alive.
    kinds
        .map(|kind| match kind {
            SetCookieKind::Sets => SessionAnswer::SignedOut,
            SetCookieKind::Clears => SessionAnswer::Refused,
        })
        .reduce(|a, b| if a == SessionAnswer::SignedOut { a } else { b })
        .ok_or_else(|| {
            AuthError::new(Reason::UPSTREAM_AMBIGUOUS_SESSION).because(
                "/session answered with null, and neither cleared nor renewed the cookie that was sent",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "authjs.session-token";

    fn answer(body: &str, cookies: &[&str]) -> Result<SessionAnswer, &'static str> {
        let mut response = Response::builder();
        for cookie in cookies {
            response = response.header(SET_COOKIE, *cookie);
        }
        let response = response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let mut draft = auth_proxy_rules::Draft::default();
        for (option, text) in [
            (auth_proxy_rules::OptionKey::BaseUrl, "http://auth"),
            (auth_proxy_rules::OptionKey::CookieName, NAME),
        ] {
            draft.set(option, text).unwrap();
        }
        let names = SessionNames::new(&draft.resolve().unwrap());
        let remove_secrets = |session: &mut Map<String, Value>| {
            crate::dialect::robo::remove_session_token(session);
        };
        read_session(&response, &names, remove_secrets).map_err(|error| error.code())
    }

    #[test]
    fn session_is_read_without_its_session_token() {
        let body = r#"{"user":{"name":"Ada","sessionToken":"x"},"expires":"2030-01-02T03:04:05.678Z","sessionToken":"x","role":"admin"}"#;
        let Ok(SessionAnswer::Session(session)) = answer(body, &[]) else { panic!() };
        assert_eq!(Value::Object(session.user.clone()), serde_json::json!({"name": "Ada"}));
        assert_eq!(Value::Object(session.extra.clone()), serde_json::json!({"role": "admin"}));
        assert_eq!(
            humantime::format_rfc3339_millis(session.expires.unwrap()).to_string(),
            "2030-01-02T03:04:05.678Z"
        );
    }

    #[test]
    fn lone_surrogate_in_a_name_is_replaced() {
        let Ok(SessionAnswer::Session(session)) = answer(r#"{"user":{"name":"Ada \ud83d"}}"#, &[]) else {
            panic!()
        };
        assert_eq!(session.user["name"], "Ada \u{fffd}");
    }

    #[test]
    fn null_without_a_session_cookie_is_ambiguous() {
        let clear = "authjs.session-token=; Max-Age=0; Path=/";
        let set = "authjs.session-token.0=abc; Path=/";
        for body in ["null", "{}", r#"{"expires":"2030-01-01T00:00:00.000Z"}"#, r#"{"user":null}"#] {
            assert_eq!(answer(body, &[clear]), Ok(SessionAnswer::Refused), "{body}");
            assert_eq!(answer(body, &[clear, set]), Ok(SessionAnswer::SignedOut), "{body}");
            assert_eq!(answer(body, &["authjs.csrf-token=a"]), Err("upstream_ambiguous_session"), "{body}");
        }
    }

    #[test]
    fn invalid_responses_are_outages() {
        for body in [
            "",
            "\"API Route not found.\"",
            "[]",
            "1",
            "true",
            "<!doctype html>",
            "{\"user\":1}",
            "{\"user\":[]}",
            "{\"user\":{},\"expires\":1}",
            "{\"user\":{},\"expires\":\"2001-01-01T00:00:00.000Z\"}",
            "{\"user\":{},\"expires\":\"soon\"}",
            "null null",
            "\u{feff}null",
        ] {
            assert_eq!(answer(body, &[]), Err("upstream_invalid_response"), "{body}");
        }
    }
}

//! Reads the responses of the upstream's `/session`.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::answer::Answer;
use super::cached::CachedSession;
use super::raw::RawSession;
use crate::cookie::{SessionNames, SetCookieKind};
use crate::error::{AuthError, Reason};
use crate::json::replace_lone_surrogates;

/// The most by which the clocks of this machine and of the upstream may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// The largest `/session` response body that is read, in bytes. A session with the claims of a 64 KiB token fits.
pub(crate) const SESSION_LIMIT: usize = 1 << 20;

/// Reads the response to a lookup that sent a session cookie (`docs/authjs.md#session-absent`).
///
/// # Errors
/// - `upstream_failed`, `upstream_overloaded` or `upstream_timeout` for any status but 200.
/// - `upstream_invalid_response` for a body that is neither `null` nor an object. Robo reports "not found" and "failed"
///   with status 200 and a JSON string.
/// - `upstream_ambiguous_session` for `null` without a `Set-Cookie` of the session cookie. Auth.js sends this when its
///   database fails, and when the configured cookie name is not the upstream's.
pub(crate) fn read(response: &Response<Bytes>, names: &SessionNames) -> Result<Answer, AuthError> {
    if response.status() != StatusCode::OK {
        return Err(status_error(response));
    }
    let invalid = |why: &str| AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE).because(why);
    let text = std::str::from_utf8(response.body())
        .map_err(|_| invalid("/session answered with a body that is not UTF-8"))?;
    let object = match serde_json::from_str(&replace_lone_surrogates(text)) {
        Ok(Value::Object(object)) => object,
        Ok(Value::Null) => Map::new(),
        Ok(_) => return Err(invalid("/session answered with neither null nor an object")),
        Err(_) => return Err(invalid("/session answered with a body that is not JSON")),
    };
    match session(object).map_err(invalid)? {
        Some(session) => Ok(Answer::Session(CachedSession::new(session, text.len()))),
        None => signed_out(response, names),
    }
}

/// The session cookies of a response. The CSRF and callback-URL cookies of a lookup are left out: the upstream sets new
/// ones because the lookup sent none, and they would break a form that is open in another tab.
pub(crate) fn session_cookies(response: &Response<Bytes>, names: &SessionNames) -> Vec<HeaderValue> {
    let all = response.headers().get_all(SET_COOKIE).iter();
    all.filter(|value| names.set_cookie_kind(value.as_bytes()).is_some()).cloned().collect()
}

/// The session in a response. `None` without a user: next-auth v4 sends `{}` where v5 sends `null`
/// (`docs/authjs.md#session-absent-v4`), and some session callbacks leave out the user.
fn session(mut object: Map<String, Value>) -> Result<Option<RawSession>, &'static str> {
    let mut user = match object.remove("user") {
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
    object.remove("sessionToken");
    user.remove("sessionToken");
    Ok(Some(RawSession { user, expires, extra: object }))
}

/// The error for a status other than the expected 200.
pub(crate) fn status_error<B>(response: &Response<B>) -> AuthError {
    let retry_after = response.headers().get(RETRY_AFTER).cloned();
    let reason = match response.status() {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Reason::UPSTREAM_OVERLOADED,
        StatusCode::GATEWAY_TIMEOUT => Reason::UPSTREAM_TIMEOUT,
        _ => Reason::UPSTREAM_FAILED,
    };
    AuthError::new(reason)
        .because(format!("the upstream answered {}", response.status()))
        .retry_after(retry_after)
}

/// The answer for a response without a session, by its session cookies.
fn signed_out(response: &Response<Bytes>, names: &SessionNames) -> Result<Answer, AuthError> {
    let kinds = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| names.set_cookie_kind(value.as_bytes()));
    // A token that became shorter clears some chunks and sets others. If any cookie is set, the cookie stays alive.
    kinds
        .map(|kind| match kind {
            SetCookieKind::Sets => Answer::SignedOut,
            SetCookieKind::Clears => Answer::Refused,
        })
        .reduce(|a, b| if a == Answer::SignedOut { a } else { b })
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

    fn answer(status: u16, body: &str, cookies: &[&str]) -> Result<Answer, &'static str> {
        let mut response = Response::builder().status(status);
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
        read(&response, &names).map_err(|error| error.code())
    }

    #[test]
    fn session_is_read_without_its_session_token() {
        let body = r#"{"user":{"name":"Ada","sessionToken":"x"},"expires":"2030-01-02T03:04:05.678Z","sessionToken":"x","role":"admin"}"#;
        let Ok(Answer::Session(session)) = answer(200, body, &[]) else { panic!() };
        assert_eq!(Value::Object(session.raw().user.clone()), serde_json::json!({"name": "Ada"}));
        assert_eq!(Value::Object(session.raw().extra.clone()), serde_json::json!({"role": "admin"}));
        assert_eq!(
            humantime::format_rfc3339_millis(session.raw().expires.unwrap()).to_string(),
            "2030-01-02T03:04:05.678Z"
        );
    }

    #[test]
    fn lone_surrogate_in_a_name_is_replaced() {
        let Ok(Answer::Session(session)) = answer(200, r#"{"user":{"name":"Ada \ud83d"}}"#, &[]) else {
            panic!()
        };
        assert_eq!(session.raw().user["name"], "Ada \u{fffd}");
    }

    #[test]
    fn null_without_a_session_cookie_is_ambiguous() {
        let clear = "authjs.session-token=; Max-Age=0; Path=/";
        let set = "authjs.session-token.0=abc; Path=/";
        for body in ["null", "{}", r#"{"expires":"2030-01-01T00:00:00.000Z"}"#, r#"{"user":null}"#] {
            assert_eq!(answer(200, body, &[clear]), Ok(Answer::Refused), "{body}");
            assert_eq!(answer(200, body, &[clear, set]), Ok(Answer::SignedOut), "{body}");
            assert_eq!(
                answer(200, body, &["authjs.csrf-token=a"]),
                Err("upstream_ambiguous_session"),
                "{body}"
            );
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
            assert_eq!(answer(200, body, &[]), Err("upstream_invalid_response"), "{body}");
        }
        for (status, code) in [
            (500, "upstream_failed"),
            (404, "upstream_failed"),
            (401, "upstream_failed"),
            (302, "upstream_failed"),
            (204, "upstream_failed"),
            (503, "upstream_overloaded"),
            (504, "upstream_timeout"),
        ] {
            assert_eq!(answer(status, "null", &[]), Err(code));
        }
    }
}

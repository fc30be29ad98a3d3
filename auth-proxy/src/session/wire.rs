//! Parses the upstream's `/session` responses: a session, a refused token, or a signed-out visitor.

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

/// How far the clocks of this machine and of the upstream may differ.
const SKEW: Duration = Duration::from_secs(300);

/// The most bytes of a `/session` response that are read. A session with the claims of a 64 KiB token fits.
pub(crate) const SESSION_LIMIT: usize = 1 << 20;

/// Parses the response to a lookup that sent a session cookie (`docs/authjs.md#session-absent`).
///
/// # Errors
/// - `upstream_failed`, `upstream_overloaded` or `upstream_timeout` for any status but 200.
/// - `upstream_invalid_response` for a body other than `null` or an object: Robo reports "not found" and "failed" with
///   status 200 and a JSON string.
/// - `upstream_ambiguous_session` for `null` without a `Set-Cookie` of the session cookie: Auth.js sends that when its
///   database fails, and when `upstream.cookie_name` is not its own cookie name.
pub(crate) fn read(response: &Response<Bytes>, names: &SessionNames) -> Result<Answer, AuthError> {
    if response.status() != StatusCode::OK {
        return Err(status_error(response));
    }
    let invalid = |why: &str| AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE).because(why);
    let text =
        std::str::from_utf8(response.body()).map_err(|_| invalid("the body of /session is not UTF-8"))?;
    let object = match serde_json::from_str(&replace_lone_surrogates(text)) {
        Ok(Value::Object(object)) => object,
        Ok(Value::Null) => Map::new(),
        Ok(_) => return Err(invalid("the body of /session is neither null nor an object")),
        Err(_) => return Err(invalid("the body of /session is not JSON")),
    };
    match session(object).map_err(invalid)? {
        Some(session) => Ok(Answer::Session(CachedSession::new(session, text.len()))),
        None => signed_out(response, names),
    }
}

/// The `Set-Cookie` values of the session cookie. The others are left out: a lookup sends no CSRF cookie, so Auth.js sets
/// a new one, which would invalidate a form that is open in another tab.
pub(crate) fn session_cookies(response: &Response<Bytes>, names: &SessionNames) -> Vec<HeaderValue> {
    let all = response.headers().get_all(SET_COOKIE).iter();
    all.filter(|value| names.concern(value.as_bytes()).is_some()).cloned().collect()
}

/// `None` without a user. next-auth v4 sends `{}` where v5 sends `null` (`docs/authjs.md#session-absent-v4`), and some
/// session callbacks leave out the user.
fn session(mut object: Map<String, Value>) -> Result<Option<RawSession>, &'static str> {
    let mut user = match object.remove("user") {
        Some(Value::Object(user)) => user,
        None | Some(Value::Null) => return Ok(None),
        Some(_) => return Err("the user in /session is not an object"),
    };
    let expires = match object.remove("expires") {
        Some(Value::String(text)) => {
            Some(humantime::parse_rfc3339(&text).map_err(|_| "`expires` in /session is not a date")?)
        }
        None | Some(Value::Null) => None,
        Some(_) => return Err("`expires` in /session is not a string"),
    };
    if expires.is_some_and(|expires| expires + SKEW < SystemTime::now()) {
        return Err(
            "the session in /session has expired: is there a cache before the upstream, or a wrong clock?",
        );
    }
    object.remove("sessionToken");
    user.remove("sessionToken");
    Ok(Some(RawSession { user, expires, extra: object }))
}

/// The error for a status other than 200.
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

fn signed_out(response: &Response<Bytes>, names: &SessionNames) -> Result<Answer, AuthError> {
    let kinds =
        response.headers().get_all(SET_COOKIE).iter().filter_map(|value| names.concern(value.as_bytes()));
    // When a renewed token has fewer chunks, the response clears the surplus ones and sets the others. So if any cookie
    // is set, the token is valid.
    kinds
        .map(|kind| match kind {
            SetCookieKind::Sets => Answer::SignedOut,
            SetCookieKind::Clears => Answer::Refused,
        })
        .reduce(|a, b| if a == Answer::SignedOut { a } else { b })
        .ok_or_else(|| {
            AuthError::new(Reason::UPSTREAM_AMBIGUOUS_SESSION)
                .because("/session answered null and neither cleared nor renewed the cookie that was sent")
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
    fn session_token_is_removed_from_the_session() {
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
    fn lone_surrogate_in_a_user_name_is_replaced() {
        let Ok(Answer::Session(session)) = answer(200, r#"{"user":{"name":"Ada \ud83d"}}"#, &[]) else {
            panic!()
        };
        assert_eq!(session.raw().user["name"], "Ada \u{fffd}");
    }

    #[test]
    fn null_session_without_session_cookie_is_ambiguous() {
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
    fn invalid_session_response_is_an_upstream_error() {
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

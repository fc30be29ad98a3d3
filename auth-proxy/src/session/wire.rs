//! Reads the responses of the upstream's `/session`, and writes the JSON of such a response.

use bytes::Bytes;
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use super::answer::Answer;
use super::cached::CachedSession;
use super::data::SessionData;
use crate::cookie::SessionNames;
use crate::dialect::{Dialect, RawSession, SentToken, SessionAnswer};
use crate::error::{AuthError, Reason};

/// The largest `/session` response body that is read, in bytes. A session with the claims of a 64 KiB token fits.
pub(crate) const SESSION_LIMIT: usize = 1 << 20;

/// Reads the response to a lookup that sent a session cookie. `None` for the session of another token than `sent`.
///
/// # Errors
/// `upstream_failed`, `upstream_overloaded` or `upstream_timeout` for any status but 200, and those of
/// [`Dialect::read_session`].
pub(crate) fn read(
    dialect: &dyn Dialect,
    response: &Response<Bytes>,
    names: &SessionNames,
    sent: Option<SentToken<'_>>,
) -> Result<Option<Answer>, AuthError> {
    if response.status() != StatusCode::OK {
        return Err(status_error(response));
    }
    Ok(Some(match dialect.read_session(response, names, sent)? {
        SessionAnswer::Session(session) => {
            Answer::Session(CachedSession::new(session, response.body().len()))
        }
        SessionAnswer::Refused => Answer::Refused,
        SessionAnswer::SignedOut => Answer::SignedOut,
        SessionAnswer::OtherSession => return Ok(None),
    }))
}

/// The JSON with which the upstream answers this session to page scripts, without its token. The order of its fields may be
/// another.
///
/// # Errors
/// If the session expires in a year that cannot be written.
pub(crate) fn write(dialect: &dyn Dialect, session: &RawSession) -> Result<Vec<u8>, serde_json::Error> {
    let expires = session.expires.filter(|_| dialect.shows_expires());
    serde_json::to_vec(&SessionData { user: &session.user, expires, extra: session.extra.clone() })
}

/// The session cookies of a response. The CSRF and callback-URL cookies of a lookup are left out: the upstream sets new
/// ones because the lookup sent none, and they would break a form that is open in another tab.
pub(crate) fn session_cookies(response: &Response<Bytes>, names: &SessionNames) -> Vec<HeaderValue> {
    let all = response.headers().get_all(SET_COOKIE).iter();
    all.filter(|value| names.family_cookie_kind(value.as_bytes()).is_some()).cloned().collect()
}

/// The error for a status other than the expected 200.
pub(crate) fn status_error<B>(response: &Response<B>) -> AuthError {
    // The rate limiter of some upstreams uses a header of its own, also in seconds.
    let retry_after =
        response.headers().get(RETRY_AFTER).or_else(|| response.headers().get("x-retry-after")).cloned();
    let reason = match response.status() {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Reason::UPSTREAM_OVERLOADED,
        StatusCode::GATEWAY_TIMEOUT => Reason::UPSTREAM_TIMEOUT,
        _ => Reason::UPSTREAM_FAILED,
    };
    AuthError::new(reason)
        .because(format!("the upstream answered {}", response.status()))
        .retry_after(retry_after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_other_than_200_is_an_outage() {
        for (status, code) in [
            (500, "upstream_failed"),
            (404, "upstream_failed"),
            (401, "upstream_failed"),
            (302, "upstream_failed"),
            (204, "upstream_failed"),
            (503, "upstream_overloaded"),
            (504, "upstream_timeout"),
        ] {
            let response = Response::builder().status(status).body(Bytes::from("null")).unwrap();
            assert_eq!(status_error(&response).code(), code);
        }
    }
}

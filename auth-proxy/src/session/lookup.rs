use std::sync::Arc;

use axum::body::Body;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tokio::time::Instant;

use super::cache::{CachedSession, Found, SessionKey};
use super::wire::{self, Answer};
use crate::config::Strategy;
use crate::diagnosis::Finding;
use crate::error::{AuthError, Reason};
use crate::provider::Shared;
use crate::token::{Credential, auth_cookies, read};
use crate::upstream::{Front, body_error, raise_cookies};

/// Bytes of a `/session` answer. Auth.js keeps what it puts there small; a token of 64 KiB fits.
const SESSION_LIMIT: usize = 1 << 20;

/// The session of a credential, as the upstream tells it. `renewed` is given the session cookies that it
/// set or cleared on the way. Where two cookies could be the token, the second is tried when the first is refused.
///
/// # Errors
/// Invalid or unavailable; `None` is absent.
pub(super) async fn session(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    front: impl Fn() -> Result<Front, AuthError>,
    credential: &Credential,
    renewed: &mut Arc<[HeaderValue]>,
) -> Result<Option<CachedSession>, AuthError> {
    let deadline = Instant::now() + shared.settings.timeout;
    for candidate in credential.candidates() {
        let lookup = || {
            let (shared, front) = (Arc::clone(shared), front()?);
            let cookie = cookies(&shared, headers, candidate)?;
            Ok(move |deadline| ask(shared, cookie, front, deadline))
        };
        // Who cannot tell ends no session, not even that of the candidate before.
        let found = shared.sessions.find(candidate, deadline, lookup).await;
        let found = found.inspect_err(|_| *renewed = Arc::default())?;
        *renewed = found.renewed;
        match found.answer {
            Answer::Session(session) => return Ok(Some(session)),
            Answer::SignedOut => return Ok(None),
            Answer::Refused => {}
        }
    }
    Err(AuthError::new(Reason::SESSION_REFUSED).by_bearer(credential.is_bearer()))
}

/// Judges the answer to a `/session` that was forwarded with a credential: what would be trouble of a
/// lookup is trouble for the page that asks, and not a sign-out. Any status but 200 speaks for itself.
///
/// # Errors
/// `upstream_undecided`, `upstream_nonsense`; `upstream_failed` for a body that breaks off, `upstream_timeout`
/// for one that stands still.
pub(crate) async fn judged(shared: &Shared, response: Response<Body>) -> Result<Response<Body>, AuthError> {
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, SESSION_LIMIT).await.map_err(body_error)?;
    let response = Response::from_parts(parts, bytes);
    wire::read(&response, &shared.browser_cookie).inspect_err(|error| {
        if error.is(Reason::UPSTREAM_UNDECIDED) {
            shared.say(Finding::Undecided);
        }
    })?;
    Ok(response.map(Body::from))
}

/// The `Cookie` header of a lookup.
fn cookies(shared: &Shared, headers: &HeaderMap, token: &str) -> Result<HeaderValue, AuthError> {
    let name = &shared.settings.cookie_name;
    if !shared.settings.rewrite.cookie_prefix {
        return Ok(auth_cookies(headers, name, token)?);
    }
    let lines = headers.get_all(COOKIE).iter().map(|line| (COOKIE, line.clone()));
    let mut raised = lines.collect();
    raise_cookies(&mut raised);
    Ok(auth_cookies(&raised, name, token)?)
}

/// One lookup.
async fn ask(
    shared: Arc<Shared>,
    cookie: HeaderValue,
    front: Front,
    deadline: Instant,
) -> Result<Found, AuthError> {
    // What comes back is this app's already.
    let name = &shared.browser_cookie;
    let response = shared.upstream.session(cookie, &front, SESSION_LIMIT, deadline).await;
    let read = response.and_then(|response| Ok((wire::read(&response, name)?, response)));
    let (answer, response) = read.inspect_err(|error| {
        if error.is(Reason::UPSTREAM_UNDECIDED) {
            shared.say(Finding::Undecided);
        }
        tracing::warn!(code = error.code(), source = ?std::error::Error::source(error), "session lookup failed");
    })?;
    let renewed = wire::session_cookies(&response, name);
    let next = renewed_token(&renewed, name, shared.settings.strategy);
    Ok(Found { answer, renewed: renewed.into(), next })
}

/// The token that the browser will come back with after these cookies.
fn renewed_token(renewed: &[HeaderValue], name: &str, strategy: Strategy) -> Option<SessionKey> {
    let mut sent = HeaderMap::new();
    for cookie in renewed {
        let pair = cookie.as_bytes().split(|byte| *byte == b';').next()?;
        sent.append(COOKIE, HeaderValue::from_bytes(pair).ok()?);
    }
    let credential = read(&sent, name, strategy == Strategy::Database).ok()??;
    credential.candidates().next().map(SessionKey::of)
}

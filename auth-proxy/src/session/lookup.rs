use std::sync::Arc;

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode};
use tokio::time::Instant;

use super::cache::{Found, LookedUp};
use super::wire::{self, Answer};
use crate::config::{Kind, Strategy};
use crate::diagnosis::Finding;
use crate::error::{AuthError, Reason};
use crate::provider::Shared;
use crate::token::{Credential, NamesInPlay, SessionName, is_compact, lookup_cookie, token_after};
use crate::upstream::{Front, body_error};

/// Bytes of a `/session` answer. Auth.js keeps what it puts there small; a token of 64 KiB fits.
pub(crate) const SESSION_LIMIT: usize = 1 << 20;

/// What the upstream says of a credential, or what is remembered of it.
///
/// # Errors
/// `token_malformed` and `lookup_too_large`, unasked, for what can be no session; those of the lookup.
pub(super) async fn find(
    shared: &Arc<Shared>,
    front: Front,
    names: NamesInPlay<'_>,
    credential: &Credential,
) -> Result<Found, AuthError> {
    let token = credential.token();
    let may_be_one = match shared.settings.strategy {
        Strategy::Jwt => is_compact(token),
        // Auth.js uses UUIDs as database tokens. A database may take several spellings of other text for the same.
        Strategy::Database => token.bytes().all(|byte| byte.is_ascii_graphic()),
    };
    if !may_be_one {
        if shared.settings.strategy == Strategy::Jwt {
            shared.say(Finding::NoToken);
        }
        return Err(AuthError::new(Reason::TOKEN_MALFORMED).by_bearer(credential.is_bearer()));
    }
    // A Bearer token comes under no name: it is sent under each, of which the upstream reads its own.
    let own = |name: &&SessionName| {
        credential.is_bearer() || names.get(credential.name()).is_some_and(|own| own.place == name.place)
    };
    let sent: Vec<_> = names.iter().filter(own).map(|name| name.upstream.clone()).collect();
    let told = shared.upstream.told(&front);
    let key = shared.keys.token(token, sent.iter().map(String::as_str), &told);
    let deadline = Instant::now() + shared.settings.timeout;
    let lookup = || {
        let cookie = lookup_cookie(sent.iter().map(String::as_str), token)
            .map_err(|error| AuthError::from(error).by_bearer(credential.is_bearer()))?;
        let (shared, front) = (Arc::clone(shared), front.clone());
        Ok(move |deadline| ask(shared, cookie, sent, front, deadline))
    };
    let found = shared.sessions.find(key, deadline, lookup).await;
    // A cookie of a name that this upstream does not use is not a session of it, whatever it does not say of it.
    let is_foreign = || names.get(credential.name()).is_some_and(|name| shared.names.is_foreign(name.place));
    match found {
        Err(error) if error.is(Reason::UPSTREAM_UNDECIDED) && !credential.is_bearer() && is_foreign() => {
            Err(AuthError::new(Reason::SESSION_ABSENT))
        }
        // A lookup is shared: how the token came is this request's own.
        Err(error) if error.is_invalid() => Err(error.by_bearer(credential.is_bearer())),
        found => found,
    }
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
    wire::read(&response, &shared.names).inspect_err(|error| {
        if error.is(Reason::UPSTREAM_UNDECIDED) {
            shared.say(Finding::Undecided);
        }
    })?;
    Ok(response.map(Body::from))
}

/// One lookup.
async fn ask(
    shared: Arc<Shared>,
    cookie: HeaderValue,
    sent: Vec<String>,
    front: Front,
    deadline: Instant,
) -> Result<LookedUp, AuthError> {
    // What comes back is this app's already.
    let response = shared.upstream.session(cookie, &front, SESSION_LIMIT, deadline).await;
    let read = response.and_then(|response| {
        shared.names.learn(response.headers());
        Ok((wire::read(&response, &shared.names)?, response))
    });
    let (answer, response) = read.inspect_err(|error| {
        if error.is(Reason::UPSTREAM_UNDECIDED) {
            shared.say(Finding::Undecided);
        }
        tracing::warn!(code = error.code(), source = ?std::error::Error::source(error), "session lookup failed");
    })?;
    if let Answer::Session(session) = &answer
        && shared.settings.kind == Some(Kind::NextAuthV4)
        && session.raw().is_anonymous()
    {
        // Of the state of a sign-in, which next-auth before 4.24.5 encrypts under the same key (GHSA-v64w-49xw-qq89).
        return Err(AuthError::new(Reason::TOKEN_NOT_A_SESSION));
    }
    let cookies = wire::session_cookies(&response, &shared.names);
    let set = || cookies.iter().map(HeaderValue::as_bytes);
    let token =
        shared.names.all().iter().find_map(|name| token_after(set(), &name.browser, shared.is_opaque()));
    let next = token.map(|token| {
        shared.keys.token(&token, sent.iter().map(String::as_str), &shared.upstream.told(&front))
    });
    Ok(LookedUp { answer, cookies: cookies.into(), next })
}

//! Looks up the session of a credential: in the cache, or else at the upstream's `/session`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use tokio::time::Instant;

use crate::config::Strategy;
use crate::cookie::{
    CookieAdapter, Credential, CredentialError, NamesInPlay, SessionName, is_compact, lookup_bearer,
    lookup_cookie, token_after,
};
use crate::dialect::{SentBearer, SentToken};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::provider::Shared;
use crate::session::{Answer, Found, LookedUp, SESSION_LIMIT, Sent, wire};
use crate::telemetry::{Purpose, Raised};
use crate::upstream::WholeResponse;
use crate::warnings::Warning;

/// Finds the session of a credential: from the cache, or else from the upstream's `/session`.
///
/// `sends_cache`: whether the upstream gets the cookie cache too, and may answer from it.
///
/// # Errors
/// `token_malformed` and `lookup_too_large` if the credential cannot be a session token: the upstream gets no request
/// then. Otherwise the errors of the lookup.
pub(super) async fn find(
    shared: &Arc<Shared>,
    client: ClientInfo,
    names: NamesInPlay<'_>,
    credential: &Arc<Credential>,
    sends_cache: bool,
) -> Result<Found, AuthError> {
    let forwarded = shared.upstream.forwarded_as(&client);
    let sent = Sent {
        token: credential.token(),
        companions: credential.companions(),
        names: sent_names(shared, names, credential).map(|name| name.map(|name| name.upstream.as_str())),
        forwarded,
    };
    // Most requests end here. What was found before has the form of a token.
    if let Some(found) = shared.keys.fingerprint(&sent).and_then(|sent| shared.sessions.known(sent)) {
        return Ok(found);
    }
    // Boxed, so that what asks for a session in memory has a small future, and so has its handler.
    Box::pin(look_up(shared, &client, names, credential, sends_cache, sent)).await
}

/// Finds a session that was not found in memory before.
///
/// # Errors
/// Those of [`find`].
async fn look_up(
    shared: &Arc<Shared>,
    client: &ClientInfo,
    names: NamesInPlay<'_>,
    credential: &Arc<Credential>,
    sends_cache: bool,
    sent: Sent<'_>,
) -> Result<Found, AuthError> {
    let token = credential.token();
    let is_plausible = match shared.settings.strategy {
        Strategy::Jwt => is_compact(token),
        // Auth.js uses UUIDs as database tokens. A database may treat texts that differ in spaces or accents as equal,
        // so only visible ASCII is accepted.
        Strategy::Database | _ => token.bytes().all(|byte| byte.is_ascii_graphic()),
    };
    if !is_plausible {
        if shared.settings.strategy == Strategy::Jwt {
            shared.warn_once(Warning::NoTokenShape);
        }
        return Err(AuthError::new(Reason::TOKEN_MALFORMED).by_bearer(credential.is_bearer()).unasked());
    }
    let key = shared.keys.token(&sent);
    let sent = Vec::from_iter(sent.names.into_iter().flatten().map(str::to_owned));
    let deadline = Instant::now() + shared.settings.timeout;
    let lookup = || {
        let has_cache = sends_cache && !credential.companions()[0].is_empty();
        let header = match credential_header(&sent, credential, has_cache) {
            // The upstream finds the session without the cookie cache too.
            Err(CredentialError::LookupTooLarge) if has_cache => {
                credential_header(&sent, credential, false).map(|header| (header, false))
            }
            header => header.map(|header| (header, has_cache)),
        };
        let header =
            header.map_err(|error| AuthError::from(error).by_bearer(credential.is_bearer()).unasked())?;
        let (shared, credential, client) = (Arc::clone(shared), Arc::clone(credential), client.clone());
        Ok(move |deadline| send_lookup(shared, credential, header, sent, client, deadline))
    };
    let found = shared.sessions.find(key, deadline, lookup).await;
    // The upstream does not read a cookie under a name that it does not use. Its `null` then means a signed-out
    // visitor.
    let is_foreign = || names.get(credential.name()).is_some_and(|name| shared.names.is_foreign(name.index));
    match found {
        Err(error)
            if error.is(Reason::UPSTREAM_AMBIGUOUS_SESSION) && !credential.is_bearer() && is_foreign() =>
        {
            Err(AuthError::new(Reason::SESSION_ABSENT))
        }
        // Requests with the same token share a lookup, so each request marks the error if its own token is a Bearer
        // token.
        Err(error) if error.is_invalid() => Err(error.by_bearer(credential.is_bearer())),
        found => found,
    }
}

/// The names of the session cookie under which a lookup sends the token. Empty if it sends a Bearer token as such.
fn sent_names<'n>(
    shared: &Shared,
    names: NamesInPlay<'n>,
    credential: &Credential,
) -> [Option<&'n SessionName>; 2] {
    let is_sent = |name: &&SessionName| match (credential.is_bearer(), shared.dialect.sent_bearer()) {
        (false, _) => names.get(credential.name()).is_some_and(|own| own.index == name.index),
        // A Bearer token has no cookie name. The upstream reads one of them.
        (true, SentBearer::AsCookie) => true,
        (true, SentBearer::AsBearer) => false,
    };
    let mut sent = names.iter().filter(is_sent);
    // There are at most two names.
    [sent.next(), sent.next()]
}

/// The header of a lookup that carries the token, with the cookie cache or without.
///
/// # Errors
/// `LookupTooLarge`.
fn credential_header(
    sent: &[String],
    credential: &Credential,
    with_cache: bool,
) -> Result<(HeaderName, HeaderValue), CredentialError> {
    if sent.is_empty() {
        return Ok((AUTHORIZATION, lookup_bearer(credential.token())?));
    }
    let names = sent.iter().map(String::as_str);
    let [cache, others] = credential.companions();
    let cache = if with_cache { cache } else { "" };
    Ok((COOKIE, lookup_cookie(names, credential.token(), &[cache, others])?))
}

/// Sends a lookup and reads its response. `with_cache` tells whether `header` has the cookie cache.
async fn send_lookup(
    shared: Arc<Shared>,
    credential: Arc<Credential>,
    (header, with_cache): ((HeaderName, HeaderValue), bool),
    sent: Vec<String>,
    client: ClientInfo,
    deadline: Instant,
) -> Result<LookedUp, AuthError> {
    let _permit = shared.upstream.admission.enter(deadline).await?;
    let _in_flight = Raised::in_flight();
    let read = read(&shared, &credential, (header, with_cache), &sent, &client, deadline).await;
    let (answer, response) = read.inspect_err(|error| {
        if error.is(Reason::UPSTREAM_AMBIGUOUS_SESSION) {
            shared.warn_once(Warning::AmbiguousSession);
        }
        if error.is_unavailable() {
            shared.upstream.last_lookup.ended(Some(error.code()));
        }
        shared.upstream.lookup_log.failed(error);
    })?;
    shared.upstream.last_lookup.ended(None);
    shared.upstream.lookup_log.succeeded();
    if let Answer::Session(session) = &answer
        && shared.dialect.is_no_session(&session.raw())
    {
        return Err(AuthError::new(Reason::TOKEN_NOT_A_SESSION));
    }
    let cookies = wire::session_cookies(&response, &shared.names);
    let set = || cookies.iter().map(HeaderValue::as_bytes);
    let token =
        shared.names.all().iter().find_map(|name| token_after(set(), &name.browser, shared.is_opaque()));
    let next = token.map(|token| {
        // A new token comes with new companions, so its next lookup is not found under this key, and is sent.
        let forwarded = shared.upstream.forwarded_as(&client);
        let mut names = sent.iter().map(String::as_str);
        let names = [names.next(), names.next()];
        shared.keys.token(&Sent { token: &token, companions: ["", ""], names, forwarded })
    });
    Ok(LookedUp { answer, cookies: cookies.into(), next })
}

/// Asks for the session of a credential, and once more without the cookie cache if the upstream cannot use the cache.
async fn read(
    shared: &Shared,
    credential: &Credential,
    (header, with_cache): ((HeaderName, HeaderValue), bool),
    sent: &[String],
    client: &ClientInfo,
    deadline: Instant,
) -> Result<(Answer, Response<Bytes>), AuthError> {
    // A cache that is too long for a lookup is not sent. An upstream without a database knows no session without it, so
    // only a session counts then.
    let was_left_out = !with_cache && !credential.companions()[0].is_empty();
    let mut asked = ask(shared, credential, header, with_cache, client, deadline).await?;
    if with_cache && !matches!(asked, Asked::Answered(..)) {
        let header = credential_header(sent, credential, false)?;
        let again = ask(shared, credential, header, false, client, deadline).await;
        asked = match (asked, again) {
            (Asked::Failed(_), Ok(found @ Asked::Answered(Answer::Session(_), _))) => found,
            // An upstream without a database knows no session without its cookie cache, so its `null` says nothing.
            (failed @ Asked::Failed(_), _) => failed,
            (_, again) => again?,
        };
    }
    match asked {
        Asked::Answered(Answer::Session(session), response) => Ok((Answer::Session(session), response)),
        Asked::Answered(..) if was_left_out => Err(CredentialError::LookupTooLarge.into()),
        Asked::Answered(answer, response) => Ok((answer, response)),
        Asked::Failed(error) => Err(error),
        Asked::OtherSession => Err(AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE)
            .because("it answered with the session of another token")),
    }
}

/// What the upstream answered.
enum Asked {
    Answered(Answer, Response<Bytes>),
    /// The session of another token: the cookie cache may be that of another session.
    OtherSession,
    /// Status 500 to a lookup with the cookie cache, which the upstream may be unable to read.
    Failed(AuthError),
}

/// Asks the upstream for the session of a credential.
async fn ask(
    shared: &Shared,
    credential: &Credential,
    header: (HeaderName, HeaderValue),
    with_cache: bool,
    client: &ClientInfo,
    deadline: Instant,
) -> Result<Asked, AuthError> {
    let response = get_session(shared, header, client, deadline).await?;
    shared.names.learn(response.headers(), shared.upstream.forwarded_as(client).scheme == "https");
    let sent = SentToken { token: credential.token(), with_cache };
    if with_cache && response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        return Ok(Asked::Failed(wire::status_error(&response)));
    }
    let answer = wire::read(shared.dialect, &response, &shared.names, Some(sent))?;
    Ok(answer.map_or(Asked::OtherSession, |answer| Asked::Answered(answer, response)))
}

/// Sends `GET /session` to the upstream with this header, and adapts the response's cookies for the browser.
///
/// # Errors
/// Those of [`send_whole`](crate::upstream::Upstream::send_whole), and an outage for a status that means one.
async fn get_session(
    shared: &Shared,
    (name, credential): (HeaderName, HeaderValue),
    client: &ClientInfo,
    deadline: Instant,
) -> Result<Response<Bytes>, AuthError> {
    let mut request = shared.upstream.get(shared.dialect.session_path()).map_err(AuthError::unasked)?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(name, credential);
    shared.upstream.finish_head(headers, client).map_err(AuthError::unasked)?;
    let WholeResponse { mut response, is_outage } =
        shared.upstream.send_whole(Purpose::Lookup, request, SESSION_LIMIT, deadline).await?;
    if is_outage {
        return Err(wire::status_error(&response).outage());
    }
    let own = client.origin(shared.settings.public_url.as_ref());
    CookieAdapter::new(&shared.settings, own).adapt(response.headers_mut());
    Ok(response)
}

//! Lookups: what the upstream's `/session` says of a credential, or the cache in front of it.

use std::sync::Arc;

use http::HeaderValue;
use tokio::time::Instant;

use crate::config::{Kind, Strategy};
use crate::cookie::{Credential, NamesInPlay, SessionName, is_compact, lookup_cookie, token_after};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::provider::Shared;
use crate::session::{Answer, Found, LookedUp, SESSION_LIMIT, wire};
use crate::warnings::Warning;

/// What the upstream says of a credential, or what is remembered of it.
///
/// # Errors
/// `token_malformed` and `lookup_too_large`, unasked, for what can be no session; those of the lookup.
pub(super) async fn find(
    shared: &Arc<Shared>,
    client: ClientInfo,
    names: NamesInPlay<'_>,
    credential: &Credential,
) -> Result<Found, AuthError> {
    let token = credential.token();
    let may_be_one = match shared.settings.strategy {
        Strategy::Jwt => is_compact(token),
        // Auth.js uses UUIDs as database tokens. A database may take several spellings of other text for the same.
        _ => token.bytes().all(|byte| byte.is_ascii_graphic()),
    };
    if !may_be_one {
        if shared.settings.strategy == Strategy::Jwt {
            shared.warn_once(Warning::NoTokenShape);
        }
        return Err(AuthError::new(Reason::TOKEN_MALFORMED).by_bearer(credential.is_bearer()));
    }
    // A Bearer token comes under no name: it is sent under each, of which the upstream reads its own.
    let own = |name: &&SessionName| {
        credential.is_bearer() || names.get(credential.name()).is_some_and(|own| own.place == name.place)
    };
    let sent: Vec<_> = names.iter().filter(own).map(|name| name.upstream.clone()).collect();
    let told = shared.upstream.forwarded_as(&client);
    let key = shared.keys.token(token, sent.iter().map(String::as_str), &told);
    let deadline = Instant::now() + shared.settings.timeout;
    let lookup = || {
        let cookie = lookup_cookie(sent.iter().map(String::as_str), token)
            .map_err(|error| AuthError::from(error).by_bearer(credential.is_bearer()))?;
        let (shared, client) = (Arc::clone(shared), client.clone());
        Ok(move |deadline| ask(shared, cookie, sent, client, deadline))
    };
    let found = shared.sessions.find(key, deadline, lookup).await;
    // A cookie of a name that this upstream does not use is not a session of it, whatever it does not say of it.
    let is_foreign = || names.get(credential.name()).is_some_and(|name| shared.names.is_foreign(name.place));
    match found {
        Err(error)
            if error.is(Reason::UPSTREAM_AMBIGUOUS_SESSION) && !credential.is_bearer() && is_foreign() =>
        {
            Err(AuthError::new(Reason::SESSION_ABSENT))
        }
        // A lookup is shared: how the token came is this request's own.
        Err(error) if error.is_invalid() => Err(error.by_bearer(credential.is_bearer())),
        found => found,
    }
}

/// One lookup.
async fn ask(
    shared: Arc<Shared>,
    cookie: HeaderValue,
    sent: Vec<String>,
    client: ClientInfo,
    deadline: Instant,
) -> Result<LookedUp, AuthError> {
    // What comes back is this app's already.
    let response = shared.upstream.session(cookie, &client, SESSION_LIMIT, deadline).await;
    let read = response.and_then(|response| {
        shared.names.learn(response.headers());
        Ok((wire::read(&response, &shared.names)?, response))
    });
    let (answer, response) = read.inspect_err(|error| {
        if error.is(Reason::UPSTREAM_AMBIGUOUS_SESSION) {
            shared.warn_once(Warning::AmbiguousSession);
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
        shared.keys.token(&token, sent.iter().map(String::as_str), &shared.upstream.forwarded_as(&client))
    });
    Ok(LookedUp { answer, cookies: cookies.into(), next })
}

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue};

use super::local;
use super::wire::{self, Answer, RawSession};
use crate::config::Source;
use crate::diagnosis::Finding;
use crate::error::{AuthError, Reason};
use crate::provider::Shared;
use crate::token::{Credential, auth_cookies};
use crate::upstream::{Front, raise_cookies};

/// Bytes of a `/session` answer. Auth.js keeps what it puts there small; a token of 64 KiB fits.
const SESSION_LIMIT: usize = 1 << 20;

/// The session of a credential, from the configured source. `renewed` is given the session cookies
/// that the upstream set or cleared on the way.
///
/// # Errors
/// Invalid or unavailable; `None` is absent.
pub(super) async fn session(
    shared: &Shared,
    headers: &HeaderMap,
    front: Result<Front, AuthError>,
    credential: &Credential,
    renewed: &mut Vec<HeaderValue>,
) -> Result<Option<RawSession>, AuthError> {
    match shared.settings.source {
        Source::Local => {
            let claims = shared.decode(credential)?;
            Ok(local::session(shared.mapping.as_ref(), &claims))
        }
        Source::Upstream => ask(shared, headers, &front?, credential, renewed).await,
    }
}

/// Asks the upstream. Where two cookies could be the token, the second is tried when the first is
/// refused.
async fn ask(
    shared: &Shared,
    headers: &HeaderMap,
    front: &Front,
    credential: &Credential,
    renewed: &mut Vec<HeaderValue>,
) -> Result<Option<RawSession>, AuthError> {
    let name = &shared.settings.cookie_name;
    let headers = if shared.settings.rewrite.cookie_prefix {
        let mut raised = headers.clone();
        raise_cookies(&mut raised);
        Cow::Owned(raised)
    } else {
        Cow::Borrowed(headers)
    };
    for candidate in credential.candidates() {
        let cookie = auth_cookies(&headers, name, candidate).map_err(AuthError::from)?;
        let response = shared.upstream.session(cookie, front, SESSION_LIMIT).await;
        // What comes back is this app's already.
        let back = &shared.browser_cookie;
        let read = response.and_then(|response| Ok((wire::read(&response, back)?, response)));
        let (answer, response) = read.inspect_err(|error| {
            if error.is(Reason::UPSTREAM_UNDECIDED) {
                shared.say(Finding::Undecided);
            }
            tracing::warn!(code = error.code(), source = ?std::error::Error::source(error), "session lookup failed");
        })?;
        *renewed = wire::session_cookies(&response, back);
        match answer {
            Answer::Session(session) => return Ok(Some(session)),
            Answer::SignedOut => return Ok(None),
            Answer::Refused => {}
        }
    }
    Err(AuthError::new(Reason::SESSION_REFUSED).by_bearer(credential.is_bearer()))
}

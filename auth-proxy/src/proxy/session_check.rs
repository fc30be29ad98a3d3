//! Checks the response to a forwarded `/session` request.

use axum::body::Body;
use http::{Response, StatusCode};

use crate::error::{AuthError, Reason};
use crate::provider::Shared;
use crate::session::{SESSION_LIMIT, wire};
use crate::upstream::body_error;
use crate::warnings::Warning;

/// Checks the response to a `/session` request that was forwarded with a credential. If a lookup would treat the
/// response as an outage, the page gets an error, so that it does not take the outage for a sign-out. A status other
/// than 200 passes unchanged.
///
/// # Errors
/// `upstream_ambiguous_session`, `upstream_invalid_response`; `upstream_failed` for a body that breaks off,
/// `upstream_timeout` for a body that stalls.
pub(super) async fn check_forwarded_session(
    shared: &Shared,
    response: Response<Body>,
) -> Result<Response<Body>, AuthError> {
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, SESSION_LIMIT).await.map_err(body_error)?;
    let response = Response::from_parts(parts, bytes);
    wire::read(shared.dialect, &response, &shared.names, None).inspect_err(|error| {
        if error.is(Reason::UPSTREAM_AMBIGUOUS_SESSION) {
            shared.warn_once(Warning::AmbiguousSession);
        }
    })?;
    Ok(response.map(Body::from))
}

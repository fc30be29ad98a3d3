//! The route `{base_path}/_revoke`, by which the upstream revokes tokens: with signed messages, or with the logout tokens
//! of OpenID Connect.

mod back_channel;
mod message;
mod signed;

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use tracing::Instrument as _;

use crate::audit::{About, RevokedBy};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::provider::{Revoked, Shared};

/// The last segment of the path. Neither Auth.js nor Better Auth has a route that begins with `_`, except `_log` of
/// Auth.js.
const ROUTE: &str = "/_revoke";

/// The content type of a form, without its parameters.
const FORM: &str = "application/x-www-form-urlencoded";

/// Whether messages of either kind are taken.
fn is_on(shared: &Shared) -> bool {
    !shared.webhook.is_empty() || shared.back_channel.is_some()
}

/// The path of the route. `None` if it is off.
pub(super) fn path(shared: &Shared) -> Option<String> {
    is_on(shared).then(|| format!("{}{ROUTE}", shared.settings.base_path))
}

/// Whether a request is for the route. Never if it is off.
pub(super) fn is_for(shared: &Shared, path: &str) -> bool {
    is_on(shared) && path.strip_prefix(shared.settings.base_path.as_str()) == Some(ROUTE)
}

/// Revokes what a message says.
///
/// # Errors
/// `method_not_allowed`; `revocation_kind_off`; those of [`signed::answer`] and [`back_channel::answer`].
pub(super) async fn answer(shared: &Shared, parts: &Parts, body: Body) -> Result<Response, AuthError> {
    if parts.method != Method::POST {
        return Err(AuthError::new(Reason::METHOD_NOT_ALLOWED).allow("POST"));
    }
    let answer = if is_form(&parts.headers) {
        back_channel::answer(shared, parts, body).await
    } else {
        signed::answer(shared, parts, body).await
    };
    let status = answer.inspect_err(|error| {
        if !error.is_unavailable() {
            shared.audit.revocation_refused(error.code(), || sender(shared, parts));
        }
    })?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Whether the body is a form, and so a logout token. Any other message must be signed.
fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let essence = one.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(FORM)
}

/// Revokes at every instance.
///
/// # Errors
/// `revocation_not_stored`.
async fn revoke(
    shared: &Shared,
    parts: &Parts,
    (revoked, by): (&Revoked, RevokedBy),
    now: u64,
) -> Result<(), AuthError> {
    let what = revoked.what();
    let (subject, session) = shared.names_of_revoked(revoked);
    let about = About { subject, session, ..sender(shared, parts) };
    let told = shared.sessions.revoke(vec![shared.revocation_of(revoked)], now);
    let audit = shared.audit.clone();
    // In a task: the revocation is carried out even if the sender does not wait, and must not go unrecorded.
    let recorded = async move {
        let is_stored = told.await;
        tracing::info!(target: "auth_proxy::proxy", kind = what.name(), is_stored, "revoked by the upstream");
        audit.revoked(what, by, is_stored, || about);
        is_stored
    };
    let is_stored = tokio::spawn(recorded.in_current_span()).await.unwrap_or(false);
    if is_stored { Ok(()) } else { Err(AuthError::new(Reason::REVOCATION_NOT_STORED)) }
}

/// The sender of a message.
fn sender(shared: &Shared, parts: &Parts) -> About {
    About { client: ClientInfo::address_of(parts, &shared.settings), ..About::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_type_tells_a_form() {
        let headers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            headers
        };
        for form in
            [FORM, "APPLICATION/X-www-form-urlencoded", "application/x-www-form-urlencoded ; charset=UTF-8"]
        {
            assert!(is_form(&headers(&[form])), "{form}");
        }
        for other in
            [&[][..], &["application/json"], &[""], &["application/x-www-form-urlencoded2"], &[FORM, FORM]]
        {
            assert!(!is_form(&headers(other)), "{other:?}");
        }
    }
}

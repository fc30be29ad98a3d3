//! Messages in JSON that are signed with `revocation.webhook_secret`.

use axum::body::Body;
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use super::super::read_body::read;
use super::message::Message;
use super::revoke;
use crate::audit::RevokedBy;
use crate::error::{AuthError, Reason};
use crate::provider::Shared;
use crate::revocation::{BadSignature, Signature};

const HEADER: &str = "x-auth-proxy-signature";

const MOST_BYTES: usize = 4096;

/// Revokes what a signed message says.
///
/// # Errors
/// `revocation_kind_off`; `signature_missing` to `signature_wrong`; `body_too_large`, `body_late`, `body_broken`;
/// `revocation_invalid`; `revocation_without_tokens`; `revocation_not_stored`.
pub(super) async fn answer(shared: &Shared, parts: &Parts, body: Body) -> Result<StatusCode, AuthError> {
    if shared.webhook.is_empty() {
        return Err(AuthError::new(Reason::REVOCATION_KIND_OFF));
    }
    // Whatever can be refused without the body is refused before it is read.
    let signature = signature(&parts.headers)?;
    let now = shared.now();
    signature.check_time(now).map_err(refused)?;
    let body = read(shared, body, MOST_BYTES).await?;
    signature.check(&shared.webhook, &body).map_err(refused)?;
    let message = Message::read(&body).and_then(|message| message.revoked(signature.at(), now));
    let revoked = message.ok_or_else(|| AuthError::new(Reason::REVOCATION_INVALID))?;
    if !shared.can_revoke(&revoked) {
        return Err(AuthError::new(Reason::REVOCATION_WITHOUT_TOKENS));
    }
    revoke(shared, parts, (&revoked, RevokedBy::Webhook), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The signature of a request.
fn signature(headers: &HeaderMap) -> Result<Signature, AuthError> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Signature::read(value.as_bytes()).map_err(refused),
        (Some(_), Some(_)) => Err(refused(BadSignature::Malformed)),
        (None, _) => Err(AuthError::new(Reason::SIGNATURE_MISSING).without_challenge()),
    }
}

fn refused(bad: BadSignature) -> AuthError {
    let reason = match bad {
        BadSignature::Malformed => Reason::SIGNATURE_MALFORMED,
        BadSignature::Late => Reason::SIGNATURE_LATE,
        BadSignature::Wrong => Reason::SIGNATURE_WRONG,
    };
    AuthError::new(reason).without_challenge()
}

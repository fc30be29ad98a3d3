//! The route `{base_path}/_revoke`, by which the upstream revokes tokens.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Deserializer};
use tokio::time::timeout;

use crate::error::{AuthError, Reason};
use crate::provider::{Revoked, Shared};
use crate::revocation::{BadSignature, Signature, bytes_of_hex};

/// The last segment of the path. Neither Auth.js nor Better Auth has a route that begins with `_`, except `_log` of
/// Auth.js.
const ROUTE: &str = "/_revoke";

const HEADER: &str = "x-auth-proxy-signature";

const MOST_BYTES: usize = 4096;

/// The longest time that the few bytes of a message may take.
const SLOWEST: Duration = Duration::from_secs(10);

/// The path of the route. `None` if it is off.
pub(super) fn path(shared: &Shared) -> Option<String> {
    (!shared.webhook.is_empty()).then(|| format!("{}{ROUTE}", shared.settings.base_path))
}

/// Whether a request is for the route. Never if it is off.
pub(super) fn is_for(shared: &Shared, path: &str) -> bool {
    !shared.webhook.is_empty() && path.strip_prefix(shared.settings.base_path.as_str()) == Some(ROUTE)
}

/// Revokes what a signed message says.
///
/// # Errors
/// `method_not_allowed`; `signature_missing` to `signature_wrong`; `body_too_large`, `body_late`, `body_broken`;
/// `revocation_invalid`; `revocation_not_stored`.
pub(super) async fn answer(shared: &Shared, parts: &Parts, body: Body) -> Result<Response, AuthError> {
    if parts.method != Method::POST {
        return Err(AuthError::new(Reason::METHOD_NOT_ALLOWED).allow("POST"));
    }
    // Whatever can be refused without the body is refused before it is read.
    let signature = signature(&parts.headers)?;
    let now = shared.now();
    signature.check_time(now).map_err(refused)?;
    let body = read(body, SLOWEST.min(shared.settings.timeout)).await?;
    signature.check(&shared.webhook, &body).map_err(refused)?;
    let message = Message::read(&body).and_then(|message| message.revoked(signature.at(), now));
    let revoked = message.ok_or_else(|| AuthError::new(Reason::REVOCATION_INVALID))?;
    revoke(shared, &revoked, now).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Revokes at every instance.
async fn revoke(shared: &Shared, revoked: &Revoked, now: u64) -> Result<(), AuthError> {
    let kind = revoked.kind();
    let is_stored = shared.sessions.revoke(vec![shared.revocation_of(revoked)], now).await;
    tracing::info!(target: "auth_proxy::proxy", kind, is_stored, "revoked by the upstream");
    if is_stored { Ok(()) } else { Err(AuthError::new(Reason::REVOCATION_NOT_STORED)) }
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

/// Reads a body.
async fn read(body: Body, slowest: Duration) -> Result<axum::body::Bytes, AuthError> {
    let read = timeout(slowest, to_bytes(body, MOST_BYTES)).await;
    read.map_err(|_| AuthError::new(Reason::BODY_LATE))?.map_err(|error| {
        let cause = std::error::Error::source(&error);
        let is_too_large = cause.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        let reason = if is_too_large { Reason::BODY_TOO_LARGE } else { Reason::BODY_BROKEN };
        AuthError::new(reason).because(error)
    })
}

/// The body of a message. A name that it does not know may restrict what is revoked, so it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(default, deserialize_with = "given")]
    token_hash: Option<String>,
    #[serde(default, deserialize_with = "given")]
    session: Option<String>,
    #[serde(default, deserialize_with = "given")]
    subject: Option<String>,
    #[serde(default, deserialize_with = "given")]
    issued_before: Option<u64>,
}

/// A value that is not `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Message {
    fn read(body: &[u8]) -> Option<Self> {
        // serde would take a list of the values too.
        body.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(body).ok())?
    }

    /// What it revokes. `None` if it does not name exactly one thing. `signed_at` is the time in its signature.
    fn revoked(self, signed_at: u64, now: u64) -> Option<Revoked> {
        let named = |name: &String| !name.is_empty();
        match self {
            Self { token_hash: Some(hash), session: None, subject: None, issued_before: None } => {
                Some(Revoked::Token { hash: bytes_of_hex(&hash)? })
            }
            Self { token_hash: None, session: Some(name), subject: None, issued_before: None } => {
                Some(name).filter(named).map(|name| Revoked::Session { name })
            }
            Self { token_hash: None, session: None, subject: Some(name), issued_before } => {
                let issued_before = issued_before.unwrap_or(signed_at);
                // A later time would refuse the sign-ins to come.
                if Signature::is_future(issued_before, now) {
                    return None;
                }
                Some(name).filter(named).map(|name| Revoked::Subject { name, issued_before })
            }
            _ => None,
        }
    }
}

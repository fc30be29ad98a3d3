//! Reads the few bytes of a body whole.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use tokio::time::timeout;

use crate::error::{AuthError, Reason};
use crate::provider::Shared;

/// The longest time that the few bytes may take.
const SLOWEST: Duration = Duration::from_secs(10);

/// Reads a body of at most this many bytes.
///
/// # Errors
/// `body_too_large`, `body_late`, `body_broken`.
pub(super) async fn read(shared: &Shared, body: Body, most: usize) -> Result<Bytes, AuthError> {
    let read = timeout(SLOWEST.min(shared.settings.timeout), to_bytes(body, most)).await;
    read.map_err(|_| AuthError::new(Reason::BODY_LATE))?.map_err(|error| {
        let cause = std::error::Error::source(&error);
        let is_too_large = cause.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        let reason = if is_too_large { Reason::BODY_TOO_LARGE } else { Reason::BODY_BROKEN };
        AuthError::new(reason).because(error)
    })
}

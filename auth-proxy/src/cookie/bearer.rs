//! Reads the Bearer token of an `Authorization` header.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::error::CredentialError;
use super::scan::COOKIE_LIMIT;

/// The value after `Bearer`, still percent-encoded. The scheme must be spelled exactly like this, and exactly one space
/// follows it (`docs/authjs.md#bearer`). `None` for another scheme.
///
/// # Errors
/// `BearerMalformed`, `BearerTooLarge`.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&[u8]>, CredentialError> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let value = match value.as_bytes().strip_prefix(b"Bearer") {
        Some([]) => return Err(CredentialError::BearerMalformed),
        Some([b' ', value @ ..]) => value,
        Some(_) | None => return Ok(None),
    };
    if value.len() > COOKIE_LIMIT {
        return Err(CredentialError::BearerTooLarge);
    }
    let value = value.trim_ascii_end();
    if value.is_empty() || value.iter().any(|byte| matches!(byte, b' ' | b'\t')) {
        return Err(CredentialError::BearerMalformed);
    }
    Ok(Some(value))
}

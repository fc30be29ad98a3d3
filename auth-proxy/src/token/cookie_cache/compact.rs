//! The compact form of a cookie cache: base64url of `{"session":P,"expiresAt":E,"signature":S}`, where `S` is an
//! HMAC-SHA256 of the text of `P` with `E` as its last member (`docs/better-auth.md#cookie-cache`).

use std::borrow::Cow;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::NotUsable;
use crate::token::{base64url, json};

/// The largest integer that JavaScript writes without rounding.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

#[derive(Deserialize)]
struct Envelope<'t> {
    #[serde(borrow)]
    session: &'t RawValue,
    #[serde(rename = "expiresAt")]
    expires_at: u64,
    #[serde(borrow)]
    signature: Cow<'t, str>,
}

/// The text of the data, and the millisecond from which on the cache is expired.
///
/// The signature is checked over the bytes that were sent. Written again, the JSON could be another text: the order of
/// members, the form of numbers and escapes can differ.
///
/// # Errors
/// `Malformed`, `Tampered`.
pub(super) fn open(cache: &str, key: &hmac::Key) -> Result<(String, u64), NotUsable> {
    let mut decoded = Vec::with_capacity(base64url::decoded_len(cache.len()));
    base64url::append(cache, &mut decoded).ok_or(NotUsable::Malformed)?;
    let decoded = String::from_utf8(decoded).map_err(|_| NotUsable::Malformed)?;
    let envelope: Envelope<'_> = json::object(&decoded)?;
    let payload = envelope.session.get();
    let signature: [u8; 32] = base64url::array(&envelope.signature).ok_or(NotUsable::Malformed)?;
    let members = payload.strip_suffix('}').ok_or(NotUsable::Malformed)?;
    if envelope.expires_at > MAX_SAFE_INTEGER {
        return Err(NotUsable::Malformed);
    }
    let mut mac = hmac::Context::with_key(key);
    mac.update(members.as_bytes());
    mac.update(format!(r#","expiresAt":{}}}"#, envelope.expires_at).as_bytes());
    verify_slices_are_equal(mac.sign().as_ref(), &signature).map_err(|_| NotUsable::Tampered)?;
    Ok((payload.to_owned(), envelope.expires_at))
}

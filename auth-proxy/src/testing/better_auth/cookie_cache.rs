//! The text of the cookie cache: `session_data` (`docs/better-auth.md#cookie-cache`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::config::TokenFormat;

/// The session in a cookie, and when the cookie ends. Both are JSON, as a lookup shows them.
#[derive(Clone, Deserialize)]
pub(super) struct Cached {
    pub(super) session: Value,
    pub(super) user: Value,
    #[serde(skip)]
    pub(super) expires_ms: u64,
}

/// Whether the fake can write this format.
pub(in crate::testing) fn is_supported(format: TokenFormat) -> bool {
    matches!(format, TokenFormat::Compact)
}

/// The value of the cookie, before it is split.
pub(super) fn encode(format: TokenFormat, secret: &str, cached: &Cached) -> String {
    debug_assert!(is_supported(format), "the builder refuses other formats");
    compact(secret, &payload(cached), cached.expires_ms)
}

/// Reads the value of the cookie. `None` if the signature is wrong. Whether it has expired is not checked.
pub(super) fn decode(format: TokenFormat, secret: &str, value: &str) -> Option<Cached> {
    debug_assert!(is_supported(format), "the builder refuses other formats");
    read_compact(secret, value)
}

/// The payload, which is the same in every format.
fn payload(cached: &Cached) -> String {
    let Cached { session, user, .. } = cached;
    format!(
        r#"{{"session":{session},"user":{user},"updatedAt":{},"version":"1"}}"#,
        unix_ms(SystemTime::now())
    )
}

/// The default format: JSON in base64url, with an HMAC of the payload and the end.
fn compact(secret: &str, payload: &str, expires_ms: u64) -> String {
    let signature =
        URL_SAFE_NO_PAD.encode(hmac::sign(&key(secret), signed_text(payload, expires_ms).as_bytes()));
    let json = format!(r#"{{"session":{payload},"expiresAt":{expires_ms},"signature":"{signature}"}}"#);
    URL_SAFE_NO_PAD.encode(json)
}

fn read_compact(secret: &str, value: &str) -> Option<Cached> {
    #[derive(Deserialize)]
    struct Compact<'a> {
        #[serde(borrow)]
        session: &'a RawValue,
        #[serde(rename = "expiresAt")]
        expires_ms: u64,
        signature: String,
    }
    let json = URL_SAFE_NO_PAD.decode(value).ok()?;
    let compact: Compact<'_> = serde_json::from_slice(&json).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(compact.signature).ok()?;
    let text = signed_text(compact.session.get(), compact.expires_ms);
    hmac::verify(&key(secret), text.as_bytes(), &signature).ok()?;
    let cached: Cached = serde_json::from_str(compact.session.get()).ok()?;
    Some(Cached { expires_ms: compact.expires_ms, ..cached })
}

/// The payload with the end as its last field.
fn signed_text(payload: &str, expires_ms: u64) -> String {
    let fields = payload.strip_suffix('}').unwrap_or(payload);
    format!(r#"{fields},"expiresAt":{expires_ms}}}"#)
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

pub(super) fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Made by `better-auth` 1.7.25.
    const REAL: &str = include_str!("compact.txt");

    #[test]
    fn cookie_of_the_real_library_is_read() {
        let secret = "h1-test-secret-0123456789abcdefghijklmnopqrstuv";
        let cached = decode(TokenFormat::Compact, secret, REAL.trim()).unwrap();
        assert_eq!((&cached.user["name"], &cached.session["ipAddress"]), (&json!("Ada"), &json!("")));
        assert!(decode(TokenFormat::Compact, "another secret", REAL.trim()).is_none());
    }

    #[test]
    fn cookie_is_read_back() {
        let cached = Cached { session: json!({ "token": "t" }), user: json!({ "id": "1" }), expires_ms: 5 };
        let value = encode(TokenFormat::Compact, "secret", &cached);
        let read = decode(TokenFormat::Compact, "secret", &value).unwrap();
        assert_eq!((read.session, read.user, read.expires_ms), (cached.session, cached.user, 5));
        assert!(value.starts_with("eyJzZXNzaW9uIjp7"));
    }
}

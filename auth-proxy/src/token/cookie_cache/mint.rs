//! Issues signed cookies and cookie caches as the upstream does. For tests only: this crate never issues a session.

use auth_proxy_rules::TokenFormat;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::dialect::{cookie_cache_marks, token_key};
use crate::token::encrypt::seal;
use crate::token::keys;

/// The value of a signed cookie, not percent-encoded.
pub(crate) fn signed_cookie(value: &str, secret: &str) -> String {
    format!("{value}.{}", STANDARD.encode(hmac_sha256(secret, value)))
}

/// The cache of a session in a format of cookie caches. `session` has the members `session` and `user`; `updatedAt` and
/// `version` are added unless they are there. `issued_ms` and `expires_ms` are milliseconds since the Unix epoch.
///
/// `None` for another format, and if the cryptography fails.
pub(crate) fn cookie_cache(
    format: TokenFormat,
    session: &Map<String, Value>,
    (issued_ms, expires_ms): (u64, u64),
    secret: &str,
) -> Option<String> {
    if !matches!(format, TokenFormat::Compact | TokenFormat::Jwt | TokenFormat::Jwe) {
        return None;
    }
    let mut payload = session.clone();
    payload.entry("updatedAt").or_insert_with(|| json!(issued_ms));
    payload.entry("version").or_insert_with(|| json!(cookie_cache_marks().version));
    if format == TokenFormat::Compact {
        return Some(compact(&Value::Object(payload).to_string(), &expires_ms.to_string(), secret));
    }
    payload.insert("iat".to_owned(), json!(issued_ms / 1000));
    payload.insert("exp".to_owned(), json!(expires_ms / 1000));
    if format == TokenFormat::Jwt {
        return Some(hs256(r#"{"alg":"HS256"}"#, &Value::Object(payload).to_string(), secret));
    }
    payload.insert("jti".to_owned(), json!(format!("{:032x}", u128::from(issued_ms))));
    let key = keys::derive_key(secret, &token_key(format, "")?, 64).ok()?;
    let header = json!({ "alg": "dir", "enc": "A256CBC-HS512", "kid": keys::sha256_thumbprint(&key) });
    seal(&header, Value::Object(payload).to_string().as_bytes(), &key)
}

/// A compact cache of any text, with any text as its expiry.
pub(crate) fn compact(payload: &str, expires_at: &str, secret: &str) -> String {
    let members = payload.strip_suffix('}').unwrap_or(payload);
    let signature = hmac_sha256(secret, &format!(r#"{members},"expiresAt":{expires_at}}}"#));
    let signature = URL_SAFE_NO_PAD.encode(signature);
    let envelope = format!(r#"{{"session":{payload},"expiresAt":{expires_at},"signature":"{signature}"}}"#);
    URL_SAFE_NO_PAD.encode(envelope)
}

/// A JWS of any header and any payload, signed with HMAC-SHA256 whatever the header says.
pub(crate) fn hs256(header: &str, payload: &str, secret: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(secret, &message));
    format!("{message}.{signature}")
}

fn hmac_sha256(secret: &str, text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes())
}

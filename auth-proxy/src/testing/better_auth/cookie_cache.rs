//! The cookie cache: `session_data` (`docs/better-auth.md#cookie-cache`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::config::TokenFormat;
use crate::token::{CookieCache, cookie_cache_mint};

/// The session and its user in a cookie. Both are JSON, as a lookup shows them.
#[derive(Clone)]
pub(super) struct Cached {
    pub(super) session: Value,
    pub(super) user: Value,
    /// When the cookie ends.
    pub(super) expires_ms: u64,
}

/// The value of the cookie, before it is split.
///
/// # Panics
/// When the format is not one of the cookie cache, which the builder refuses, or the cryptography fails.
#[track_caller]
#[expect(clippy::panic, reason = "a tool for tests")]
pub(super) fn encode(format: TokenFormat, secret: &str, cached: &Cached) -> String {
    let payload: Map<String, Value> = [("session", &cached.session), ("user", &cached.user)]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into_iter()
        .collect();
    let times = (unix_ms(SystemTime::now()), cached.expires_ms);
    match cookie_cache_mint::cookie_cache(format, &payload, times, secret) {
        Some(value) => value,
        None => panic!("the cookie cache cannot be written as `{format}`"),
    }
}

/// Reads the value of the cookie. `None` if it is not that of the session with this token, or if it has expired.
pub(super) fn decode(format: TokenFormat, secret: &str, token: &str, value: &str) -> Option<Cached> {
    let cache = CookieCache::new(format, &[Zeroizing::new(secret.to_owned())]).ok()?;
    let signed = cookie_cache_mint::signed_cookie(token, secret);
    let payload = cache.open(&signed, value, unix_ms(SystemTime::now())).ok()?;
    let mut session = payload.session;
    session.insert("token".to_owned(), json!(token));
    Some(Cached {
        session: Value::Object(session),
        user: Value::Object(payload.user),
        expires_ms: payload.expires_ms,
    })
}

pub(super) fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

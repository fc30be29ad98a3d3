//! Sessions in the cookie cache of Better Auth, read with the public API.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use auth_proxy::options::{TokenFormat, UpstreamKind};
use auth_proxy::testing::{mint_cookie_cache, mint_signed_cookie};
use auth_proxy::{Session, auth_proxy};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::{Error, tokens::SECRET};

/// The forms, with the names of their benchmarks.
pub const FORMS: [(&str, TokenFormat); 3] = [
    ("cookie_cache_compact", TokenFormat::Compact),
    ("cookie_cache_jwt", TokenFormat::Jwt),
    ("cookie_cache_jwe", TokenFormat::Jwe),
];

auth_proxy! {
    /// Reads sessions in the cookie cache.
    pub struct Cached { upstream: { base_url: env("AUTH_UPSTREAM_URL"), secret: env("AUTH_SECRET") } }
}

/// A proxy that reads cookie caches of this form.
///
/// # Errors
/// Never, unless a rule of auth-proxy changes.
pub fn auth(form: TokenFormat) -> Result<Cached, Error> {
    let builder = Cached::builder().upstream_base_url("http://127.0.0.1:9").upstream_secret([SECRET]);
    Ok(builder.upstream_kind(UpstreamKind::BetterAuth).upstream_token(form).build()?)
}

/// The headers of a request with a session cookie and a cookie cache, which is valid for a day.
///
/// # Errors
/// Never: the cookies are ASCII.
pub fn headers(form: TokenFormat) -> Result<HeaderMap, Error> {
    let token = "0123456789abcdefghijklmnopqrstuv";
    let times = json!("2100-01-01T00:00:00.000Z");
    let session = json!({
        "session": {
            "id": "s1", "userId": "00000001", "token": token, "expiresAt": times,
            "createdAt": times, "updatedAt": times, "ipAddress": "203.0.113.7", "userAgent": "Mozilla/5.0",
        },
        "user": {
            "id": "00000001", "name": "Ada Lovelace", "email": "ada@example.com", "emailVerified": true,
            "createdAt": times, "updatedAt": times, "role": "member",
        },
    });
    let cache = mint_cookie_cache(form, &session, Duration::from_secs(24 * 3600), SECRET);
    let signed = mint_signed_cookie(token, SECRET);
    let line = format!("better-auth.session_token={signed}; better-auth.session_data={cache}");
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(&line)?);
    Ok(headers)
}

/// Reads the session with the public API, which does not wait while the cache is valid.
///
/// # Errors
/// When the cache is not used.
pub fn session(auth: &Cached, headers: &HeaderMap) -> Result<Session<Cached>, Error> {
    match pin!(auth.session(headers)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(session) => session?.ok_or_else(|| "no session".into()),
        Poll::Pending => Err("reading waited".into()),
    }
}

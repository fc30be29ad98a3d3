//! Apps that ask an upstream for sessions, with and without a store.

use std::time::Duration;

use auth_proxy::options::SessionStrategy;
use auth_proxy::store::{Redis, RedisOptions};
use auth_proxy::{Session, auth_proxy};
use axum::Router;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::COOKIE;

use crate::{Error, tokens::NAME};

auth_proxy! {
    /// Asks an upstream with database sessions.
    pub struct Asking { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

/// The session of every visitor, as Auth.js sends it: 140 bytes.
pub const SESSION: &str = concat!(
    r#"{"user":{"name":"Ada Lovelace","email":"ada.lovelace@example.com","#,
    r#""image":"https://example.com/ada.png","role":"member"},"expires":"2100-01-01T00:00:00.000Z"}"#,
);

/// The start of the tokens that the upstream does not know.
const UNKNOWN: &str = "unknown-";
const CLEARED: &str = "authjs.session-token=; Path=/; Max-Age=0";

async fn session(headers: HeaderMap) -> Response {
    let cookie = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if cookie.contains(UNKNOWN) {
        return ([(SET_COOKIE, CLEARED)], "null").into_response();
    }
    ([("content-type", "application/json")], SESSION).into_response()
}

/// An upstream in this process. It knows almost every session, and signs everyone out who asks for it.
pub fn upstream() -> Router {
    Router::new()
        .route("/api/auth/session", get(session))
        .route("/api/auth/signout", post(|| async { ([(SET_COOKIE, CLEARED)], "{}") }))
}

/// A proxy for an upstream in this process.
///
/// # Errors
/// If the URL of Redis is wrong.
pub fn asking(cache: Duration, redis: Option<&str>) -> Result<Asking, Error> {
    let builder = Asking::builder().upstream_base_url("http://auth.internal").upstream_fetch(upstream());
    build(builder, cache, redis)
}

/// A proxy for an upstream at a URL.
///
/// # Errors
/// If a URL is wrong.
pub fn asking_at(upstream: &str, cache: Duration, redis: Option<&str>) -> Result<Asking, Error> {
    build(Asking::builder().upstream_base_url(upstream), cache, redis)
}

fn build(
    builder: auth_proxy::options::Builder<Asking>,
    cache: Duration,
    redis: Option<&str>,
) -> Result<Asking, Error> {
    let builder = builder
        .upstream_session_strategy(SessionStrategy::Database)
        .public_url("http://app.test")
        .session_cache(cache)
        .session_cache_entries(100_000);
    Ok(match redis {
        Some(url) => builder.session_store(Redis::new(RedisOptions::new(url))?).build()?,
        None => builder.build()?,
    })
}

/// The app: a handler with a session, and the sign-in routes.
pub fn app(auth: &Asking) -> Router {
    auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone())
}

async fn me(session: Session<Asking>) -> String {
    session.user.name.clone().unwrap_or_default()
}

/// The headers of the n-th visitor.
///
/// # Errors
/// Never: tokens are ASCII.
pub fn headers(n: u64) -> Result<HeaderMap, Error> {
    with_token(&format!("6f1c6f0e-5d0e-4a7b-9d3e-{n:012}"))
}

/// The headers of a visitor whom the upstream does not know.
///
/// # Errors
/// Never: tokens are ASCII.
pub fn unknown(n: u64) -> Result<HeaderMap, Error> {
    with_token(&format!("{UNKNOWN}5d0e-4a7b-9d3e-{n:012}"))
}

fn with_token(token: &str) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(&format!("{NAME}={token}"))?);
    Ok(headers)
}

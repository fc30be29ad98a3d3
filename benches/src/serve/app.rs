//! Apps with auth-proxy, with its public API: a proxy in front of the upstream, and an app with guarded handlers.

use std::time::Duration;

use auth_proxy::{Session, auth_proxy, require_session};
use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;

use super::upstream::PROVIDERS;
use crate::shared::sessions;
use crate::{Error, tokens};

auth_proxy! {
    /// The configuration at the start of the README: only an upstream.
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

/// An app that has only the sign-in routes.
pub(super) fn proxy(upstream: &str) -> Result<Router, Error> {
    let auth = Auth::builder().upstream_base_url(upstream).build()?;
    Ok(auth.attach(Router::new()).with_state(auth))
}

/// An app without auth-proxy. It gives the answer of the upstream itself.
pub(super) fn plain() -> Router {
    let answer = || async { ([(CONTENT_TYPE, "application/json")], PROVIDERS) };
    Router::new().route("/api/auth/providers", get(answer))
}

mod local {
    use super::{auth_proxy, require_session};

    auth_proxy! {
        /// Decodes tokens itself.
        pub(super) struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL"), secret: env("AUTH_SECRET") } }
    }

    #[require_session]
    pub(super) async fn guarded() -> &'static str {
        "hello"
    }
}

/// The same handler as [`local::guarded`] without the guard.
async fn open() -> &'static str {
    "hello"
}

/// A handler with a session.
async fn me(session: Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

/// An app with a handler with and without the guard, and a handler with a session from the upstream and from the cache.
/// It has no sign-in routes, so that only the cost of the handlers is measured.
pub(super) fn guarded(upstream: &str) -> Result<Router, Error> {
    let decoding =
        local::Auth::builder().upstream_base_url(upstream).upstream_secret([tokens::SECRET]).build()?;
    let asking = Auth::builder().upstream_base_url(upstream).build()?;
    let caching =
        Auth::builder().upstream_base_url(upstream).session_cache(Duration::from_secs(60)).build()?;
    let local = Router::new().route("/guarded", get(local::guarded)).route("/open", get(open));
    Ok(Router::new()
        .merge(local.with_state(decoding))
        .merge(Router::new().route("/me", get(me)).with_state(asking))
        .merge(Router::new().route("/me-cached", get(me)).with_state(caching)))
}

/// An app whose sessions are cached for 30 s, in the Redis that `BENCH_REDIS` names, if it is set.
pub(super) fn shared(upstream: &str) -> Result<Router, Error> {
    let redis = std::env::var("BENCH_REDIS").ok();
    Ok(sessions::app(&sessions::asking_at(upstream, Duration::from_secs(30), redis.as_deref())?))
}

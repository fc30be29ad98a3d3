//! auth-proxy, by its public API alone: in front of the upstream, and guarding an app.

use std::time::Duration;

use auth_proxy::{Session, auth_proxy, require_session};
use axum::Router;
use axum::routing::get;

use crate::{Error, tokens};

auth_proxy! {
    /// What the README begins with: nothing but an upstream.
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

/// The sign-in routes of an app that has nothing else.
pub(super) fn proxy(upstream: &str) -> Result<Router, Error> {
    let auth = Auth::builder().upstream_base_url(upstream).build()?;
    Ok(auth.attach(Router::new()).with_state(auth))
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

/// The handler of [`local::guarded`], for everybody.
async fn open() -> &'static str {
    "hello"
}

/// Reads a session that the upstream is asked for.
async fn me(session: Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

/// An app with one handler guarded and not, and one that asks the upstream. No sign-in routes: what is
/// measured is what a handler pays.
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

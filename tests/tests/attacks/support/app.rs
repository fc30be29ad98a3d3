//! The app under attack.

use auth_proxy::{Session, auth_proxy, options::Builder};
use auth_proxy_tests::App;
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub(crate) struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

pub(crate) async fn me(session: Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

/// An app with `/me`, which requires a session, and `/plain`, which does not.
pub(crate) async fn app(builder: Builder<Auth>) -> App {
    let auth = builder.build().unwrap();
    let router = Router::new().route("/me", get(me)).route("/plain", get(|| async { "ok" }));
    App::start(auth.attach(router).with_state(auth.clone())).await
}

use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy::{Session, auth_proxy, options::Builder, require_session};
use auth_proxy_tests::{App, alive_tasks, settles};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

auth_proxy! {
    pub(crate) struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

async fn required(session: Session<Auth>) -> Json<Session<Auth>> {
    Json(session)
}

async fn optional(session: Option<Session<Auth>>) -> Json<Option<Session<Auth>>> {
    Json(session)
}

#[require_session]
async fn guarded() -> &'static str {
    "ok"
}

/// An app with one route of each kind.
pub(crate) async fn app(builder: Builder<Auth>) -> App {
    let auth = builder.build().unwrap();
    let group = Router::new().route("/group", get(|| async { "ok" })).route_layer(auth.require_any_session());
    let router = Router::new()
        .route("/required", get(required))
        .route("/optional", get(optional))
        .route("/guarded", get(guarded))
        .merge(group);
    App::start(auth.attach(router).with_state(auth)).await
}

/// A session token of this user under this secret.
pub(crate) fn token(name: &str, secret: &str) -> String {
    mint(&json!({ "sub": name, "name": name }), secret, "authjs.session-token")
}

/// Waits until no connection to the upstream is open and at most this many tasks are alive.
pub(crate) async fn settle(upstream: &FakeUpstream, tasks: usize) {
    let is_settled = settles(|| upstream.open_connections() == 0 && alive_tasks() <= tasks).await;
    assert!(is_settled, "{} connections, {} tasks of {tasks}", upstream.open_connections(), alive_tasks());
}

//! Shared set-up: the declared `Auth`, an app with every kind of route, and the fake upstream with two users.

pub(crate) mod http1;
pub(crate) mod mirror;
pub(crate) mod renewing_upstream;
pub(crate) mod unreliable;

use auth_proxy::testing::FakeUpstream;
use auth_proxy::{Policy, RawToken, Session, Token, auth_proxy, options::Builder, require_session};
use auth_proxy_tests::{App, Browser};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

auth_proxy! {
    pub(crate) struct Auth {
        upstream: { base_url: env("AUTH_UPSTREAM_URL"), headers: { "x-api-key": "k3y" } },
    }
}

pub(crate) struct Admin;

impl Policy<Auth> for Admin {
    fn allow(session: &Session<Auth>, token: Option<&Token<Auth>>) -> bool {
        let is_admin = |role: Option<&Value>| role.is_some_and(|role| role == "admin");
        is_admin(session.user.extra.get("role"))
            || token.is_some_and(|token| is_admin(token.extra.get("role")))
    }
}

#[require_session]
async fn protected() -> &'static str {
    "ok"
}

#[require_session(Auth, Admin)]
async fn admin() -> &'static str {
    "ok"
}

async fn session(session: Session<Auth>) -> Json<Session<Auth>> {
    Json(session)
}

async fn optional(session: Option<Session<Auth>>) -> Json<Option<Session<Auth>>> {
    Json(session)
}

async fn token(token: Token<Auth>) -> Json<Token<Auth>> {
    Json(token)
}

async fn optional_token(token: Option<Token<Auth>>) -> Json<Option<Token<Auth>>> {
    Json(token)
}

async fn raw(token: RawToken<Auth>) -> String {
    token.as_str().to_owned()
}

/// Uses five extractors in one request.
async fn everything(
    first: Session<Auth>,
    second: Option<Session<Auth>>,
    third: Token<Auth>,
    fourth: RawToken<Auth>,
    fifth: Result<Session<Auth>, auth_proxy::AuthError>,
) -> Json<Value> {
    Json(json!([
        first.user.name,
        second.unwrap().user.name,
        third.name,
        fourth.as_str().len() > 9,
        fifth.is_ok()
    ]))
}

/// An app with every kind of route.
pub(crate) fn routes(auth: &Auth) -> Router {
    let group =
        Router::new().route("/group/a", get(|| async { "ok" })).route_layer(auth.require_any_session());
    let admins =
        Router::new().route("/admins/a", get(|| async { "ok" })).route_layer(auth.require_policy::<Admin>());
    let router = Router::new()
        .route("/plain", get(|| async { "ok" }))
        .route("/session", get(session))
        .route("/session/optional", get(optional))
        .route("/token", get(token))
        .route("/token/optional", get(optional_token))
        .route("/token/raw", get(raw))
        .route("/protected", get(protected))
        .route("/admin", get(admin))
        .route("/everything", get(everything))
        .merge(group)
        .merge(admins);
    auth.attach(router).with_state(auth.clone())
}

/// The fake upstream with a user and an admin.
pub(crate) async fn upstream() -> FakeUpstream {
    users(FakeUpstream::builder()).start().await.unwrap()
}

/// Whether the fake upstream behaves like Robo.js: `FAKE_UPSTREAM=robo`.
pub(crate) fn is_robo() -> bool {
    std::env::var("FAKE_UPSTREAM").is_ok_and(|personality| personality == "robo")
}

pub(crate) fn users(
    builder: auth_proxy::testing::FakeUpstreamBuilder,
) -> auth_proxy::testing::FakeUpstreamBuilder {
    auth_proxy_tests::watch::start();
    let builder = if is_robo() { builder.robo() } else { builder };
    builder
        .session_claims(["id", "role"])
        .user(
            "demo",
            "demo",
            json!({ "sub": "1", "name": "Demo", "email": "demo@example.com", "role": "user" }),
        )
        .user(
            "admin",
            "admin",
            json!({ "sub": "2", "name": "Ada", "email": "ada@example.com", "role": "admin" }),
        )
}

pub(crate) async fn app_of(builder: Builder<Auth>) -> (App, Browser) {
    let auth = builder.build().unwrap();
    let app = App::start(routes(&auth)).await;
    let browser = Browser::of(&app);
    (app, browser)
}

/// An app in front of an upstream. It has no secret, so it cannot decode tokens.
pub(crate) async fn app(upstream: &FakeUpstream) -> (App, Browser) {
    app_of(Auth::builder().upstream_base_url(upstream.url())).await
}

/// An app in front of an upstream. It has the upstream's secret and decodes tokens itself.
pub(crate) async fn decoding_app(upstream: &FakeUpstream) -> (App, Browser) {
    app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()])).await
}

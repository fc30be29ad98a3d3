//! Tokens under keys that their issuer publishes: `upstream.token: jwks` and `kind: generic`.

mod back_channel;
mod better_auth;
mod endpoint;
mod fetches;
mod forged;
mod hostile;
mod issuers;
mod key_sets;
mod logout_tokens;
mod outages;
mod signer;

use auth_proxy::options::Builder;
use auth_proxy::{Session, Token, auth_proxy, require_session};
use auth_proxy_tests::{Answer, App, Browser};
use axum::routing::get;
use axum::{Json, Router};

use self::endpoint::KeyEndpoint;

auth_proxy! {
    /// An app for machine clients of any issuer.
    pub(crate) struct Machines {
        upstream: { kind: generic, issuer: "https://issuer.example", audience: "api" },
        jwks: { url: env("JWKS_URL") },
    }
}

#[require_session(Machines)]
async fn protected() -> &'static str {
    "ok"
}

fn routes(auth: &Machines) -> Router {
    let router = Router::new()
        .route("/token", get(|token: Token<Machines>| async { Json(token) }))
        .route("/token/optional", get(|token: Option<Token<Machines>>| async { Json(token) }))
        .route("/session", get(|session: Session<Machines>| async { Json(session) }))
        .route("/protected", get(protected));
    auth.attach(router).with_state(auth.clone())
}

/// An app whose issuer has this key endpoint.
fn builder(endpoint: &KeyEndpoint) -> Builder<Machines> {
    Machines::builder().jwks_url(endpoint.url())
}

async fn app_of(builder: Builder<Machines>) -> (App, Browser) {
    let app = App::start(routes(&builder.build().unwrap())).await;
    let browser = Browser::of(&app);
    (app, browser)
}

async fn app(endpoint: &KeyEndpoint) -> (App, Browser) {
    app_of(builder(endpoint)).await
}

/// The response to a request with a Bearer token.
async fn ask(browser: &Browser, path: &str, token: &str) -> Answer {
    browser.get_with(path, &[("authorization", &format!("Bearer {token}"))]).await
}

/// The status, and the subject or the error code.
async fn outcome(browser: &Browser, token: &str) -> (u16, String) {
    let answer = ask(browser, "/token", token).await;
    let text =
        if answer.status == 200 { answer.json()["sub"].as_str().unwrap().to_owned() } else { answer.code() };
    (answer.status, text)
}

async fn assert_accepted(browser: &Browser, token: &str, user: &str) {
    assert_eq!(outcome(browser, token).await, (200, user.to_owned()));
}

async fn assert_refused(browser: &Browser, token: &str, code: &str) {
    assert_eq!(outcome(browser, token).await, (401, code.to_owned()), "{token:.300}");
}

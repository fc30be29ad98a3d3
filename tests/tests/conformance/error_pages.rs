//! Checks the error pages in Chromium.

use auth_proxy::testing::FakeUpstream;
use auth_proxy::{Policy, Session, Token, auth_proxy, require_session};
use auth_proxy_tests::{App, free_port};
use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use crate::browser::{output, run};

auth_proxy! {
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

/// One proxy with a running upstream, and one whose upstream is unreachable.
#[derive(Clone, axum::extract::FromRef)]
struct State {
    auth: Auth,
    down: Down,
}

auth_proxy! {
    struct Down { base_path: "/down", upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

struct DenyAll;

impl Policy<Auth> for DenyAll {
    fn allow(_: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
        false
    }
}

#[require_session(Auth, DenyAll)]
async fn refused() {}

#[require_session(Down)]
async fn unavailable() {}

fn routes(upstream: &str) -> Router {
    let down = format!("http://127.0.0.1:{}", free_port());
    let state = State {
        auth: Auth::builder().upstream_base_url(upstream).build().unwrap(),
        down: Down::builder()
            .upstream_base_url(down)
            .upstream_retries(0)
            .upstream_circuit_breaker(0)
            .build()
            .unwrap(),
    };
    let router = Router::new().route("/refused", get(refused)).route("/unavailable", get(unavailable));
    state.down.attach(state.auth.attach(router)).with_state(state.clone())
}

async fn without_style(mut response: Response) -> Response {
    response.headers_mut().insert("content-security-policy", "default-src 'none'".parse().unwrap());
    response
}

#[tokio::test]
async fn error_pages_are_readable_with_and_without_style() {
    let upstream = FakeUpstream::start().await.unwrap();
    let app = App::start(routes(upstream.url())).await;
    let bare = App::start(routes(upstream.url()).layer(map_response(without_style))).await;
    let paths = "/refused 403 policy_refused,/unavailable 502 upstream_unreachable,/down/signin 502 upstream_unreachable";
    let vars = vec![
        ("APP", app.url("")),
        ("BARE", bare.url("")),
        ("PATHS", paths.to_owned()),
        ("COOKIE", upstream.cookie(&json!({ "sub": "1", "name": "Ada" }))),
        ("OUTPUT", output("error-pages")),
    ];
    run("error-pages.mjs", vars, "readable").await;
}

//! Access tokens of a real OpenID provider, which a machine client gets with its own credentials (RFC 6749, section 4.4).

use auth_proxy::{Token, auth_proxy, require_session};
use auth_proxy_tests::{App, Browser};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use crate::server::Server;

auth_proxy! {
    struct Machines {
        upstream: { kind: generic, issuer: env("ISSUER"), audience: env("AUDIENCE", default = "api") },
        jwks: { url: env("JWKS_URL") },
    }
}

#[require_session(Machines)]
async fn protected() -> &'static str {
    "ok"
}

async fn app(provider: &Server, jwks_url: &str, audience: &str) -> (App, Browser) {
    let vars = [("ISSUER", provider.url.as_str()), ("JWKS_URL", jwks_url), ("AUDIENCE", audience)];
    let auth = Machines::builder().vars(vars).build().unwrap();
    let router = Router::new()
        .route("/token", get(|token: Token<Machines>| async { Json(token) }))
        .route("/protected", get(protected));
    let app = App::start(auth.attach(router).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    (app, browser)
}

/// An access token that is signed with this algorithm.
async fn access_token(provider: &Server, algorithm: &str) -> String {
    let resource = format!("https://api.example/{algorithm}");
    let response = reqwest::Client::new()
        .post(format!("{}/token", provider.url))
        .basic_auth("machine", Some("not%20a%20secret%2C%20a%20test"))
        .form(&[("grant_type", "client_credentials"), ("resource", &resource), ("scope", "read")])
        .send()
        .await
        .unwrap();
    let body: Value = response.json().await.unwrap();
    body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

async fn ask(browser: &Browser, path: &str, token: &str) -> auth_proxy_tests::Answer {
    browser.get_with(path, &[("authorization", &format!("Bearer {token}"))]).await
}

#[tokio::test]
async fn access_token_of_an_openid_provider_gives_its_claims() {
    let provider = Server::identity_provider("http://127.0.0.1:9/unused");
    let discovery = reqwest::get(format!("{}/.well-known/openid-configuration", provider.url)).await.unwrap();
    let discovery: Value = discovery.json().await.unwrap();
    let jwks_url = discovery["jwks_uri"].as_str().unwrap();
    assert_eq!(discovery["issuer"], provider.url);
    let (_app, browser) = app(&provider, jwks_url, "api").await;
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let token = access_token(&provider, algorithm).await;
        let claims = ask(&browser, "/token", &token).await.json();
        for (name, value) in [
            ("sub", "machine"),
            ("client_id", "machine"),
            ("iss", &provider.url),
            ("aud", "api"),
            ("scope", "read"),
        ] {
            assert_eq!(claims[name], value, "{algorithm} {claims}");
        }
        assert_eq!(ask(&browser, "/protected", &token).await.body, "ok", "{algorithm}");
    }
    let token = access_token(&provider, "ES256").await;
    let (_app, other) = app(&provider, jwks_url, "another api").await;
    assert_eq!(ask(&other, "/token", &token).await.code(), "token_wrong_audience");
    // The keys of another provider.
    let another = Server::identity_provider("http://127.0.0.1:9/unused");
    let (_app, other) = app(&provider, &format!("{}/jwks", another.url), "api").await;
    assert_eq!(ask(&other, "/token", &token).await.code(), "token_tampered");
    let (_app, other) = app(&another, jwks_url, "api").await;
    assert_eq!(ask(&other, "/token", &token).await.code(), "token_wrong_issuer");
}

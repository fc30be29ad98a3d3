//! Which tokens of an issuer are accepted, and what an app gets of them.

use auth_proxy::Token;
use auth_proxy::options::{Expected, SessionSource, TokenFormat, UpstreamKind};
use auth_proxy_tests::{App, Browser, LogCapture};
use axum::Router;
use axum::routing::get;
use serde_json::json;

use super::endpoint::KeyEndpoint;
use super::signer::{AUDIENCE, FAR, ISSUER, Signer, claims, key_set};
use super::{Machines, app, app_of, ask, assert_accepted, assert_refused, builder};
use crate::support::{Auth, upstream};

#[tokio::test]
async fn token_of_any_issuer_gives_claims_and_a_session() {
    let signers = [Signer::ed25519("a"), Signer::es256("b"), Signer::rs256("c")];
    let endpoint = KeyEndpoint::of(key_set(&signers.each_ref())).await;
    let (_app, browser) = app(&endpoint).await;
    for signer in &signers {
        let token = signer.token("ada");
        let claims_of_token = ask(&browser, "/token", &token).await.json();
        assert_eq!(claims_of_token, claims("ada"));
        let session = ask(&browser, "/session", &token).await.json();
        assert_eq!(session["user"], json!({ "id": "ada", "name": "Ada", "email": null, "image": null }));
        assert_eq!(session["expires"], "2099-12-31T23:59:59.000Z");
        assert_eq!(ask(&browser, "/protected", &token).await.body, "ok");
    }
    assert_eq!(endpoint.count(), 1);
}

#[tokio::test]
async fn request_without_a_token_is_401_without_a_fetch() {
    let endpoint = KeyEndpoint::of(key_set(&[&Signer::ed25519("a")])).await;
    let (_app, browser) = app(&endpoint).await;
    let navigation =
        [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(browser.get("/token").await.code(), "session_absent");
    assert_eq!(browser.get("/token/optional").await.body, "null");
    // There is no sign-in page to send a browser to.
    assert_eq!(browser.get_with("/protected", &navigation).await.status, 401);
    assert_eq!(browser.get("/api/auth/session").await.status, 404);
    assert_eq!(endpoint.count(), 0);
}

#[tokio::test]
async fn token_needs_the_issuer_the_audience_and_an_expiry() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (_app, browser) = app(&endpoint).await;
    let refused = [
        (json!({ "iss": "https://evil.example" }), "token_wrong_issuer"),
        (json!({ "iss": null }), "token_wrong_issuer"),
        (json!({ "iss": [ISSUER] }), "token_wrong_issuer"),
        (json!({ "aud": "other" }), "token_wrong_audience"),
        (json!({ "aud": null }), "token_wrong_audience"),
        (json!({ "exp": 1_000_000_000 }), "token_expired"),
        (json!({ "exp": null }), "token_malformed"),
        (json!({ "nbf": FAR }), "token_not_yet_valid"),
        (json!({ "sub": null, "name": null }), "token_not_a_session"),
    ];
    for (changed, code) in refused {
        let mut all = claims("ada");
        for (name, value) in changed.as_object().unwrap() {
            all[name] = value.clone();
        }
        all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_refused(&browser, &signer.token_of(&all), code).await;
    }
    let mut several = claims("ada");
    several["aud"] = json!(["other", AUDIENCE]);
    assert_accepted(&browser, &signer.token_of(&several), "ada").await;
}

#[tokio::test]
async fn clocks_may_differ_by_the_leeway_only() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let mut at_1000 = claims("ada");
    for (leeway, exp, is_valid) in
        [(15, 986, true), (15, 985, false), (0, 1001, true), (0, 1000, false), (60, 941, true)]
    {
        let leeway = std::time::Duration::from_secs(leeway);
        let (_app, browser) = app_of(builder(&endpoint).jwks_leeway(leeway).clock(|| 1000)).await;
        at_1000["exp"] = json!(exp);
        let answer = ask(&browser, "/token", &signer.token_of(&at_1000)).await;
        assert_eq!(answer.status == 200, is_valid, "{leeway:?} {exp}: {answer:?}");
    }
}

#[tokio::test]
async fn cookie_token_is_read_under_the_configured_name() {
    let signer = Signer::es256("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let cookie = format!("access={}", signer.token("ada"));
    let (_app, browser) = app_of(builder(&endpoint).upstream_cookie_name("access")).await;
    assert_eq!(browser.get_with("/token", &[("cookie", &cookie)]).await.json()["sub"], "ada");
    // Without a name, no cookie counts.
    let (_app, browser) = app(&endpoint).await;
    assert_eq!(browser.get_with("/token", &[("cookie", &cookie)]).await.code(), "session_absent");
}

#[tokio::test]
async fn session_cookie_of_another_kind_may_be_signed_with_a_published_key() {
    let signer = Signer::es256("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    for source in [SessionSource::Local, SessionSource::Upstream] {
        let builder = Auth::builder()
            .upstream_kind(UpstreamKind::Authjs)
            .upstream_base_url("http://127.0.0.1:9")
            .upstream_token(TokenFormat::Jwks)
            .upstream_audience(Expected::Is(AUDIENCE.to_owned()))
            .upstream_issuer(Expected::Is(ISSUER.to_owned()))
            .session_source(source)
            .jwks_url(endpoint.url());
        let (_app, browser) = crate::support::app_of(builder).await;
        let cookie = format!("authjs.session-token={}", signer.token("ada"));
        assert_eq!(
            browser.get_with("/token", &[("cookie", &cookie)]).await.json()["sub"],
            "ada",
            "{source:?}"
        );
        assert_eq!(browser.get_with("/protected", &[("cookie", &cookie)]).await.body, "ok", "{source:?}");
        let session = browser.get_with("/session", &[("cookie", &cookie)]).await;
        assert_eq!(session.status, if source == SessionSource::Local { 200 } else { 502 }, "{source:?}");
    }
}

/// Machine clients of an issuer beside the login, in one app.
#[tokio::test]
async fn issuer_and_login_stand_side_by_side() {
    let log = LogCapture::start();
    let signer = Signer::ed25519("a");
    let (endpoint, login) = (KeyEndpoint::of(key_set(&[&signer])).await, upstream().await);
    let machines = builder(&endpoint).build().unwrap();
    let auth = Auth::builder().upstream_base_url(login.url()).build().unwrap();
    let api = Router::new()
        .route("/api", get(|token: Token<Machines>| async move { token.sub.clone().unwrap_or_default() }))
        .with_state(machines.clone());
    let router = machines.attach(crate::support::routes(&auth)).merge(api);
    let app = App::start(router).await;
    let browser = Browser::of(&app);
    browser.sign_in("demo", "demo").await;
    assert_eq!(browser.get("/session").await.status, 200);
    // The cookie of the login is no token of the issuer, and the token of the issuer no session of the login.
    assert_eq!(browser.get("/api").await.status, 401);
    assert_eq!(ask(&browser, "/api", &signer.token("ada")).await.body, "ada");
    assert_eq!(ask(&Browser::of(&app), "/session", &signer.token("ada")).await.status, 401);
    assert_eq!(log.times("a request carries the session cookie"), 0, "{}", log.text());
}

//! Tests the forwarded routes of real Auth.js and next-auth v4 servers beside the sign-in: pages, session updates,
//! passkeys.

use auth_proxy::{
    Token,
    options::{SessionStrategy, UpstreamKind},
};
use auth_proxy_tests::{App, Browser};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::server::{SECRET, Server};

auth_proxy::auth_proxy! {
    struct Auth<Claims = Map<String, Value>> { upstream: { kind: authjs, base_url: env("URL") } }
}

async fn claims(token: Token<Auth>) -> Json<Value> {
    Json(Value::Object(Map::clone(&token)))
}

async fn app_before(server: &Server, kind: UpstreamKind) -> (App, Browser) {
    let auth = Auth::builder()
        .upstream_base_url(&server.url)
        .upstream_kind(kind)
        .upstream_secret([SECRET])
        .build()
        .unwrap();
    let router = Router::new().route("/claims", get(claims));
    let app = App::start(auth.attach(router).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    (app, browser)
}

async fn authjs() -> (Server, App, Browser) {
    let server = Server::start(SessionStrategy::Jwt, "/api/auth", 0);
    let (app, browser) = app_before(&server, UpstreamKind::Authjs).await;
    (server, app, browser)
}

async fn next_auth_v4() -> (Server, App, Browser) {
    let server = Server::v4(&[("ISSUER", "http://127.0.0.1:9")]);
    let (app, browser) = app_before(&server, UpstreamKind::NextAuthV4).await;
    (server, app, browser)
}

/// The built-in pages reach the browser as HTML with the status of the server.
#[tokio::test]
async fn auth_pages_are_forwarded_with_their_status() {
    for (_server, app, browser) in [authjs().await, next_auth_v4().await] {
        let form = format!("action=\"{}\"", app.url("/api/auth/signout"));
        for (page, status, expected_text) in [
            ("signin", 200, "Sign in with Credentials"),
            ("signout", 200, "Are you sure you want to sign out?"),
            ("signout", 200, &form),
            ("verify-request", 200, "Check your email"),
            ("error", 200, "Error"),
            ("error?error=Default", 200, "Error"),
            ("error?error=Nonsense", 200, "Error"),
            ("error?error=Configuration", 500, "Server error"),
            ("error?error=AccessDenied", 403, "Access Denied"),
            ("error?error=Verification", 403, "Unable to sign in"),
        ] {
            let answer = browser.get(&format!("/api/auth/{page}")).await;
            assert_eq!(answer.status, status, "{page}");
            assert!(answer.header("content-type").starts_with("text/html"), "{page}: {answer:?}");
            assert!(answer.body.contains(expected_text), "{page}: {answer:?}");
        }
    }
}

/// Auth.js shows sign-in errors on its error page, and v4 on the sign-in page.
#[tokio::test]
async fn sign_in_errors_are_shown_on_an_error_or_sign_in_page() {
    let (_server, _app, browser) = authjs().await;
    let (_server_v4, app_v4, browser_v4) = next_auth_v4().await;
    for error in ["OAuthAccountNotLinked", "CredentialsSignin", "SessionRequired", "OAuthCallback"] {
        let path = format!("/api/auth/error?error={error}");
        assert_eq!(browser.get(&path).await.status, 200, "{error}");
        let sent = browser_v4.get(&path).await;
        let to = format!("/api/auth/signin?error={error}");
        assert_eq!((sent.status, sent.header("location")), (302, app_v4.url(&to).as_str()));
        assert_eq!(browser_v4.get(&to).await.status, 200, "{error}");
    }
}

/// An update reaches the `jwt` callback, and the new token reaches the browser and this app.
#[tokio::test]
async fn session_update_reaches_browser_and_app() {
    for (_server, _app, browser) in [authjs().await, next_auth_v4().await] {
        browser.sign_in("demo", "demo").await;
        let before = browser.get("/claims").await.json();
        assert_eq!((&before["email"], &before["updated"]), (&json!("demo@example.com"), &Value::Null));
        let data = json!({ "theme": "dark" });
        for csrf in [json!("wrong"), json!(null)] {
            let refused =
                browser.post_json("/api/auth/session", &json!({ "csrfToken": csrf, "data": data })).await;
            assert_eq!(refused.status, 400, "{refused:?}");
            assert_eq!(browser.get("/claims").await.json()["updated"], Value::Null);
        }
        let body = json!({ "csrfToken": browser.csrf().await, "data": data });
        let answer = browser.post_json("/api/auth/session", &body).await;
        assert_eq!((answer.status, &answer.json()["updated"]), (200, &data), "{answer:?}");
        assert_eq!(browser.get("/claims").await.json()["updated"], data);
        assert_eq!(browser.get("/api/auth/session").await.json()["updated"], data);
    }
}

/// A database session has no token to decode, so only the response of `session` shows the update.
#[tokio::test]
async fn database_session_update_reaches_the_browser() {
    let server = Server::start(SessionStrategy::Database, "/api/auth", 0);
    let auth = Auth::builder()
        .upstream_base_url(&server.url)
        .upstream_session_strategy(SessionStrategy::Database)
        .build()
        .unwrap();
    let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    browser.sign_in("demo", "demo").await;
    let body = json!({ "csrfToken": browser.csrf().await, "data": { "theme": "dark" } });
    let answer = browser.post_json("/api/auth/session", &body).await;
    assert_eq!(answer.json()["updated"], json!({ "theme": "dark" }));
    assert!(answer.cookies().iter().any(|cookie| cookie.starts_with("authjs.session-token=")), "{answer:?}");
    let refused = browser.post_json("/api/auth/session", &json!({ "csrfToken": "wrong" })).await;
    assert_eq!((refused.status, refused.body.as_str()), (400, "null"));
}

/// A server without passkeys answers `webauthn-options` with an error.
#[tokio::test]
async fn passkey_options_are_an_error_on_a_server_without_passkeys() {
    let (_server, app, browser) = authjs().await;
    for path in ["webauthn-options", "webauthn-options/passkey", "webauthn-options/credentials"] {
        let answer = browser.get(&format!("/api/auth/{path}?action=register")).await;
        let to = app.url("/api/auth/error?error=Configuration");
        assert_eq!((answer.status, answer.header("location")), (302, to.as_str()), "{path}");
    }
    let (_server, _app, browser) = next_auth_v4().await;
    assert_eq!(browser.get("/api/auth/webauthn-options/passkey").await.status, 400);
}

/// A server with passkeys gets valid requests, invalid requests, and forged passkeys.
#[tokio::test]
async fn passkey_options_are_forwarded_and_invalid_ones_rejected() {
    let server = Server::with(SessionStrategy::Jwt, "/api/auth", &[("PASSKEYS", "1")]);
    let (app, browser) = app_before(&server, UpstreamKind::Authjs).await;
    for (query, status, expected_text) in [
        ("action=authenticate", 200, "\"action\":\"authenticate\""),
        ("action=register&email=new@example.com", 200, "\"action\":\"register\""),
        ("action=register&email=demo@example.com", 400, "Invalid request"),
        ("action=invalid", 400, "Invalid action"),
    ] {
        let answer = browser.get(&format!("/api/auth/webauthn-options/passkey?{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(answer.body.contains(expected_text), "{query}: {answer:?}");
    }
    for (action, data) in [("authenticate", "{\"id\":\"AAAA\"}"), ("register", "{\"id\":\"AAAA\"}"), ("", "")]
    {
        let answer = browser.post_auth("callback/passkey", &[("action", action), ("data", data)]).await;
        assert!(answer.header("location").starts_with(&app.url("/api/auth/error?error=")), "{answer:?}");
        assert_eq!(browser.get("/claims").await.code(), "session_absent", "{action}");
    }
}

/// Behind TLS the options contain the public host, and the challenge cookie has the prefix `__Secure-`.
#[tokio::test]
async fn passkey_options_use_the_public_host_over_https() {
    let server = Server::with(SessionStrategy::Jwt, "/api/auth", &[("PASSKEYS", "1")]);
    let auth =
        Auth::builder().upstream_base_url(&server.url).public_url("https://app.example").build().unwrap();
    let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
    let answer = Browser::of(&app).get("/api/auth/webauthn-options/passkey?action=authenticate").await;
    assert_eq!(answer.json()["options"]["rpId"], "app.example");
    let challenge =
        answer.cookies().into_iter().find(|cookie| cookie.starts_with("__Secure-authjs.challenge="));
    assert!(challenge.is_some_and(|cookie| cookie.contains("; Secure")), "{answer:?}");
}

/// The v4 client reports browser errors to its server. Auth.js does not have this route.
#[tokio::test]
async fn next_auth_v4_client_log_is_forwarded() {
    let (server, app, browser) = next_auth_v4().await;
    let entry = [("level", "error"), ("code", "CLIENT_FETCH_ERROR"), ("message", "as v4's client sends it")];
    assert_eq!(browser.post("/api/auth/_log", &entry).await.status, 200);
    let logged = reqwest::get(format!("{}/__logged", server.url)).await.unwrap();
    let logged: Value = logged.json().await.unwrap();
    let expected = json!({ "code": "CLIENT_FETCH_ERROR", "data": { "message": "as v4's client sends it" } });
    assert!(logged.as_array().unwrap().contains(&expected), "{logged}");
    assert_eq!(reqwest::get(app.url("/api/auth/_log")).await.unwrap().status().as_u16(), 405);
    let (_server, _app, browser) = authjs().await;
    assert_eq!(browser.post("/api/auth/_log", &entry).await.status, 400);
}

/// v4 also accepts the error as a path segment.
#[tokio::test]
async fn next_auth_v4_error_pages_keep_their_status() {
    let (_server, _app, browser) = next_auth_v4().await;
    for (error, status) in [("Configuration", 500), ("AccessDenied", 403), ("Verification", 403), ("x", 200)]
    {
        let answer = browser.get(&format!("/api/auth/error/{error}")).await;
        assert_eq!(answer.status, status, "{error}: {answer:?}");
    }
}

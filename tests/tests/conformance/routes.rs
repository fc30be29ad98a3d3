//! The routes that no sign-in passes, of both kinds of server, through the proxy.

use auth_proxy::{Kind, Strategy, Token};
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

async fn app_before(server: &Server, kind: Kind) -> (App, Browser) {
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
    let server = Server::start(Strategy::Jwt, "/api/auth", 0);
    let (app, browser) = app_before(&server, Kind::Authjs).await;
    (server, app, browser)
}

async fn next_auth_v4() -> (Server, App, Browser) {
    let server = Server::v4(&[("ISSUER", "http://127.0.0.1:9")]);
    let (app, browser) = app_before(&server, Kind::NextAuthV4).await;
    (server, app, browser)
}

/// Every page has its own status, and is a page whatever that is.
#[tokio::test]
async fn pages() {
    for (_server, app, browser) in [authjs().await, next_auth_v4().await] {
        let form = format!("action=\"{}\"", app.url("/api/auth/signout"));
        for (page, status, says) in [
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
            assert!(answer.body.contains(says), "{page}: {answer:?}");
        }
    }
}

/// What goes wrong while signing in: Auth.js has a page for it, and v4 tells on the sign-in page.
#[tokio::test]
async fn errors_of_a_sign_in() {
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

/// An update reaches the `jwt` callback, and the token that comes of it reaches the browser and this app.
#[tokio::test]
async fn a_session_is_updated() {
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

/// The same with sessions of a database, which have no token.
#[tokio::test]
async fn a_session_of_a_database_is_updated() {
    let server = Server::start(Strategy::Database, "/api/auth", 0);
    let auth = Auth::builder()
        .upstream_base_url(&server.url)
        .upstream_session_strategy(Strategy::Database)
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

/// Options for a passkey, where there are none.
#[tokio::test]
async fn options_without_passkeys() {
    let (_server, app, browser) = authjs().await;
    for path in ["webauthn-options", "webauthn-options/passkey", "webauthn-options/credentials"] {
        let answer = browser.get(&format!("/api/auth/{path}?action=register")).await;
        let to = app.url("/api/auth/error?error=Configuration");
        assert_eq!((answer.status, answer.header("location")), (302, to.as_str()), "{path}");
    }
    let (_server, _app, browser) = next_auth_v4().await;
    assert_eq!(browser.get("/api/auth/webauthn-options/passkey").await.status, 400);
}

/// And where there are: what a browser cannot be asked, and a passkey that was made up.
#[tokio::test]
async fn options_with_passkeys() {
    let server = Server::with(Strategy::Jwt, "/api/auth", &[("PASSKEYS", "1")]);
    let (app, browser) = app_before(&server, Kind::Authjs).await;
    for (query, status, says) in [
        ("action=authenticate", 200, "\"action\":\"authenticate\""),
        ("action=register&email=new@example.com", 200, "\"action\":\"register\""),
        ("action=register&email=demo@example.com", 400, "Invalid request"),
        ("action=nonsense", 400, "Invalid action"),
    ] {
        let answer = browser.get(&format!("/api/auth/webauthn-options/passkey?{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(answer.body.contains(says), "{query}: {answer:?}");
    }
    for (action, data) in [("authenticate", "{\"id\":\"AAAA\"}"), ("register", "{\"id\":\"AAAA\"}"), ("", "")]
    {
        let answer = browser.post_auth("callback/passkey", &[("action", action), ("data", data)]).await;
        assert!(answer.header("location").starts_with(&app.url("/api/auth/error?error=")), "{answer:?}");
        assert_eq!(browser.get("/claims").await.code(), "session_absent", "{action}");
    }
}

/// Behind TLS a passkey is of the public name, and its cookie has the prefix.
#[tokio::test]
async fn options_over_https() {
    let server = Server::with(Strategy::Jwt, "/api/auth", &[("PASSKEYS", "1")]);
    let auth =
        Auth::builder().upstream_base_url(&server.url).public_url("https://app.example").build().unwrap();
    let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
    let answer = Browser::of(&app).get("/api/auth/webauthn-options/passkey?action=authenticate").await;
    assert_eq!(answer.json()["options"]["rpId"], "app.example");
    let challenge =
        answer.cookies().into_iter().find(|cookie| cookie.starts_with("__Secure-authjs.challenge="));
    assert!(challenge.is_some_and(|cookie| cookie.contains("; Secure")), "{answer:?}");
}

/// v4's client tells its server of the errors in the browser; Auth.js knows no such route.
#[tokio::test]
async fn the_log_of_v4() {
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

/// v4 takes the error as a segment of the path too.
#[tokio::test]
async fn the_errors_of_v4() {
    let (_server, _app, browser) = next_auth_v4().await;
    for (error, status) in [("Configuration", 500), ("AccessDenied", 403), ("Verification", 403), ("x", 200)]
    {
        let answer = browser.get(&format!("/api/auth/error/{error}")).await;
        assert_eq!(answer.status, status, "{error}: {answer:?}");
    }
}

//! Caching headers and token exposure: what responses reveal to shared caches and page scripts.

use auth_proxy::{Session, layers::Cacheable, options::SessionStrategy};
use auth_proxy_tests::App;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::support::renewing_upstream::Upstream;
use crate::support::{Auth, app, app_of, upstream};

use super::{PLAIN, oneshot};

/// guide::caching, "Shared caches": a response is private if its request looked up a session or a token. That includes
/// lookups by `Auth::session(&headers)` and `Auth::token(&headers)` in a handler behind `attach`.
#[tokio::test]
async fn response_after_a_lookup_by_headers_is_private() {
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let by_headers = |State(auth): State<Auth>, headers: HeaderMap| async move {
        auth.session(&headers).await.unwrap().unwrap().user.name.clone().unwrap()
    };
    let app = auth.attach(Router::new().route("/by-hand", get(by_headers))).with_state(auth.clone());
    let answer = oneshot(&app, "GET", "/by-hand", &format!("{PLAIN}=ada")).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("cache-control"), "{:?}", answer.headers());
}

/// guide::caching, "Shared caches": a response that sets a session cookie is private, even with `Cacheable`.
#[tokio::test]
async fn cacheable_response_with_a_session_cookie_is_private() {
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let set = || async {
        (
            Cacheable,
            [("set-cookie", format!("{PLAIN}=x")), ("cache-control", "public, max-age=60".to_owned())],
            "x",
        )
    };
    let app = auth.attach(Router::new().route("/set", get(set))).with_state(auth.clone());
    let answer = oneshot(&app, "GET", "/set", "").await;
    assert_eq!(answer.headers()["cache-control"], "private, max-age=60");
}

/// The forms of the sign-in page contain the CSRF token of one visitor, and Auth.js sets no `Cache-Control` there. A
/// shared cache would serve the page to others, whose forms would fail.
#[tokio::test]
async fn sign_in_page_is_private() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    let token = browser.csrf().await;
    let page = browser.get("/api/auth/signin").await;
    assert!(page.body.contains(&token) && page.cookies().is_empty(), "{page:?}");
    assert!(page.header("cache-control").contains("private"), "{:?}", page.headers);
}

/// guide::options, `session.expose_session_token`: page scripts never get the `sessionToken`, for any content type,
/// path encoding or `Range` header.
#[tokio::test]
async fn session_token_is_hidden_from_scripts_in_every_response() {
    const BODY: &str = r#"{"user":{"name":"Ada"},"sessionToken":"t0ken"}"#;
    let answer = |request: Request| async move {
        let kind = request.uri().query().unwrap_or("application/json").to_owned();
        let path = request.uri().path();
        // Some routers decode paths: Next.js passes decoded segments to next-auth v4.
        if path != "/api/auth/session" && path != "/api/auth/%73ession" {
            return StatusCode::NOT_FOUND.into_response();
        }
        let headers = [("content-type", kind), ("set-cookie", format!("{PLAIN}=t0ken"))];
        if request.headers().contains_key("range") {
            return (StatusCode::PARTIAL_CONTENT, headers, &BODY[22..]).into_response();
        }
        (headers, BODY).into_response()
    };
    let upstream = App::start(Router::new().fallback(answer)).await;
    let builder = Auth::builder()
        .upstream_base_url(upstream.url(""))
        .upstream_session_strategy(SessionStrategy::Database);
    let (_app, browser) = app_of(builder).await;
    let mut leaks = Vec::new();
    for (path, range) in [
        ("/api/auth/session", false),
        ("/api/auth/session/?application/json", false),
        ("/api/auth/session?text/plain", false),
        ("/api/auth/session?application/vnd.api+json", false),
        ("/api/auth/session", true),
        ("/api/auth/%73ession", false),
    ] {
        let cookie = format!("{PLAIN}=t0ken");
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(range.then_some(("range", "bytes=22-")));
        let answer = browser.get_with(path, &headers).await;
        if answer.body.contains("t0ken") {
            leaks.push((path, range));
        }
    }
    assert_eq!(leaks, []);
}

/// guide::caching, "Shared caches": headers for shared caches are removed, and a handler's own `no-store` is kept.
#[tokio::test]
async fn shared_cache_headers_are_stripped_and_no_store_is_kept() {
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let me = |_: Session<Auth>| async {
        let headers = [
            // LiteSpeed prefers this header to `Cache-Control` (developer guide, "Response Headers").
            ("x-litespeed-cache-control", "public, max-age=60"),
            ("cache-control", "no-store, by=\"Zo\u{eb}\""),
        ];
        let mut response = "me".into_response();
        for (name, value) in headers {
            response.headers_mut().insert(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        response
    };
    let app = auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone());
    let answer = oneshot(&app, "GET", "/me", &format!("{PLAIN}=ada")).await;
    let headers = answer.headers();
    let has_litespeed = headers.contains_key("x-litespeed-cache-control");
    let has_no_store = String::from_utf8_lossy(headers["cache-control"].as_bytes()).contains("no-store");
    assert_eq!((has_litespeed, has_no_store), (false, true), "{headers:?}");
}

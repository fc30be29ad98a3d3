//! What an answer tells shared caches and page scripts.

use auth_proxy::{Cacheable, Session, Strategy};
use auth_proxy_tests::App;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::cache::Upstream;
use crate::support::{Auth, app, app_of, upstream};

use super::{PLAIN, oneshot};

/// README, "Answers of one visitor": an answer to a request that was asked for a session or a token is private.
/// `Auth::session(&headers)` and `Auth::token(&headers)` in a handler behind `attach` are such, and nothing marks it.
#[tokio::test]
async fn an_answer_made_by_hand_of_a_session_is_private() {
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let by_hand = |State(auth): State<Auth>, headers: HeaderMap| async move {
        auth.session(&headers).await.unwrap().unwrap().user.name.clone().unwrap()
    };
    let app = auth.attach(Router::new().route("/by-hand", get(by_hand))).with_state(auth.clone());
    let answer = oneshot(&app, "GET", "/by-hand", &format!("{PLAIN}=ada")).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("cache-control"), "{:?}", answer.headers());
}

/// README, the same: an answer with a session cookie is private all the same, `Cacheable` or not.
#[tokio::test]
async fn an_answer_with_a_session_cookie_of_its_own_is_private() {
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

/// The sign-in page has the CSRF token of one visitor in its forms, and Auth.js says nothing of caches there. Once the
/// visitor has the CSRF cookie the page sets none: a shared cache gives it to all, whose forms then fail.
#[tokio::test]
async fn a_sign_in_page_is_of_one_visitor() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    let token = browser.csrf().await;
    let page = browser.get("/api/auth/signin").await;
    assert!(page.body.contains(&token) && page.cookies().is_empty(), "{page:?}");
    assert!(page.header("cache-control").contains("private"), "{:?}", page.headers);
}

/// README, `session.expose_session_token`: page scripts do not get the `sessionToken`. What cannot be read as JSON of just
/// that content type passes as it is.
#[tokio::test]
async fn no_form_of_an_answer_tells_scripts_the_session_token() {
    const BODY: &str = r#"{"user":{"name":"Ada"},"sessionToken":"t0ken"}"#;
    let answer = |request: Request| async move {
        let kind = request.uri().query().unwrap_or("application/json").to_owned();
        let path = request.uri().path();
        // As routers do that compare paths decoded: Next.js gives next-auth v4 its segments so.
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
    let builder =
        Auth::builder().upstream_base_url(upstream.url("")).upstream_session_strategy(Strategy::Database);
    let (_app, browser) = app_of(builder).await;
    let mut told = Vec::new();
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
            told.push((path, range));
        }
    }
    assert_eq!(told, []);
}

/// README, "Answers of one visitor": what only shared caches read is taken out, and a handler's own `no-store` stays.
#[tokio::test]
async fn no_word_to_a_shared_cache_stays() {
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let me = |_: Session<Auth>| async {
        let headers = [
            // Counts more than `Cache-Control` there (LiteSpeed's developer guide, "Response Headers").
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
    let said = headers.contains_key("x-litespeed-cache-control");
    let stays = String::from_utf8_lossy(headers["cache-control"].as_bytes()).contains("no-store");
    assert_eq!((said, stays), (false, true), "{headers:?}");
}

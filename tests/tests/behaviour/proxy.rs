//! Forwarding of the auth routes: methods, targets, bodies, streaming, redirects and upstream failures.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::options::Routes;
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method};

use crate::support::{Auth, app, app_of, is_robo, upstream};

/// An upstream that echoes the body, adds response headers, and records the method, target and headers of each request.
pub(crate) async fn mirror() -> (App, Arc<Mutex<Vec<(Method, String, HeaderMap)>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let router = Router::new().fallback(move |request: Request| {
        let log = Arc::clone(&log);
        async move {
            let (parts, body) = request.into_parts();
            log.lock().unwrap().push((parts.method, parts.uri.to_string(), parts.headers));
            Response::builder()
                .header("set-cookie", "authjs.session-token=first; Path=/; HttpOnly")
                .header("set-cookie", "authjs.session-token=second; Path=/; HttpOnly")
                .header("keep-alive", "timeout=5")
                .header("connection", "x-internal")
                .header("x-internal", "1")
                .header("x-kept", "1")
                .body(body)
                .unwrap()
        }
    });
    (App::start(router).await, seen)
}

pub(crate) async fn in_front_of(mirror: &App) -> (App, Browser) {
    app_of(Auth::builder().upstream_base_url(mirror.url(""))).await
}

#[tokio::test]
async fn known_routes_accept_only_their_methods() {
    let (mirror, seen) = mirror().await;
    let (app, browser) = in_front_of(&mirror).await;
    let client = reqwest::Client::new();
    let ask = async |method: &str, path: &str| {
        let request = client.request(method.parse().unwrap(), app.url(&format!("/api/auth{path}")));
        let answer = request.send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.headers().get("allow").map(|allow| allow.to_str().unwrap().to_owned()),
        )
    };
    for (method, path) in [
        ("GET", "/providers"),
        ("GET", "/session"),
        ("POST", "/session"),
        ("GET", "/csrf"),
        ("GET", "/signin"),
        ("POST", "/signin/github"),
        ("GET", "/signout"),
        ("POST", "/signout"),
        ("GET", "/callback/github"),
        ("POST", "/callback/github"),
        ("GET", "/verify-request"),
        ("GET", "/error"),
        ("GET", "/webauthn-options/x"),
        ("POST", "/signup"),
        ("OPTIONS", "/signup"),
        ("GET", "/verify-email/confirm"),
        ("POST", "/password/reset/request"),
        ("GET", "/password/reset/confirm"),
        ("POST", "/_log"),
        ("GET", "/something/else"),
        ("DELETE", "/something/else"),
        ("HEAD", "/providers"),
        ("HEAD", "/session"),
        ("HEAD", "/signin"),
        ("GET", "/session/"),
        ("GET", ""),
        ("GET", "/"),
    ] {
        assert_eq!(ask(method, path).await.0, 200, "{method} {path}");
    }
    assert!(
        seen.lock().unwrap().iter().all(|(method, ..)| *method != Method::HEAD),
        "HEAD must be forwarded as GET"
    );
    let forwarded = seen.lock().unwrap().len();
    for (method, path, allow) in [
        ("POST", "/providers", "GET, HEAD"),
        ("PUT", "/session", "GET, HEAD, POST"),
        ("DELETE", "/csrf", "GET, HEAD"),
        ("HEAD", "/callback/github", "GET, POST"),
        ("HEAD", "/verify-email/confirm", "GET"),
        ("HEAD", "/password/reset/confirm", "GET, POST"),
        ("HEAD", "/signin/github", "GET, POST"),
        ("GET", "/signup", "POST, OPTIONS"),
        ("GET", "/verify-email/request", "POST"),
        ("OPTIONS", "/session", "GET, HEAD, POST"),
        ("TRACE", "/session", "GET, HEAD, POST"),
    ] {
        assert_eq!(ask(method, path).await, (405, Some(allow.to_owned())), "{method} {path}");
    }
    assert_eq!(browser.get("/api/authx").await.status, 404);
    assert_eq!(seen.lock().unwrap().len(), forwarded, "a rejected request was forwarded");
}

#[tokio::test]
async fn strict_routes_reject_unknown_paths() {
    let (mirror, seen) = mirror().await;
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(mirror.url("")).routes(Routes::Strict)).await;
    assert_eq!(browser.get("/api/auth/something").await.code(), "route_unknown");
    assert_eq!(browser.get("/api/auth").await.code(), "route_unknown");
    assert_eq!(browser.get("/api/auth/session").await.status, 200);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn upstream_target_keeps_the_raw_path_and_query() {
    let (mirror, seen) = mirror().await;
    let auth = Auth::builder().upstream_base_url(mirror.url("/tenant/")).upstream_base_path("/auth");
    let (app, _browser) = app_of(auth).await;
    let (status, _) = app.raw_get("/api/auth/callback/a%20b?code=x%2Fy&state=%7B&a=/../b", "").await;
    assert_eq!(status, 200);
    assert_eq!(seen.lock().unwrap()[0].1, "/tenant/auth/callback/a%20b?code=x%2Fy&state=%7B&a=/../b");
}

#[tokio::test]
async fn upstream_set_cookie_headers_keep_their_order() {
    let (mirror, _seen) = mirror().await;
    let (_app, browser) = in_front_of(&mirror).await;
    let answer = browser.get("/api/auth/session").await;
    assert_eq!(
        answer.cookies(),
        ["authjs.session-token=first; Path=/; HttpOnly", "authjs.session-token=second; Path=/; HttpOnly"]
    );
}

#[tokio::test]
async fn request_bodies_are_forwarded_up_to_body_limit() {
    let (mirror, seen) = mirror().await;
    let (app, _browser) =
        app_of(Auth::builder().upstream_base_url(mirror.url("")).upstream_body_limit(1000)).await;
    let url = app.url("/api/auth/callback/credentials");
    let client = reqwest::Client::new();
    let answer = client.post(&url).body("x".repeat(1000)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().len()), (200, 1000));
    assert_eq!(seen.lock().unwrap()[0].2["content-length"], "1000");
    // The `Content-Length` is over the limit, so the request is rejected before it is forwarded.
    let answer = client.post(&url).body("x".repeat(1001)).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 413);
    assert_eq!(seen.lock().unwrap().len(), 1);
    // The length of a chunked body is unknown in advance, so the limit applies while the body is read.
    let big = format!("{:x}\r\n{}\r\n0\r\n\r\n", 2000, "x".repeat(2000));
    let answer = app
        .raw(&format!("POST /api/auth/callback/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{big}"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"), "{answer}");
}

/// A body whose frames come from a channel.
struct ChannelBody(tokio::sync::mpsc::Receiver<bytes::Bytes>);

impl http_body::Body for ChannelBody {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(http_body::Frame::data(piece))))
    }
}

#[tokio::test]
async fn upstream_responses_are_streamed() {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let router = Router::new().fallback(move || {
        let body = ChannelBody(receiver.lock().unwrap().take().unwrap());
        async move { Body::new(body).into_response() }
    });
    let upstream = App::start(router).await;
    let (app, _browser) = in_front_of(&upstream).await;
    let mut answer = reqwest::get(app.url("/api/auth/x")).await.unwrap();
    for piece in ["one", "two"] {
        sender.send(piece.into()).await.unwrap();
        assert_eq!(answer.chunk().await.unwrap().unwrap(), piece);
    }
    drop(sender);
    assert_eq!(answer.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn upstream_redirects_are_not_followed() {
    let router =
        Router::new().fallback(|| async { axum::response::Redirect::to("http://idp.test/authorize") });
    let upstream = App::start(router).await;
    let (_app, browser) = in_front_of(&upstream).await;
    let answer = browser.get("/api/auth/signin/idp").await;
    assert_eq!((answer.status, answer.header("location")), (303, "http://idp.test/authorize"));
}

#[tokio::test]
async fn upstream_failures_have_distinct_codes() {
    // Nothing listens on a port that was just closed.
    let closed_addr = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(format!("http://{closed_addr}"))).await;
    let answer = browser.get("/api/auth/session").await;
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"));
    assert!(!answer.header("retry-after").is_empty());
    assert!(!answer.body.contains(&closed_addr.to_string()), "an address leaked: {}", answer.body);

    let hanging =
        App::start(Router::new().fallback(async || tokio::time::sleep(Duration::from_secs(60)).await)).await;
    let (_app, browser) = app_of(
        Auth::builder().upstream_base_url(hanging.url("")).upstream_timeout(Duration::from_millis(100)),
    )
    .await;
    let answer = browser.get("/api/auth/session").await;
    assert_eq!((answer.status, answer.code().as_str()), (504, "upstream_timeout"));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broken = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            drop(socket);
        }
    });
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(format!("http://{broken}"))).await;
    assert_eq!(browser.get("/api/auth/session").await.code(), "upstream_failed");
}

#[tokio::test]
async fn upstream_fetch_accepts_any_tower_service() {
    let inner: Router = Router::new().fallback(|request: Request| async move { request.uri().to_string() });
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url("https://auth.example.com/t").upstream_fetch(inner)).await;
    assert_eq!(browser.get("/api/auth/csrf?a=1").await.body, "https://auth.example.com/t/api/auth/csrf?a=1");
}

#[tokio::test]
async fn upstream_pages_and_errors_are_forwarded() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    let page = browser.get("/api/auth/signin?callbackUrl=/protected").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.cookies().len(), 2);
    let unknown = browser.get("/api/auth/unknown").await;
    let expected = if is_robo() { (200, "\"API Route not found.\"") } else { (400, "\"Bad request.\"") };
    assert_eq!((unknown.status, unknown.body.as_str()), expected);
    let wrong = browser.sign_in("demo", "wrong").await;
    assert!(wrong.header("location").ends_with("/api/auth/signin?error=CredentialsSignin&code=credentials"));
}

//! Which status and error code each upstream response leads to: signed in, signed out, or an outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_proxy_tests::{App, Browser, page_code};
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::support::{Auth, app_of};

const COOKIE: &str = "authjs.session-token=aaaa..bbbb.cccc.dddd";
const CLEAR: &str = "authjs.session-token=; Max-Age=0; Path=/";

async fn upstream_sends(
    answer: impl Fn() -> Response + Clone + Send + Sync + 'static,
) -> (App, App, Browser) {
    let upstream = App::start(Router::new().fallback(move || {
        let response = answer();
        async move { response }
    }))
    .await;
    let builder =
        Auth::builder().upstream_base_url(upstream.url("")).upstream_timeout(Duration::from_millis(500));
    let (app, browser) = app_of(builder).await;
    (upstream, app, browser)
}

/// The status and outcome for four callers: `Session`, `Option<Session>`, a guard, and a guard on a page navigation.
async fn four_callers(browser: &Browser) -> [(u16, String); 4] {
    let page = [("accept", "text/html"), ("cookie", COOKIE)];
    let cookie = &page[1..];
    let mut all = Vec::new();
    for (path, headers) in [
        ("/session", cookie),
        ("/session/optional", cookie),
        ("/protected", cookie),
        ("/protected", &page[..]),
    ] {
        let answer = browser.get_with(path, headers).await;
        let outcome = match answer.header("content-type") {
            "application/problem+json" => answer.code(),
            "text/html; charset=utf-8" => page_code(&answer.body).expect("an error page with a code"),
            _ => answer.header("location").to_owned() + &answer.body,
        };
        if answer.status >= 500 {
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        }
        all.push((answer.status, outcome));
    }
    all.try_into().unwrap()
}

fn json(body: &'static str, cookie: &'static str) -> Response {
    let mut response = ([("content-type", "application/json")], body).into_response();
    if !cookie.is_empty() {
        response.headers_mut().append("set-cookie", cookie.parse().unwrap());
    }
    response
}

fn signed_out(code: &str) -> [(u16, String); 4] {
    let sign_in = (303, "/api/auth/signin?callbackUrl=%2Fprotected".to_owned());
    [(401, code.to_owned()), (200, "null".to_owned()), (401, code.to_owned()), sign_in]
}

fn unavailable(status: u16, code: &str) -> [(u16, String); 4] {
    std::array::from_fn(|_| (status, code.to_owned()))
}

#[tokio::test]
async fn null_session_with_cleared_cookie_is_session_refused() {
    for body in ["null", "{}"] {
        let (_upstream, _app, browser) = upstream_sends(move || json(body, CLEAR)).await;
        assert_eq!(four_callers(&browser).await, signed_out("session_refused"), "{body}");
    }
}

#[tokio::test]
async fn null_session_with_renewed_cookie_is_session_absent() {
    let (_upstream, _app, browser) =
        upstream_sends(|| json("null", "authjs.session-token=renewed; Path=/")).await;
    assert_eq!(four_callers(&browser).await, signed_out("session_absent"));
}

#[tokio::test]
async fn null_session_without_session_cookie_is_502_ambiguous() {
    let (_upstream, _app, browser) = upstream_sends(|| json("null", "authjs.csrf-token=x")).await;
    assert_eq!(four_callers(&browser).await, unavailable(502, "upstream_ambiguous_session"));
}

#[tokio::test]
async fn invalid_responses_and_failures_are_neither_login_nor_logout() {
    for body in ["\"API Route not found.\"", "[]", "<html>", "", "{\"user\":\"Ada\"}", "1"] {
        let (_upstream, _app, browser) = upstream_sends(move || json(body, CLEAR)).await;
        assert_eq!(four_callers(&browser).await, unavailable(502, "upstream_invalid_response"), "{body}");
    }
    for (status, expected, code) in [
        (500, 502, "upstream_failed"),
        (404, 502, "upstream_failed"),
        (401, 502, "upstream_failed"),
        (302, 502, "upstream_failed"),
        (503, 503, "upstream_overloaded"),
        (429, 503, "upstream_overloaded"),
        (504, 504, "upstream_timeout"),
    ] {
        let (_upstream, _app, browser) = upstream_sends(move || {
            let mut response = json(r#"{"user":{"name":"Ada"}}"#, "");
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        })
        .await;
        assert_eq!(four_callers(&browser).await, unavailable(expected, code), "{status}");
    }
}

#[tokio::test]
async fn unreachable_upstream_is_502_and_hanging_upstream_is_504() {
    let closed_addr = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(format!("http://{closed_addr}"))).await;
    assert_eq!(four_callers(&browser).await, unavailable(502, "upstream_unreachable"));
    let hanging =
        App::start(Router::new().fallback(async || tokio::time::sleep(Duration::from_secs(60)).await)).await;
    let (_app, browser) = app_of(
        Auth::builder().upstream_base_url(hanging.url("")).upstream_timeout(Duration::from_millis(100)),
    )
    .await;
    assert_eq!(four_callers(&browser).await, unavailable(504, "upstream_timeout"));
}

/// The response head arrives in time, but the body stalls. That is a timeout, not an invalid response.
#[tokio::test]
async fn stalled_upstream_body_is_504_timeout() {
    let upstream = App::start(Router::new().fallback(|| async {
        let body = axum::body::Body::new(StalledBody);
        ([("content-type", "application/json")], body).into_response()
    }))
    .await;
    let builder =
        Auth::builder().upstream_base_url(upstream.url("")).upstream_timeout(Duration::from_millis(100));
    let (app, browser) = app_of(builder).await;
    assert_eq!(four_callers(&browser).await, unavailable(504, "upstream_timeout"));
    let answer = reqwest::Client::new().post(app.url("/api/auth/signout")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 504);
}

#[tokio::test]
async fn request_without_a_cookie_makes_no_lookup() {
    let closed_addr = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(format!("http://{closed_addr}"))).await;
    assert_eq!(browser.get("/session").await.code(), "session_absent");
    assert_eq!(browser.get("/session/optional").await.body, "null");
    assert_eq!(browser.get("/plain").await.body, "ok");
}

#[tokio::test]
async fn upstream_retry_after_is_passed_on() {
    let (_upstream, _app, browser) =
        upstream_sends(|| (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "17")]).into_response()).await;
    let answer = browser.get_with("/session", &[("cookie", COOKIE)]).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "17"));
}

#[tokio::test]
async fn session_that_does_not_match_the_user_type_is_502() {
    mod typed {
        #[derive(serde::Deserialize)]
        pub(crate) struct AppUser {
            #[expect(dead_code, reason = "the test needs a field that the session lacks")]
            pub(crate) plan: String,
        }
        auth_proxy::auth_proxy! {
            pub(crate) struct Auth<User = AppUser> { upstream: { base_url: "http://localhost" } }
        }
    }
    let upstream = crate::support::upstream().await;
    let auth = typed::Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    async fn handler(_session: auth_proxy::Session<typed::Auth>) {}
    let router =
        auth.attach(Router::new().route("/typed", axum::routing::get(handler))).with_state(auth.clone());
    let app = App::start(router).await;
    let browser = Browser::of(&app);
    browser.sign_in("demo", "demo").await;
    let answer = browser.get("/typed").await;
    assert_eq!((answer.status, answer.code().as_str()), (502, "user_mismatch"));
    assert!(!answer.body.contains("demo@example.com"));
}

/// A body that never yields a frame.
struct StalledBody;

impl http_body::Body for StalledBody {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

/// Both cookies could be the session token: one is whole, one is a chunk. Only one of them is looked up.
#[tokio::test]
async fn request_with_two_tokens_makes_one_lookup() {
    let lookups = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lookups);
    let upstream = Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { ([("set-cookie", "authjs.session-token=; Max-Age=0")], "null").into_response() }
    });
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url("http://auth").upstream_fetch(upstream)).await;
    let cookies = "authjs.session-token=aaaa.bbbb.cccc; authjs.session-token.0=dddd.eeee.ffff";
    let answer = browser.get_with("/session", &[("cookie", cookies)]).await;
    assert_eq!((answer.code().as_str(), answer.cookies().len()), ("session_refused", 1));
    assert_eq!(lookups.load(Ordering::SeqCst), 1);
}

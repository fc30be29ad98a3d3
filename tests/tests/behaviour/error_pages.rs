//! Error pages: a navigation gets an HTML page for 403 and 502 to 504. Other requests get `application/problem+json`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::testing::Fault;
use auth_proxy::{
    AuthError, Session,
    options::{Builder, Unauthenticated},
};
use auth_proxy_tests::{Answer, App, Browser, free_port, loopback_client, page_code};
use axum::Router;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::support::{Auth, app, app_of, routes, upstream};

const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const COOKIE: (&str, &str) = ("cookie", "authjs.session-token=aaaa.bbbb.cccc.dddd.eeee");

fn varies_by_accept(answer: &Answer) -> bool {
    answer.headers.get_all("vary").iter().any(|line| line == "Accept")
}

/// The builder of a proxy with an unreachable upstream, without retries and circuit breaker.
fn unreachable_proxy() -> Builder<Auth> {
    let url = format!("http://127.0.0.1:{}", free_port());
    Auth::builder().upstream_base_url(url).upstream_retries(0).upstream_circuit_breaker(0)
}

/// Asserts that a response is the HTML page of this error, is not cacheable, and is smaller than 2 kB.
fn assert_page(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (status, "text/html; charset=utf-8"));
    assert_eq!(page_code(&answer.body).as_deref(), Some(code), "{answer:?}");
    assert_eq!((answer.header("cache-control"), varies_by_accept(answer)), ("no-store", true));
    assert!(answer.body.len() < 2_000, "{} bytes", answer.body.len());
}

/// Asserts that a response is the problem JSON of this error.
fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code));
    assert_eq!((answer.header("cache-control"), varies_by_accept(answer)), ("no-store", true));
}

#[tokio::test]
async fn outage_gives_navigations_a_page_and_others_problem_json() {
    let (_app, browser) = app_of(unreachable_proxy()).await;
    for path in [
        "/protected",
        "/group/a",
        "/admin",
        "/session",
        "/session/optional",
        "/token",
        "/api/auth/signin",
        "/api/auth/session",
        "/api/auth/callback/github?code=1",
    ] {
        let code = "upstream_unreachable";
        let page = browser.get_with(path, &[PAGE, NAVIGATE, COOKIE]).await;
        assert_page(&page, 502, code);
        // An old browser sends `Accept` but no `Sec-Fetch-Mode`.
        assert_page(&browser.get_with(path, &[PAGE, COOKIE]).await, 502, code);
        let program = browser.get_with(path, &[COOKIE]).await;
        assert_problem(&program, 502, code);
        assert_eq!(page.header("retry-after"), program.header("retry-after"));
        assert_eq!(page.header("retry-after"), "5");
        let script = [PAGE, COOKIE, ("sec-fetch-mode", "cors")];
        assert_problem(&browser.get_with(path, &script).await, 502, code);
        assert_problem(
            &browser.get_with(path, &[COOKIE, NAVIGATE, ("accept", "application/json")]).await,
            502,
            code,
        );
    }
}

#[tokio::test]
async fn form_post_during_an_outage_gets_an_error_page() {
    let (app, _) = app_of(unreachable_proxy()).await;
    let form = loopback_client().post(app.url("/api/auth/callback/credentials")).form(&[("csrfToken", "x")]);
    let form = form.header("accept", PAGE.1).header("sec-fetch-mode", "navigate");
    assert_page(&Answer::of(form.send().await.unwrap()).await, 502, "upstream_unreachable");
}

#[tokio::test]
async fn open_circuit_and_timeout_give_navigations_a_page() {
    let (_app, browser) = app_of(unreachable_proxy().upstream_circuit_breaker(1)).await;
    browser.get_with("/session", &[COOKIE]).await;
    for path in ["/protected", "/session", "/api/auth/signin"] {
        let page = browser.get_with(path, &[PAGE, NAVIGATE, COOKIE]).await;
        assert_page(&page, 503, "circuit_open");
        assert_eq!(page.header("retry-after"), "1");
    }
    let upstream = upstream().await;
    let late = Auth::builder().upstream_base_url(upstream.url()).upstream_timeout(Duration::from_millis(100));
    let (_app, browser) = app_of(late).await;
    upstream.set_fault(Some(Fault::HangBeforeHead)).await.unwrap();
    for path in ["/protected", "/api/auth/signin"] {
        assert_page(&browser.get_with(path, &[PAGE, NAVIGATE, COOKIE]).await, 504, "upstream_timeout");
    }
}

#[tokio::test]
async fn policy_refusal_gives_a_page_and_keeps_the_session() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    browser.sign_in("demo", "demo").await;
    for path in ["/admin", "/admins/a"] {
        let page = browser.get_with(path, &[PAGE, NAVIGATE]).await;
        assert_eq!((page.status, page_code(&page.body).as_deref()), (403, Some("policy_refused")), "{path}");
        // The renewed cookie is relayed with the page.
        assert!(page.header("set-cookie").starts_with("authjs.session-token="), "{page:?}");
        assert_eq!(browser.get(path).await.code(), "policy_refused");
    }
}

/// A visitor who opens the app by its address in the network reads why it does not answer.
#[tokio::test]
async fn unknown_host_gives_navigations_a_page() {
    let upstream = upstream().await;
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url())).await;
    let host = ("host", "10.1.2.3:8080");
    assert_page(&browser.get_with("/api/auth/signin", &[PAGE, NAVIGATE, host]).await, 421, "host_unknown");
    assert_problem(&browser.get_with("/api/auth/signin", &[host]).await, 421, "host_unknown");
}

#[tokio::test]
async fn rejected_cross_origin_write_gets_an_error_page() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let writes = Router::new().route("/write", post(|| async { "ok" })).layer(auth.cross_origin_protection());
    let app = App::start(auth.attach(writes).with_state(auth.clone())).await;
    let request = || loopback_client().post(app.url("/write")).header("cookie", COOKIE.1);
    let request = || request().header("sec-fetch-site", "cross-site");
    let page = request().header("accept", PAGE.1).header("sec-fetch-mode", "navigate");
    assert_page(&Answer::of(page.send().await.unwrap()).await, 403, "cross_origin_refused");
    assert_problem(&Answer::of(request().send().await.unwrap()).await, 403, "cross_origin_refused");
}

#[tokio::test]
async fn head_request_gets_the_headers_of_the_error_page_without_a_body() {
    let (app, browser) = app_of(unreachable_proxy()).await;
    for path in ["/protected", "/session", "/api/auth/signin"] {
        let page = browser.get_with(path, &[PAGE, COOKIE]).await;
        let head = loopback_client().head(app.url(path)).header("accept", PAGE.1).header("cookie", COOKIE.1);
        let head = Answer::of(head.send().await.unwrap()).await;
        assert_eq!((head.status, head.body.as_str()), (502, ""), "{path}");
        for name in ["content-type", "content-length", "retry-after", "vary", "cache-control"] {
            assert_eq!(head.header(name), page.header(name), "{path}: {name}");
        }
        assert_eq!(head.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(head.header("content-length"), page.body.len().to_string());
    }
}

#[tokio::test]
async fn client_errors_of_navigations_are_problem_json() {
    let upstream = upstream().await;
    let status = Auth::builder().upstream_base_url(upstream.url()).unauthenticated(Unauthenticated::Status);
    let (_app, browser) = app_of(status).await;
    for (path, status, code) in [
        ("/protected", 401, "session_absent"),
        ("/session", 401, "session_absent"),
        ("/api/auth/..%2fx", 400, "path_invalid"),
    ] {
        let answer = browser.get_with(path, &[PAGE, NAVIGATE]).await;
        assert_eq!((answer.status, answer.code().as_str(), varies_by_accept(&answer)), (status, code, false));
    }
}

/// Only errors of the library become error pages. Error responses of the upstream and of handlers are not replaced.
#[tokio::test]
async fn error_responses_of_upstream_and_handlers_are_not_replaced() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let own = || async { (StatusCode::FORBIDDEN, "my own").into_response() };
    let with_own_body = |result: Result<Session<Auth>, AuthError>| async move {
        let Err(error) = result else { return "signed in".into_response() };
        (error.status(), Html(error.code().to_owned())).into_response()
    };
    let router = Router::new().route("/own", get(own)).route("/replaced", get(with_own_body));
    let app = App::start(auth.attach(router).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    upstream.set_fault(Some(Fault::Overloaded)).await.unwrap();
    let forwarded = browser.get_with("/api/auth/signin", &[PAGE, NAVIGATE]).await;
    assert_eq!(forwarded.status, 503);
    // The body is the sign-in page of the upstream, not an error page of the library.
    assert!(forwarded.body.contains("This is a test server"), "{forwarded:?}");
    assert_ne!(page_code(&forwarded.body).as_deref(), Some("upstream_overloaded"));
    let own = browser.get_with("/own", &[PAGE, NAVIGATE]).await;
    assert_eq!((own.status, own.body.as_str(), varies_by_accept(&own)), (403, "my own", false));
    let replaced = browser.get_with("/replaced", &[PAGE, NAVIGATE, COOKIE]).await;
    assert_eq!((replaced.status, replaced.body.as_str()), (503, "upstream_overloaded"));
}

#[tokio::test]
async fn error_without_the_session_cookie_layer_is_problem_json() {
    let auth = unreachable_proxy().build().unwrap();
    let handler = |_: Session<Auth>| async { "ok" };
    let app = App::start(Router::new().route("/bare", get(handler)).with_state(auth)).await;
    let answer = Browser::of(&app).get_with("/bare", &[PAGE, NAVIGATE, COOKIE]).await;
    assert_eq!((answer.code().as_str(), varies_by_accept(&answer)), ("upstream_unreachable", false));
}

#[tokio::test]
async fn custom_error_page_replaces_the_default_page() {
    let upstream = upstream().await;
    let codes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&codes);
    let page = move |error: &AuthError| -> Response {
        seen.lock().unwrap().push(error.code());
        match error.status() {
            StatusCode::FORBIDDEN => Html("not for you").into_response(),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                [("retry-after", "60"), ("vary", "Accept-Language"), ("x-page", "mine")],
                Html("later"),
            )
                .into_response(),
        }
    };
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_retries(0).error_page(page)).await;
    browser.sign_in("demo", "demo").await;
    // The custom page gets the status and headers of the error, except those that it sets.
    let refused = browser.get_with("/admin", &[PAGE, NAVIGATE]).await;
    assert_eq!((refused.status, refused.body.as_str()), (403, "not for you"));
    assert_eq!((refused.header("cache-control"), refused.header("retry-after")), ("no-store", ""));
    assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
    upstream.set_fault(Some(Fault::Refused)).await.unwrap();
    for path in ["/session", "/api/auth/signin"] {
        let failed = browser.get_with(path, &[PAGE, NAVIGATE]).await;
        assert_eq!((failed.status, failed.body.as_str()), (500, "later"), "{path}");
        assert_eq!((failed.header("retry-after"), failed.header("x-page")), ("60", "mine"));
        let varies: Vec<_> = failed.headers.get_all("vary").iter().collect();
        assert_eq!(varies[..2], ["Accept-Language", "Accept"]);
    }
    // A request that is not a navigation gets the problem JSON.
    assert_eq!(browser.get("/session").await.status, 502);
    assert_eq!(*codes.lock().unwrap(), ["policy_refused", "upstream_unreachable", "upstream_unreachable"]);
}

/// An inner layer of the app may compress the problem JSON. The page replaces that body, so it must not keep the
/// headers of the body.
#[tokio::test]
async fn error_page_drops_the_headers_of_the_replaced_body() {
    let auth = unreachable_proxy().build().unwrap();
    let compress = |mut response: Response| async {
        for (name, value) in [
            ("content-encoding", "gzip"),
            ("content-length", "5"),
            ("etag", "\"1\""),
            ("vary", "Accept-Encoding"),
        ] {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        *response.body_mut() = "a zip".into();
        response
    };
    let handler = |_: Session<Auth>| async { "ok" };
    let router = Router::new().route("/packed", get(handler)).layer(axum::middleware::map_response(compress));
    let app = App::start(auth.attach(router).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    let page = browser.get_with("/packed", &[PAGE, NAVIGATE, COOKIE]).await;
    assert_eq!(page_code(&page.body).as_deref(), Some("upstream_unreachable"), "{page:?}");
    assert_eq!((page.header("content-encoding"), page.header("etag")), ("", ""));
    assert_eq!(page.header("content-length"), page.body.len().to_string());
    assert_eq!(page.headers.get_all("vary").iter().collect::<Vec<_>>()[..2], ["Accept-Encoding", "Accept"]);
    assert_eq!(browser.get_with("/packed", &[COOKIE]).await.body, "a zip");
}

/// An app may apply two layers, for two proxies or by mistake. The inner layer renders the page, and the outer layer
/// does not replace it.
#[tokio::test]
async fn two_session_cookie_layers_render_one_error_page() {
    let auth = unreachable_proxy().build().unwrap();
    let outer = unreachable_proxy()
        .error_page(|_: &AuthError| Html("the outer one").into_response())
        .build()
        .unwrap();
    let app = App::start(routes(&auth).layer(outer.session_cookie_layer())).await;
    let answer = Browser::of(&app).get_with("/session", &[PAGE, NAVIGATE, COOKIE]).await;
    assert_page(&answer, 502, "upstream_unreachable");
}

//! CORS on the sign-in routes: pages of the configured origins may send requests with cookies, other pages may not.

use auth_proxy_tests::{Answer, App};
use axum::Router;
use axum::response::IntoResponse;

use crate::support::{Auth, app, app_of, upstream};

const PAGE: &str = "https://page.example.com";

async fn send(app: &App, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), app.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}

fn varies_by_origin(answer: &Answer) -> bool {
    answer.headers.get_all("vary").iter().any(|line| line == "origin")
}

fn is_allowed(answer: &Answer, origin: &str) -> bool {
    assert!(varies_by_origin(answer), "{answer:?}");
    let cors_headers =
        (answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials"));
    assert!(cors_headers == (origin, "true") || cors_headers == ("", ""), "{cors_headers:?}");
    cors_headers.1 == "true"
}

#[tokio::test]
async fn cors_allows_only_the_configured_origins() {
    let upstream = upstream().await;
    let (app, _browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).cors_origins([PAGE, "http://localhost:80"]))
            .await;
    for (origin, allowed) in [
        (PAGE, true),
        ("http://localhost", true),
        ("https://page.example.com:8443", false),
        ("http://page.example.com", false),
        ("https://page.example.com.evil.example", false),
        ("https://evil.example", false),
        ("null", false),
        ("*", false),
    ] {
        let answer = send(&app, "GET", "/api/auth/csrf", &[("origin", origin)]).await;
        assert_eq!((answer.status, is_allowed(&answer, origin)), (200, allowed), "{origin}");
        // Errors have the CORS headers too, so that the page can read the error code.
        let answer = send(&app, "PUT", "/api/auth/csrf", &[("origin", origin)]).await;
        assert_eq!((answer.status, is_allowed(&answer, origin)), (405, allowed), "{origin}");
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        let answer = send(&app, "OPTIONS", "/api/auth/signin/github", &preflight).await;
        assert_eq!(
            (answer.status, is_allowed(&answer, origin)),
            (if allowed { 204 } else { 405 }, allowed),
            "{origin}"
        );
        assert_eq!(answer.header("access-control-allow-headers").contains("x-auth-return-redirect"), allowed);
    }
    // Without an `Origin` header, CORS does not apply. `Vary` is still set, so that caches keep the responses apart.
    let answer = send(&app, "GET", "/api/auth/csrf", &[]).await;
    assert!(!is_allowed(&answer, ""));
    // A preflight never reaches the upstream.
    assert!(upstream.seen().iter().all(|seen| seen.method != "OPTIONS"));
}

#[tokio::test]
async fn cors_is_off_by_default() {
    let upstream = upstream().await;
    let (app, _browser) = app(&upstream).await;
    let answer = send(&app, "GET", "/api/auth/csrf", &[("origin", PAGE)]).await;
    assert!(!varies_by_origin(&answer) && answer.header("access-control-allow-origin").is_empty());
    let preflight = [("origin", PAGE), ("access-control-request-method", "POST")];
    assert_eq!(send(&app, "OPTIONS", "/api/auth/csrf", &preflight).await.status, 405);
}

/// With `ROBO_CORS=1`, Robo allows every origin. The app must not relay these headers.
#[tokio::test]
async fn upstream_cors_headers_are_stripped() {
    let permissive_upstream: Router =
        Router::new().fallback(|| async { [("access-control-allow-origin", "*")].into_response() });
    let builder =
        || Auth::builder().upstream_base_url("http://auth").upstream_fetch(permissive_upstream.clone());
    let evil = "https://evil.example";
    let (with_cors, _browser) = app_of(builder().cors_origins([PAGE])).await;
    assert!(!is_allowed(&send(&with_cors, "GET", "/api/auth/session", &[("origin", evil)]).await, evil));
    let (without_cors, _browser) = app_of(builder()).await;
    let answer = send(&without_cors, "GET", "/api/auth/session", &[("origin", evil)]).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
}

#[test]
fn wildcard_cors_origin_is_rejected_at_build() {
    let error = Auth::builder().upstream_base_url("http://auth").cors_origins(["*"]).build().unwrap_err();
    assert!(error.to_string().contains("cors.origins: credentials are allowed"), "{error}");
}

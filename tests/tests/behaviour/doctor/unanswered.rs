//! Upstreams that cannot be reached, do not answer, or answer with something else.

use std::time::{Duration, Instant};

use auth_proxy::options::{Host, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::doctor::{change, codes, unchecked};
use auth_proxy_tests::{App, free_port};
use axum::Router;
use axum::extract::Request;
use axum::http::header::{COOKIE, HOST, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::{APP, WithoutHeaders, at, before, check};
use crate::support::{Auth, routes};

#[tokio::test]
async fn unknown_host_is_found() {
    let builder = at("http://no-such-host.invalid").upstream_allow_http(true);
    let advice = change(&check(builder).await, "host_unresolved");
    assert!(advice.contains("`no-such-host.invalid`"), "{advice}");
}

#[tokio::test]
async fn refused_connection_is_found() {
    let advice = change(&check(at(&format!("http://127.0.0.1:{}", free_port()))).await, "connection_refused");
    assert!(advice.contains("start the server"), "{advice}");
}

/// The other end takes the connection and never speaks TLS, as a firewall that drops packets would.
#[tokio::test]
async fn connection_that_is_not_made_in_time_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let builder = at(&url).upstream_connect_timeout(Duration::from_millis(200));
    let advice = change(&check(builder).await, "connection_timeout");
    let port = listener.local_addr().unwrap().port();
    assert!(advice.contains(&format!("port {port} of")) && advice.contains("200ms"), "{advice}");
}

/// A server that shares no version or cipher with this client answers with the alert `handshake_failure` (RFC 8446, section
/// 6.2).
#[tokio::test]
async fn refused_tls_handshake_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).await.ok();
            stream.readable().await.ok();
        }
    });
    let report = check(at(&url)).await;
    let advice = change(&report, "tls_failed");
    assert!(advice.contains("TLS 1.2 or 1.3"), "{advice}");
    assert!(report.findings()[0].evidence().contains("HandshakeFailure"), "{report}");
}

#[tokio::test]
async fn hung_upstream_ends_the_check_within_the_timeout() {
    let upstream = FakeUpstream::start().await.unwrap();
    for fault in [Fault::HangBeforeHead, Fault::HangWithinHead, Fault::HangWithinBody] {
        upstream.set_fault(Some(fault)).await.unwrap();
        let began = Instant::now();
        let report = check(before(&upstream).upstream_timeout(Duration::from_millis(500))).await;
        let took = began.elapsed();
        assert!(took < Duration::from_millis(1_000), "{took:?}");
        let advice = change(&report, "response_timeout");
        assert!(advice.contains("raise `upstream.timeout`, which is 500ms"), "{advice}");
    }
}

/// It answers slowly, so the check has no time for everything. What it did not find out is no finding.
#[tokio::test]
async fn slow_upstream_leaves_checks_open_and_makes_no_findings() {
    let upstream = FakeUpstream::start().await.unwrap();
    upstream.set_fault(Some(Fault::Delayed(Duration::from_millis(400)))).await.unwrap();
    for kind in [UpstreamKind::Robo, UpstreamKind::Authjs] {
        let builder = before(&upstream).upstream_kind(kind).upstream_timeout(Duration::from_millis(600));
        let report = check(builder).await;
        assert!(codes(&report).is_empty(), "{report}");
        // The answers of a fault have no `Date`.
        let open = ["session_strategy", "callback_urls", "cookie_name", "clock"];
        assert_eq!(unchecked(&report), open, "{report}");
    }
}

#[tokio::test]
async fn answer_that_is_not_http_is_found() {
    let upstream = FakeUpstream::start().await.unwrap();
    for fault in [Fault::Garbage, Fault::CloseBeforeHead, Fault::ResetBeforeHead] {
        upstream.set_fault(Some(fault)).await.unwrap();
        let advice = change(&check(before(&upstream)).await, "response_broken");
        assert!(advice.contains("HTTP port"), "{advice}");
    }
}

#[tokio::test]
async fn refusals_and_failures_of_the_upstream_are_told_apart() {
    let upstream = FakeUpstream::start().await.unwrap();
    for (fault, code) in [
        (Fault::Overloaded, "upstream_unavailable"),
        (Fault::InternalError, "upstream_failing"),
        (Fault::RateLimited, "upstream_rate_limited"),
        (Fault::Html, "login_not_found"),
        (Fault::JsonString, "login_not_found"),
    ] {
        upstream.set_fault(Some(fault)).await.unwrap();
        assert_eq!(codes(&check(before(&upstream)).await), [code], "{fault:?}");
    }
}

/// The search for another address has a limit.
#[tokio::test]
async fn search_for_the_login_sends_at_most_36_requests() {
    let upstream = FakeUpstream::start().await.unwrap();
    upstream.set_fault(Some(Fault::Html)).await.unwrap();
    let url = format!("{}/tenant", upstream.url());
    let builder = WithoutHeaders::builder().upstream_base_url(url).public_url(APP);
    let builder = builder.base_path("/login").upstream_base_path("/elsewhere");
    let report = builder.build().unwrap().check().await;
    assert_eq!(codes(&report), ["login_not_found"], "{report}");
    assert_eq!(upstream.seen().len(), 36);
}

/// Every request is answered in this way.
async fn answering<R: IntoResponse + 'static>(answer: fn(HeaderMap) -> R) -> App {
    App::start(Router::new().fallback(async move |request: Request| answer(request.headers().clone()))).await
}

#[tokio::test]
async fn redirects_are_found_with_the_address_to_write() {
    let to_https = answering(|headers| {
        let host = headers[HOST].to_str().unwrap();
        let port = host.rsplit(':').next().unwrap();
        (
            StatusCode::PERMANENT_REDIRECT,
            [(LOCATION, format!("https://127.0.0.1:{port}/x?token=secret-query-1"))],
        )
    })
    .await;
    let builder = at(&to_https.url("")).upstream_host(Host::Upstream);
    let advice = change(&check(builder).await, "upstream_redirects");
    assert_eq!(advice, format!("write `upstream.base_url: \"https://{}\"`", to_https.addr));

    let wall =
        answering(|_| (StatusCode::FOUND, [(LOCATION, "https://sso.example.com/login/secret-path-1?x=1")]))
            .await;
    let report = check(at(&wall.url(""))).await;
    let advice = change(&report, "upstream_redirects");
    assert!(advice.contains("`upstream.base_url: \"https://sso.example.com\"`"), "{advice}");
    assert!(!report.to_string().contains("secret-path-1"), "{report}");

    let slash = answering(|_| (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "/api/auth/csrf/")])).await;
    let advice = change(&check(at(&slash.url(""))).await, "upstream_redirects");
    assert!(advice.contains("`trailingSlash: false`"), "{advice}");
}

#[tokio::test]
async fn missing_key_of_the_upstream_is_found() {
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let refuses = match status {
            StatusCode::UNAUTHORIZED => answering(|_| (StatusCode::UNAUTHORIZED, "no: secret-body-1")).await,
            _ => answering(|_| (StatusCode::FORBIDDEN, "no: secret-body-1")).await,
        };
        let report = check(at(&refuses.url(""))).await;
        let advice = change(&report, "upstream_refuses");
        assert!(advice.contains("`upstream.headers: {"), "{advice}");
        assert!(!report.to_string().contains("secret-body-1"), "{report}");
    }
}

/// An upstream address that leads back to the app itself.
#[tokio::test]
async fn loop_is_found() {
    let port = free_port();
    let auth = Auth::builder()
        .upstream_base_url(format!("http://127.0.0.1:{port}"))
        .public_url(APP)
        .build()
        .unwrap();
    let _app = App::start_at(port, routes(&auth)).await;
    let advice = change(&auth.check().await, "upstream_is_this_app");
    assert!(advice.contains("address of the login server"), "{advice}");
    // The circuit breaker did not count the requests of the check.
    assert!(auth.health().degraded().is_empty());
}

/// A check asks the upstream although the breaker is open, and does not close or open it.
#[tokio::test]
async fn open_breaker_does_not_stop_a_check() {
    let upstream = FakeUpstream::start().await.unwrap();
    let auth = before(&upstream).upstream_circuit_breaker(1).upstream_retries(0).build().unwrap();
    upstream.set_fault(Some(Fault::Refused)).await.unwrap();
    let report = auth.check().await;
    assert_eq!(codes(&report), ["connection_refused"]);
    assert!(auth.health().degraded().is_empty(), "a check does not open the breaker");
    let cookie = upstream.cookie(&serde_json::json!({ "sub": "1" }));
    let headers: HeaderMap = [(COOKIE, cookie.parse().unwrap())].into_iter().collect();
    assert!(auth.session(&headers).await.is_err());
    assert_eq!(auth.health().degraded(), ["circuit_open"]);
    upstream.set_fault(None).await.unwrap();
    assert!(codes(&auth.check().await).is_empty());
    assert_eq!(auth.health().degraded(), ["circuit_open"], "a check does not close the breaker");
}

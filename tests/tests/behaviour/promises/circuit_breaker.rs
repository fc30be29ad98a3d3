//! The circuit breaker: clients must not be able to open it, and confirmation requests must be reliable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy_tests::App;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use crate::support::{Auth, app_of, routes};

use super::{PLAIN, cookie_of, oneshot};

/// SECURITY.md: no client can open the circuit breaker. Before it opens, the library confirms an outage by its own
/// request. That request must use a host that the upstream serves. With a host that a client chose through a trusted
/// proxy (README, "Front door"), every confirmation would fail and the circuit would never close.
#[tokio::test]
async fn confirmation_request_uses_the_public_host() {
    let by_host = |headers: HeaderMap, request: Request| async move {
        match (headers["host"].to_str().unwrap(), request.uri().path()) {
            ("app.test", "/api/auth/session") => {
                ([("set-cookie", format!("{PLAIN}=x"))], r#"{"user":{"name":"Ada"}}"#).into_response()
            }
            ("app.test", _) => "{}".into_response(),
            // HAProxy answers 503 for an unknown host.
            _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    };
    let upstream = App::start(Router::new().fallback(by_host)).await;
    let builder = Auth::builder()
        .upstream_base_url(upstream.url(""))
        .trusted_proxies(["127.0.0.1"])
        .upstream_retries(0);
    let (_app, browser) = app_of(builder).await;
    let session_status = async |host: &str, n: usize| {
        let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.{n:04}");
        let headers = [("cookie", cookie.as_str()), ("x-forwarded-host", host)];
        browser.get_with("/session", &headers).await.status
    };
    assert_eq!(session_status("app.test", 0).await, 200);
    // The front proxy passes the client's `Host` on.
    for n in 1..=5 {
        assert_eq!(session_status("zzz.test", n).await, 503);
    }
    let mut after = vec![session_status("app.test", 0).await];
    sleep(Duration::from_secs(2)).await;
    after.push(session_status("app.test", 0).await);
    assert_eq!(
        after,
        [200, 200],
        "other visitors must get 200 right after five bad requests and two seconds later"
    );
}

/// A failed confirmation request counts as one failure, however many lookups wait for its result. Otherwise a client
/// with several failing requests could turn one failure into an open circuit.
#[tokio::test]
async fn failed_confirmation_request_counts_once() {
    let failures_left = Arc::new(AtomicUsize::new(1));
    let answer = move |headers: HeaderMap, request: Request| async move {
        let busy = StatusCode::SERVICE_UNAVAILABLE.into_response();
        if request.uri().path().ends_with("/providers") {
            sleep(Duration::from_millis(300)).await;
            let fails = failures_left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
            return if fails { busy } else { "{}".into_response() };
        }
        match cookie_of(&headers, PLAIN) {
            Some(token) if token.ends_with("good") => {
                ([("set-cookie", format!("{PLAIN}=x"))], r#"{"user":{"name":"Ada"}}"#).into_response()
            }
            _ => busy,
        }
    };
    let auth = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_retries(0)
        .upstream_fetch(Router::new().fallback(answer));
    let app = routes(&auth.build().unwrap());
    let bad: Vec<_> = (0..5)
        .map(|n| {
            let app = app.clone();
            let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.{n:04}");
            tokio::spawn(async move { oneshot(&app, "GET", "/session", &cookie).await.status() })
        })
        .collect();
    for bad in bad {
        assert_eq!(bad.await.unwrap(), 503);
    }
    let good = oneshot(&app, "GET", "/session", &format!("{PLAIN}=aaaa..bbbb.cccc.good")).await;
    assert_eq!(good.status(), 200, "one failed confirmation must not open the circuit");
}

/// SECURITY.md: no client can open the circuit breaker. Over HTTP/2 all requests share one connection with about 100
/// streams (`SETTINGS_MAX_CONCURRENT_STREAMS`). Slow forms of one client can occupy all of them, so that lookups and
/// the confirmation request wait. That must not count as an outage, not even once.
#[tokio::test]
async fn slow_forms_over_http2_do_not_open_the_circuit() {
    let answer = |request: Request| async move {
        let is_session = request.uri().path().ends_with("/session");
        axum::body::to_bytes(request.into_body(), 1 << 20).await.ok();
        let body = if is_session { r#"{"user":{"name":"Ada"}}"# } else { "{}" };
        ([("set-cookie", format!("{PLAIN}=x"))], body)
    };
    let router = Router::new().fallback(answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new())
                    .max_concurrent_streams(32)
                    .serve_connection(io, service)
                    .await
            });
        }
    });
    // The same HTTP/2 client that the library uses over https.
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .build_http::<Body>();
    let fetch = tower::service_fn(move |request| client.request(request));
    let builder =
        Auth::builder().upstream_base_url(url).upstream_fetch(fetch).upstream_timeout(Duration::from_secs(1));
    let (app, browser) = app_of(builder.upstream_circuit_breaker(1)).await;
    let code = async |n: usize| {
        let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.{n:04}");
        let answer = browser.get_with("/session", &[("cookie", &cookie)]).await;
        if answer.status == 200 { "ok".to_owned() } else { answer.code() }
    };
    assert_eq!(code(0).await, "ok");
    let form = "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1";
    let addr = app.addr;
    let attack = tokio::spawn(async move {
        let mut slow = Vec::new();
        loop {
            for _ in 0..16 {
                let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
                stream.write_all(form.as_bytes()).await.unwrap();
                slow.push(stream);
            }
            sleep(Duration::from_millis(40)).await;
        }
    });
    sleep(Duration::from_millis(500)).await;
    let mut codes = Vec::new();
    for wave in 0..4 {
        let n = 10 * wave;
        let (a, b, c, d) = tokio::join!(code(n + 1), code(n + 2), code(n + 3), code(n + 4));
        codes.extend([a, b, c, d]);
        // A confirmation request may end after the lookup that started it.
        sleep(Duration::from_millis(300)).await;
        codes.push(code(n + 5).await);
    }
    attack.abort();
    assert!(!codes.contains(&"circuit_open".to_owned()), "{codes:?}");
}

/// A slow form must not hide an outage: the circuit opens, and visitors keep their sessions.
#[tokio::test]
async fn slow_form_does_not_hide_an_outage() {
    let is_down = Arc::new(AtomicBool::new(false));
    let hangs = Arc::clone(&is_down);
    let answer = move |request: Request| async move {
        axum::body::to_bytes(request.into_body(), 1 << 20).await.ok();
        if hangs.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        ([("set-cookie", format!("{PLAIN}=x"))], r#"{"user":{"name":"Ada"}}"#)
    };
    let builder = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_fetch(Router::new().fallback(answer))
        .upstream_timeout(Duration::from_secs(1))
        .upstream_retries(0)
        .upstream_circuit_breaker(2)
        .session_cache(Duration::from_millis(20))
        .session_stale_if_error(Duration::from_secs(3600));
    let (app, browser) = app_of(builder).await;
    let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.0001");
    let session = async || browser.get_with("/session", &[("cookie", &cookie)]).await;
    assert_eq!(session().await.status, 200);
    is_down.store(true, SeqCst);
    let form = "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1";
    let mut forms = Vec::new();
    for _ in 0..4 {
        let mut stream = tokio::net::TcpStream::connect(app.addr).await.unwrap();
        stream.write_all(form.as_bytes()).await.unwrap();
        forms.push(stream);
    }
    sleep(Duration::from_millis(50)).await;
    for _ in 0..2 {
        let stale = session().await;
        assert_eq!((stale.status, stale.header("auth-proxy-session")), (200, "stale"), "{stale:?}");
    }
    let stranger =
        browser.get_with("/session", &[("cookie", &format!("{PLAIN}=aaaa..bbbb.cccc.0002"))]).await;
    assert_eq!(stranger.code(), "circuit_open");
}

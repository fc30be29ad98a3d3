//! The circuit breaker opens after upstream failures. A client cannot open it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy_tests::{App, free_port};
use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::app_of;
use crate::support::unreliable::{ADA, COOKIE, auth, session};

#[tokio::test]
async fn circuit_opens_after_failures_and_a_probe_closes_it() {
    let port = free_port();
    let builder = auth(&format!("http://127.0.0.1:{port}")).upstream_retries(0).upstream_circuit_breaker(3);
    let (_app, browser) = app_of(builder).await;
    for _ in 0..3 {
        assert_eq!(session(&browser).await, (502, "upstream_unreachable".to_owned()));
    }
    for path in ["/session", "/session/optional", "/protected", "/api/auth/providers"] {
        let answer = browser.get_with(path, &[("cookie", COOKIE)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "circuit_open"), "{path}");
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let answer = |request: Request| async move {
        assert_eq!(request.method(), Method::GET);
        ADA
    };
    let _upstream = App::start_at(port, Router::new().fallback(answer)).await;
    tokio::time::timeout(Duration::from_secs(10), async {
        while session(&browser).await != (200, "Ada".to_owned()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("a probe closes the circuit within 10 s");
}

/// A client can cause timeouts of forms and callbacks, so those must not open the circuit for other visitors.
#[tokio::test]
async fn clients_cannot_open_the_circuit() {
    let hangs = |request: Request| async move {
        if request.uri().path().ends_with("/session") {
            return ADA;
        }
        std::future::pending().await
    };
    let upstream = App::start(Router::new().fallback(hangs)).await;
    let builder =
        auth(&upstream.url("")).upstream_timeout(Duration::from_millis(100)).upstream_circuit_breaker(2);
    let (app, browser) = app_of(builder.upstream_body_limit(10)).await;
    for _ in 0..4 {
        assert_eq!(browser.get("/api/auth/callback/github?code=1").await.status, 504);
        assert_eq!(browser.post("/api/auth/signout", &[("a", "b")]).await.status, 504);
        assert_eq!(browser.post("/api/auth/signout", &[("a", "far too much")]).await.status, 413);
        assert_eq!(browser.get("/api/auth/..%2f").await.status, 400);
        // A GET with a malformed or an oversized body, on a route whose GET requests without a body are retried. hyper
        // sends no body with a GET, so the body is never read.
        for chunk in ["zz", "20\r\nfar too much of a body, all of it"] {
            let request = format!(
                "GET /api/auth/providers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}\r\n"
            );
            let answer = app.raw(&request).await;
            assert!(answer.starts_with("HTTP/1.1 504"), "{chunk}: {answer}");
        }
    }
    assert_eq!(session(&browser).await, (200, "Ada".to_owned()));
}

/// An upstream that sends this response to lookups, and 503 to forms. It keeps the connection open, except after
/// `Connection: close`.
async fn failing_upstream(answer: &'static str) -> String {
    const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let answer = if head.starts_with(b"POST") { BUSY } else { answer };
                stream.write_all(answer.as_bytes()).await?;
                if !answer.contains("Connection: close") {
                    std::future::pending::<()>().await;
                }
                Ok::<_, std::io::Error>(())
            });
        }
    });
    url
}

/// A response that stops after the status line.
const STALLED: &str = "HTTP/1.1 200 OK\r\n";

const FAILED_LOOKUPS: [&str; 5] = [
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n",
    STALLED,
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    // The connection closes before the end given by `Content-Length`.
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{",
];

#[tokio::test]
async fn failed_lookups_open_the_circuit_and_failed_forms_do_not() {
    for response in FAILED_LOOKUPS {
        let builder = auth(&failing_upstream(response).await)
            .upstream_timeout(Duration::from_secs(1))
            .upstream_retries(0);
        let (_app, browser) = app_of(builder.upstream_circuit_breaker(3)).await;
        for _ in 0..3 {
            assert_eq!(browser.post("/api/auth/signout", &[("a", "b")]).await.status, 503, "{response}");
            let (status, code) = session(&browser).await;
            assert!(status >= 502 && code != "circuit_open", "{response}: {status} {code}");
        }
        assert_eq!(session(&browser).await, (503, "circuit_open".to_owned()), "{response}");
    }
}

/// With one lookup at a time, other visitors wait in the queue. Timeouts of the running lookups must still open the
/// circuit.
#[tokio::test]
async fn hanging_upstream_under_load_opens_the_circuit() {
    let builder = auth(&failing_upstream(STALLED).await)
        .upstream_timeout(Duration::from_millis(300))
        .upstream_concurrency(1);
    let (_app, browser) = app_of(builder.upstream_circuit_breaker(3)).await;
    let is_open = Arc::new(AtomicUsize::new(0));
    tokio::time::timeout(Duration::from_secs(20), async {
        for visitor in 0.. {
            let (browser, is_open) = (browser.clone(), Arc::clone(&is_open));
            if is_open.load(SeqCst) > 0 {
                break;
            }
            tokio::spawn(async move {
                let cookie = format!("authjs.session-token=aaaa..bbbb.cccc.{visitor:04}");
                let answer = browser.get_with("/session", &[("cookie", &cookie)]).await;
                is_open.fetch_add(usize::from(answer.code() == "circuit_open"), SeqCst);
            });
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the circuit opens within 20 s");
}

/// A host behind a firewall neither accepts nor refuses connections. `connect_timeout` makes that unreachable (502),
/// not a timeout (504).
#[tokio::test]
async fn connect_timeout_is_unreachable_and_opens_the_circuit() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connection) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(addr)).await
    {
        waiting.push(connection.unwrap());
    }
    for retries in [0, 1] {
        let builder = auth(&format!("http://{addr}")).upstream_connect_timeout(Duration::from_millis(100));
        let (_app, browser) = app_of(builder.upstream_retries(retries).upstream_circuit_breaker(2)).await;
        let form = browser.post("/api/auth/signout", &[("a", "b")]).await;
        assert_eq!((form.status, form.code().as_str()), (502, "upstream_unreachable"));
        assert_eq!(session(&browser).await, (502, "upstream_unreachable".to_owned()));
        assert_eq!(session(&browser).await, (503, "circuit_open".to_owned()));
    }
}

//! Limits of `axum::serve` for request heads: no timeout, and the size limits of hyper. SECURITY.md documents both.

use std::time::Duration;

use auth_proxy_tests::App;
use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn router() -> Router {
    Router::new().route("/", get(|| async { "ok" }))
}

/// Sends one request and half the head of a second one, advances the clock of the runtime by a day, and sends the rest.
async fn answer_after_a_day(addr: std::net::SocketAddr) -> String {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = Vec::new();
    while !first.ends_with(b"ok") {
        first.push(socket.read_u8().await.unwrap());
    }
    socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
    tokio::time::pause();
    tokio::time::sleep(DAY).await;
    tokio::time::resume();
    socket.write_all(b"Connection: close\r\n\r\n").await.ok();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.ok();
    String::from_utf8(answer).unwrap()
}

/// axum sets no timer, so the `header_read_timeout` of hyper (30 s) has no effect (axum 0.8.9, `serve/mod.rs`).
#[tokio::test]
async fn axum_serve_has_no_timeout_for_request_heads() {
    let app = App::start(router()).await;
    let answer = answer_after_a_day(app.addr).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok"), "{answer}");
}

/// With a timer, hyper closes the connection of the same slow client after 30 s.
#[tokio::test]
async fn hyper_with_a_timer_closes_slow_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper::service::service_fn(|request| router().oneshot(request));
        let mut server = hyper::server::conn::http1::Builder::new();
        server.timer(hyper_util::rt::TokioTimer::new());
        server.serve_connection(hyper_util::rt::TokioIo::new(stream), service).await.ok();
    });
    let answer = answer_after_a_day(addr).await;
    assert!(!answer.contains(" 200 "), "{answer}");
}

/// hyper accepts at most 100 headers, and in total about 8 KiB plus 100 pages of 4 KiB (hyper 1.12, `proto/h1/io.rs`).
#[tokio::test]
async fn axum_serve_limits_request_heads_as_hyper_does() {
    let app = App::start(router()).await;
    let header_lines = |count: usize| "X-Many: 1\r\n".repeat(count);
    let header_of_size = |bytes: usize| format!("X-Large: {}\r\n", "a".repeat(bytes));
    for (headers, status) in [
        (header_lines(98), 200),
        (header_lines(99), 431),
        (header_of_size(400_000), 200),
        (header_of_size(1_000_000), 431),
    ] {
        // `raw_get` adds two headers.
        let (found, answer) = app.raw_get("/", &headers).await;
        assert_eq!(found, status, "{} bytes: {}", headers.len(), answer.lines().next().unwrap_or_default());
    }
}

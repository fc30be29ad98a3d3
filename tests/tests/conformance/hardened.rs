//! `examples/hardened` over raw sockets: slow clients, large heads, many connections, and a graceful shutdown.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::App;
use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use auth_proxy_tests::process::{Process, example};

/// A timeout that no step of these tests exceeds, even on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(60);

fn start(upstream: &str, vars: &[(&str, &str)]) -> (Process, String) {
    let mut program = example("hardened");
    let program = Process::start(program.env("AUTH_UPSTREAM_URL", upstream).envs(vars.iter().copied()));
    let addr = program.first_line.strip_prefix("http://").unwrap().to_owned();
    (program, addr)
}

/// Sends a request on an open connection and reads the head of the response.
async fn ask(socket: &mut TcpStream, request: &str) -> String {
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = timeout(TIMEOUT, socket.read_u8())
            .await
            .expect("no response in time")
            .expect("the connection was closed within the head");
        answer.push(byte);
    }
    String::from_utf8(answer).unwrap()
}

/// Reads until the peer closes the connection. Returns what it sent.
async fn read_until_closed(socket: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    timeout(TIMEOUT, socket.read_to_end(&mut rest))
        .await
        .expect("the connection was not closed in time")
        .ok();
    String::from_utf8_lossy(&rest).into_owned()
}

const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn slow_and_idle_connections_are_closed() {
    let (_program, addr) = start("http://127.0.0.1:9", &[]);
    // Slowloris attack: a request head that never ends, with one more line every 300 ms.
    let mut slow = TcpStream::connect(&addr).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
    let (mut read, mut write) = slow.into_split();
    let slow_writer = tokio::spawn(async move {
        while write.write_all(b"X-More: 1\r\n").await.is_ok() {
            sleep(Duration::from_millis(300)).await;
        }
    });
    // One connection never sends a request, and another is idle after a response.
    let mut silent = TcpStream::connect(&addr).await.unwrap();
    let mut idle = TcpStream::connect(&addr).await.unwrap();
    assert!(ask(&mut idle, HEAD).await.starts_with("HTTP/1.1 401 "));
    let mut rest = Vec::new();
    timeout(TIMEOUT, read.read_to_end(&mut rest))
        .await
        .expect("the slow connection was not closed in time")
        .ok();
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
    timeout(TIMEOUT, slow_writer).await.expect("writes to the closed connection do not fail").unwrap();
    assert_eq!(read_until_closed(&mut silent).await, "");
    assert_eq!(read_until_closed(&mut idle).await, "");
}

#[tokio::test]
async fn request_heads_are_limited_to_64_kib() {
    let (_program, addr) = start("http://127.0.0.1:9", &[]);
    for (bytes, status) in [(65_000, "401"), (66_000, "431")] {
        let mut socket = TcpStream::connect(&addr).await.unwrap();
        let request = format!("HEAD / HTTP/1.1\r\nHost: localhost\r\nX-Pad: {}\r\n\r\n", "a".repeat(bytes));
        let answer = ask(&mut socket, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes}: {answer}");
    }
}

#[tokio::test]
async fn connections_are_limited_to_max_connections() {
    let (_program, addr) = start("http://127.0.0.1:9", &[("MAX_CONNECTIONS", "2")]);
    let mut first = TcpStream::connect(&addr).await.unwrap();
    let mut second = TcpStream::connect(&addr).await.unwrap();
    for socket in [&mut first, &mut second] {
        assert!(ask(socket, HEAD).await.starts_with("HTTP/1.1 401 "));
    }
    // The kernel accepts the third connection. The program serves it only after another connection is closed.
    let mut third = TcpStream::connect(&addr).await.unwrap();
    third.write_all(HEAD.as_bytes()).await.unwrap();
    assert!(
        timeout(Duration::from_secs(1), third.readable()).await.is_err(),
        "the third connection is served although two are open"
    );
    drop(first);
    assert!(ask(&mut third, "").await.starts_with("HTTP/1.1 401 "));
}

/// The program gets SIGTERM while a request waits for the upstream. It refuses new connections, and completes the
/// request.
#[cfg(unix)]
#[tokio::test]
async fn running_request_completes_after_sigterm() {
    let [request_reached, respond] = [Arc::new(Notify::new()), Arc::new(Notify::new())];
    let (reached, wait) = (Arc::clone(&request_reached), Arc::clone(&respond));
    let slow = Router::new().fallback(move || async move {
        reached.notify_one();
        wait.notified().await;
        r#"{"user":{"email":"demo@example.com"},"expires":"2999-01-01T00:00:00.000Z"}"#
    });
    let upstream = App::start(slow).await;
    let (mut program, addr) = start(&upstream.url(""), &[]);
    let mut socket = TcpStream::connect(&addr).await.unwrap();
    // The cookie has the form of a token: any other value is rejected without a lookup.
    let request =
        "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: authjs.session-token=AAAA..AAAA.AAAA.AAAA\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    timeout(TIMEOUT, request_reached.notified()).await.expect("the request did not reach the upstream");

    program.terminate();
    let refused = async {
        while TcpStream::connect(&addr).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TIMEOUT, refused).await.expect("new connections are not refused");
    assert!(program.is_running());
    respond.notify_one();
    let answer = read_until_closed(&mut socket).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("signed in as demo@example.com"),
        "{answer}"
    );
    assert!(program.end().success());
}

#[tokio::test]
async fn cross_origin_writes_are_rejected() {
    let upstream = FakeUpstream::start().await.unwrap();
    let (_program, addr) = start(upstream.url(), &[]);
    for (origin, status) in [("https://evil.example", "403"), (&format!("http://{addr}"), "401")] {
        let mut socket = TcpStream::connect(&addr).await.unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {addr}\r\nOrigin: {origin}\r\nCookie: authjs.session-token=x\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let answer = ask(&mut socket, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{origin}: {answer}");
    }
}

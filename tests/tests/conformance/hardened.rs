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

use crate::process::{Process, example};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(upstream: &str, vars: &[(&str, &str)]) -> (Process, String) {
    let mut program = example("hardened");
    let program = Process::start(program.env("AUTH_UPSTREAM_URL", upstream).envs(vars.iter().copied()));
    let addr = program.greeting.strip_prefix("http://").unwrap().to_owned();
    (program, addr)
}

/// Sends a request on an open connection and reads the head of the response.
async fn ask(socket: &mut TcpStream, request: &str) -> String {
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, socket.read_u8()).await.expect("an answer").expect("a whole head");
        answer.push(byte);
    }
    String::from_utf8(answer).unwrap()
}

/// Reads until the other end closes.
async fn closes(socket: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut rest)).await.expect("the connection is closed").ok();
    String::from_utf8_lossy(&rest).into_owned()
}

const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn slow_and_idle_connections_are_closed() {
    let (_program, addr) = start("http://127.0.0.1:9", &[]);
    // Slowloris: a head that never ends, one line every 300 ms.
    let mut slow = TcpStream::connect(&addr).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
    let (mut read, mut write) = slow.into_split();
    let drip = tokio::spawn(async move {
        while write.write_all(b"X-More: 1\r\n").await.is_ok() {
            sleep(Duration::from_millis(300)).await;
        }
    });
    // A connection without a request, and one that is idle after a response.
    let mut silent = TcpStream::connect(&addr).await.unwrap();
    let mut idle = TcpStream::connect(&addr).await.unwrap();
    assert!(ask(&mut idle, HEAD).await.starts_with("HTTP/1.1 401 "));
    let mut rest = Vec::new();
    timeout(PATIENCE, read.read_to_end(&mut rest)).await.expect("the slow connection is closed").ok();
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
    timeout(PATIENCE, drip).await.expect("writing to it fails").unwrap();
    assert_eq!(closes(&mut silent).await, "");
    assert_eq!(closes(&mut idle).await, "");
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
    // The kernel accepts the connection; the program does so only after another one is closed.
    let mut third = TcpStream::connect(&addr).await.unwrap();
    third.write_all(HEAD.as_bytes()).await.unwrap();
    assert!(
        timeout(Duration::from_secs(1), third.readable()).await.is_err(),
        "the third connection is served although two are open"
    );
    drop(first);
    assert!(ask(&mut third, "").await.starts_with("HTTP/1.1 401 "));
}

/// SIGTERM arrives while a request waits for the upstream. New connections are refused, and the request gets its response.
#[cfg(unix)]
#[tokio::test]
async fn running_request_completes_after_sigterm() {
    let [asked, go_on] = [Arc::new(Notify::new()), Arc::new(Notify::new())];
    let (told, wait) = (Arc::clone(&asked), Arc::clone(&go_on));
    let slow = Router::new().fallback(move || async move {
        told.notify_one();
        wait.notified().await;
        r#"{"user":{"email":"demo@example.com"},"expires":"2999-01-01T00:00:00.000Z"}"#
    });
    let upstream = App::start(slow).await;
    let (mut program, addr) = start(&upstream.url(""), &[]);
    let mut socket = TcpStream::connect(&addr).await.unwrap();
    // The cookie has the form of a token; anything else is rejected without a lookup.
    let request =
        "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: authjs.session-token=AAAA..AAAA.AAAA.AAAA\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    timeout(PATIENCE, asked.notified()).await.expect("the request reaches the upstream");

    program.terminate();
    let refused = async {
        while TcpStream::connect(&addr).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("new connections are refused");
    assert!(program.is_running());
    go_on.notify_one();
    let answer = closes(&mut socket).await;
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

//! `examples/hardened`, over raw sockets: what it promises about clients that are slow, many or large, and about
//! its end.

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

/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(upstream: &str, vars: &[(&str, &str)]) -> (Process, String) {
    let mut program = example("hardened");
    let program = Process::start(program.env("AUTH_UPSTREAM_URL", upstream).envs(vars.iter().copied()));
    let addr = program.greeting.strip_prefix("http://").unwrap().to_owned();
    (program, addr)
}

/// Asks on a connection that is open, and reads what comes until the end of the answer's head.
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
async fn slow_clients_are_sent_away() {
    let (_program, addr) = start("http://127.0.0.1:9", &[]);
    // Slowloris: a head without end, a line now and then.
    let mut slow = TcpStream::connect(&addr).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
    let (mut read, mut write) = slow.into_split();
    let drip = tokio::spawn(async move {
        while write.write_all(b"X-More: 1\r\n").await.is_ok() {
            sleep(Duration::from_millis(300)).await;
        }
    });
    // One that says nothing at all, and one that says nothing any more.
    let mut silent = TcpStream::connect(&addr).await.unwrap();
    let mut idle = TcpStream::connect(&addr).await.unwrap();
    assert!(ask(&mut idle, HEAD).await.starts_with("HTTP/1.1 401 "));
    let mut rest = Vec::new();
    timeout(PATIENCE, read.read_to_end(&mut rest)).await.expect("the slow one is closed").ok();
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
    timeout(PATIENCE, drip).await.expect("and can write no more").unwrap();
    assert_eq!(closes(&mut silent).await, "");
    assert_eq!(closes(&mut idle).await, "");
}

#[tokio::test]
async fn heads_are_limited() {
    let (_program, addr) = start("http://127.0.0.1:9", &[]);
    for (bytes, status) in [(65_000, "401"), (66_000, "431")] {
        let mut socket = TcpStream::connect(&addr).await.unwrap();
        let request = format!("HEAD / HTTP/1.1\r\nHost: localhost\r\nX-Pad: {}\r\n\r\n", "a".repeat(bytes));
        let answer = ask(&mut socket, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes}: {answer}");
    }
}

#[tokio::test]
async fn connections_are_limited() {
    let (_program, addr) = start("http://127.0.0.1:9", &[("MAX_CONNECTIONS", "2")]);
    let mut first = TcpStream::connect(&addr).await.unwrap();
    let mut second = TcpStream::connect(&addr).await.unwrap();
    for socket in [&mut first, &mut second] {
        assert!(ask(socket, HEAD).await.starts_with("HTTP/1.1 401 "));
    }
    // The kernel takes it, the program does not, until another one goes.
    let mut third = TcpStream::connect(&addr).await.unwrap();
    third.write_all(HEAD.as_bytes()).await.unwrap();
    assert!(timeout(Duration::from_secs(1), third.readable()).await.is_err(), "a third one is served");
    drop(first);
    assert!(ask(&mut third, "").await.starts_with("HTTP/1.1 401 "));
}

/// SIGTERM while a request waits for the upstream: nobody is let in any more, and it gets its answer.
#[cfg(unix)]
#[tokio::test]
async fn a_running_request_outlives_sigterm() {
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
    // With the shape of a token: anything else is refused unasked.
    let request =
        "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: authjs.session-token=AAAA..AAAA.AAAA.AAAA\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    timeout(PATIENCE, asked.notified()).await.expect("the request is under way");

    program.terminate();
    let refused = async {
        while TcpStream::connect(&addr).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("nobody is let in");
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
async fn pages_of_other_origins_write_nothing() {
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

//! Slow and silent clients, and heads that are too large.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::identity::cookie_of;
use crate::support::{Running, app, authjs, config};
use crate::websocket::{frame, read_frame, upgrade};

/// Sends bytes, and waits until the gateway closes the connection. Returns what it answered, and after which time.
async fn until_closed(gateway: &Running, bytes: &[u8]) -> (String, Duration) {
    let begun = Instant::now();
    let mut socket = TcpStream::connect(gateway.addr).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(20), socket.read_to_end(&mut answer)).await.expect("it is closed").ok();
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

#[tokio::test]
async fn silent_and_slow_clients_are_disconnected() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", "[server]\nheader_timeout = \"1s\"\n"));
    for bytes in [&b""[..], b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"POST / HTTP/1.1\r\nX: "] {
        let (answer, after) = until_closed(&gateway, bytes).await;
        let shown = String::from_utf8_lossy(bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{shown:?}: {answer}");
        assert!(
            (Duration::from_millis(800)..Duration::from_secs(8)).contains(&after),
            "{shown:?}: {after:?}"
        );
    }
}

/// A pause within the body is the client's failure.
#[tokio::test]
async fn body_that_stops_arriving_is_ended() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", "[server]\nbody_timeout = \"1s\"\n"));
    let cookie = cookie_of(&gateway).await;
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nContent-Length: 100\r\n\r\nabc"
    );
    let (answer, after) = until_closed(&gateway, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("body_broken"), "{answer}");
    assert!(after < Duration::from_secs(8), "{after:?}");
    assert!(!gateway.log().contains("app unavailable"), "{}", gateway.log());
}

/// A client that reads nothing is disconnected, and the app's connection with it.
#[tokio::test]
async fn client_that_reads_nothing_is_disconnected() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", "[server]\nwrite_timeout = \"1s\"\n"));
    let cookie = cookie_of(&gateway).await;
    let mut socket = TcpStream::connect(gateway.addr).await.unwrap();
    let head =
        format!("GET /download?bytes=100000000 HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut all = Vec::new();
    timeout(Duration::from_secs(20), socket.read_to_end(&mut all)).await.expect("it is closed").ok();
    assert!(all.len() < 100_000_000, "the whole body was sent");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    for (head, status) in [
        (format!("X: {}", "x".repeat(200 * 1024)), "431"),
        ((0..200).map(|n| format!("X-{n}: y\r\n")).collect::<String>().trim_end().to_owned(), "431"),
    ] {
        let (answer, _) =
            until_closed(&gateway, format!("GET / HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n").as_bytes())
                .await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let (answer, _) = until_closed(
        &gateway,
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(70_000)).as_bytes(),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 414 ") || answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

/// More clients than places wait, and are served when one leaves.
#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", "[server]\nmax_connections = 2\n"));
    let held =
        [TcpStream::connect(gateway.addr).await.unwrap(), TcpStream::connect(gateway.addr).await.unwrap()];
    tokio::time::sleep(Duration::from_millis(200)).await;
    let waiting = waiting_client(&gateway).await;
    drop(held);
    expect_answer(waiting).await;
}

/// A client that asks, and gets no answer while every connection is taken.
async fn waiting_client(gateway: &Running) -> TcpStream {
    let mut client = TcpStream::connect(gateway.addr).await.unwrap();
    client.write_all(b"GET /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let answered = timeout(Duration::from_millis(500), client.peek(&mut [0])).await;
    assert!(answered.is_err(), "it was answered");
    client
}

/// Waits until a client that waits is answered: it has no session.
async fn expect_answer(mut client: TcpStream) {
    let mut answer = String::new();
    timeout(Duration::from_secs(10), client.read_to_string(&mut answer)).await.expect("an answer").unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

/// A WebSocket holds two sockets of the gateway, for as long as it is open.
#[tokio::test]
async fn websockets_count_as_connections() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let public = "[[rules]]\npath = \"/open/**\"\nrequire = \"public\"\n";
    let tables = format!("{public}[server]\nmax_connections = 2\n");
    let gateway = Running::start(&config(&auth, &app, "", &tables));
    let cookie = cookie_of(&gateway).await;
    let (mut signed_in, head) = upgrade(&gateway, "/ws", &cookie, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let (mut guest, head) = upgrade(&gateway, "/open/ws", "a=b", "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let waiting = waiting_client(&gateway).await;
    // That of the guest goes on.
    guest.write_all(&frame("still there")).await.unwrap();
    assert_eq!(read_frame(&mut guest).await, "still there");
    // A close frame, after which the app closes.
    signed_in.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
    drop(signed_in);
    expect_answer(waiting).await;
}

/// A client that speaks HTTP/2 is disconnected at once: hyper has no limit for one that gives no window.
#[tokio::test]
async fn http2_is_not_served() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for bytes in [&preface[..], &preface[..16]] {
        let (answer, after) = until_closed(&gateway, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(after < Duration::from_secs(8), "{after:?}");
    }
}

//! WebSockets through the gateway, and what is not passed through it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[cfg(unix)]
use auth_proxy_tests::unix_socket::UnixSocket;

use crate::identity::cookie_of;
use crate::support::{Running, app, authjs, command, config, file, run};

/// Opens a connection, sends a request for an upgrade, and reads the head of the answer.
pub(crate) async fn upgrade(
    gateway: &Running,
    path: &str,
    cookie: &str,
    protocol: &str,
) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(gateway.addr).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: {protocol}\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    (socket, String::from_utf8(head).unwrap())
}

/// A text frame as a client sends it (RFC 6455, section 5.2), with a mask of zeros.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    frame
}

pub(crate) async fn read_frame(socket: &mut TcpStream) -> String {
    let mut head = [0; 2];
    socket.read_exact(&mut head).await.unwrap();
    let mut text = vec![0; usize::from(head[1])];
    socket.read_exact(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// The login and the app listen on Unix sockets: nothing but the gateway is on the network.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_and_app_may_listen_on_unix_sockets() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let (auth, app) = (UnixSocket::before(&auth), UnixSocket::before(&app));
    let config = config(&auth.url(), &app.url(), "", "");
    let (_, report, _) = run(command().args(["doctor", "--config"]).arg(file("gateway.toml", &config)));
    assert!(report.contains(&format!("app: {} accepts connections", app.url())), "{report}");
    let gateway = Running::start(&config);
    let cookie = cookie_of(&gateway).await;
    let (mut socket, head) = upgrade(&gateway, "/ws", &cookie, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.to_ascii_lowercase().contains("x-subject: 1\r\n"), "{head}");
    socket.write_all(&frame("hello")).await.unwrap();
    assert_eq!(read_frame(&mut socket).await, "hello");
}

#[tokio::test]
async fn websocket_of_a_signed_in_visitor_reaches_the_app() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let cookie = cookie_of(&gateway).await;
    let (mut socket, head) = upgrade(&gateway, "/ws", &cookie, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let head = head.to_ascii_lowercase();
    // The accept value of the app for this key (RFC 6455, section 1.3).
    assert!(
        head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=")
            && head.contains("x-subject: 1\r\n"),
        "{head}"
    );
    for text in ["hello", "again", ""] {
        socket.write_all(&frame(text)).await.unwrap();
        assert_eq!(read_frame(&mut socket).await, text);
    }
    // A close frame ends both connections.
    socket.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
    read_frame(&mut socket).await;
    assert_eq!(socket.read(&mut [0]).await.unwrap_or(0), 0);
}

/// A visitor who signs out is signed out everywhere, and not only with the next request.
#[tokio::test]
async fn sign_out_ends_websockets_and_streams_of_events() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let browser = gateway.browser();
    let signed_in = browser.sign_in("demo", "demo").await;
    let cookie =
        signed_in.cookies().into_iter().find(|cookie| cookie.starts_with("authjs.session-token=")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let (mut socket, head) = upgrade(&gateway, "/ws", cookie, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    // The app decides what it answers with, and not the header of the client.
    let mut streams = Vec::new();
    for accept in ["text/event-stream", "TEXT/Event-Stream", "*/*"] {
        let events = reqwest::Client::new().get(gateway.url("/events?ms=100&count=1000"));
        let mut events = events.header("cookie", cookie).header("accept", accept).send().await.unwrap();
        assert_eq!(events.chunk().await.unwrap().unwrap(), "data: 0\n\n");
        streams.push((accept, events));
    }
    socket.write_all(&frame("still there")).await.unwrap();
    assert_eq!(read_frame(&mut socket).await, "still there");
    browser.sign_out().await;
    let limit = std::time::Duration::from_secs(10);
    let closed = tokio::time::timeout(limit, socket.read(&mut [0])).await.expect("it is closed");
    assert_eq!(closed.unwrap_or(0), 0);
    for (accept, mut events) in streams {
        let rest = async { while events.chunk().await.is_ok_and(|chunk| chunk.is_some()) {} };
        assert!(tokio::time::timeout(limit, rest).await.is_ok(), "the events for {accept} go on");
    }
}

/// The cookie of a visitor comes along with a WebSocket of a page of another origin on the same site.
#[tokio::test]
async fn websockets_and_writes_of_other_origins_are_refused() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let browser = gateway.signed_in("demo").await;
    let foreign = [("origin", "http://other.localhost"), ("sec-fetch-site", "same-site")];
    let own = gateway.url("");
    let own = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ];
    let socket: Vec<_> = foreign.iter().chain(&upgrade).copied().collect();
    assert_eq!(browser.get_with("/ws", &socket).await.code(), "cross_origin_refused");
    assert_eq!(browser.post_with("/upload", &[], &foreign).await.code(), "cross_origin_refused");
    assert_eq!(browser.post_with("/upload", &[], &own).await.status, 200);
    let gateway = Running::start(&config(&auth, &app, "", "[verdict]\nrefuse_cross_origin = false\n"));
    let browser = gateway.signed_in("demo").await;
    assert_eq!(browser.post_with("/upload", &[], &foreign).await.status, 200);
}

#[tokio::test]
async fn websocket_of_a_visitor_who_is_signed_out_is_refused() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let (_, head) = upgrade(&gateway, "/ws", "a=b", "websocket").await;
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
}

/// A tunnel that opens without the app's 101 would carry further requests past every rule (h2c smuggling, and its kin with
/// WebSocket).
#[tokio::test]
async fn other_protocols_and_refused_upgrades_open_no_tunnel() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let cookie = cookie_of(&gateway).await;
    // The app answers the request as an ordinary one: it does not see the upgrade.
    for protocol in ["h2c", "h2c, websocket", "websocket, h2c", "WEBSOCKET/1", "tls/1.0"] {
        let (_, head) = upgrade(&gateway, "/plain", &cookie, protocol).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{protocol}: {head}");
    }
    let (mut socket, head) = upgrade(&gateway, "/no", &cookie, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 426 "), "{head}");
    // What follows on this connection is another request, and is decided as one.
    let mut body = [0; 2];
    socket.read_exact(&mut body).await.unwrap();
    socket.write_all(b"GET /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut rest = String::new();
    socket.read_to_string(&mut rest).await.unwrap();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 401 "), "{rest}");
}

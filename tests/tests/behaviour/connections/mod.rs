//! Pooled connections to the upstream: when they are reused, when they are closed, and connection errors. Each test
//! runs over http and, in a separate process, over https.

mod table;
mod tls;
mod upstream;

use std::time::{Duration, Instant};

use auth_proxy::options::Host;
use auth_proxy_tests::free_port;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use self::upstream::{OK, Then, Upstream, url};
use crate::support::{Auth, app_of};

#[tokio::test]
async fn keep_alive_connection_is_reused_for_all_requests() {
    for answer in [
        OK,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let upstream = Upstream::start(move |_, _| Then::Answer(answer)).await;
        let (_app, browser) = upstream.app().await;
        for _ in 0..20 {
            let got = browser.get("/api/auth/providers").await;
            assert!(got.body == "ok" || got.body.is_empty() && got.status != 200, "{answer}: {got:?}");
        }
        assert_eq!(upstream.connections(), 1, "{answer}");
    }
}

/// Each concurrent request needs its own connection. Later requests reuse these connections.
#[tokio::test]
async fn pool_opens_one_connection_per_concurrent_request_and_reuses_it() {
    let upstream = Upstream::start(|_, _| Then::Answer(OK)).await;
    let (_app, browser) = upstream.app().await;
    for _ in 0..2 {
        let requests = (0..20).map(|_| browser.get("/api/auth/providers"));
        for answer in join_all(requests).await {
            assert_eq!(answer.body, "ok");
        }
        assert!(upstream.connections() <= 20, "{}", upstream.connections());
    }
}

async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        pending.retain_mut(|future| match future.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

#[tokio::test]
async fn closed_connection_is_not_reused() {
    for answer in [
        OK,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        // Without `Content-Length`, the body ends when the connection closes.
        "HTTP/1.0 200 OK\r\n\r\nok",
        "HTTP/1.1 200 OK\r\n\r\nok",
    ] {
        let upstream = Upstream::start(move |_, _| Then::AnswerAndClose(answer)).await;
        let (_app, browser) = upstream.app().await;
        for n in 1..=5 {
            let got = browser.get("/api/auth/providers").await;
            assert_eq!((got.status, got.body.as_str()), (200, "ok"), "{answer}");
            assert_eq!(upstream.connections(), n, "{answer}");
            // The proxy needs a moment to notice the close.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Bytes after the end of a response must not become the response to the next request, so that connection is closed.
#[tokio::test]
async fn surplus_response_bytes_do_not_answer_the_next_request() {
    let upstream = Upstream::start(|_, _| {
        Then::Answer(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        )
    })
    .await;
    let (_app, browser) = upstream.app().await;
    for n in 1..=5 {
        let answer = browser.get("/api/auth/providers").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
        assert_eq!(upstream.connections(), n);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn client_disconnect_closes_the_upstream_connection() {
    let upstream = Upstream::start(|_, _| {
        Then::Answer("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning of something")
    })
    .await;
    let (app, _browser) = upstream.app().await;
    let mut client = TcpStream::connect(app.addr).await.unwrap();
    client.write_all(b"GET /api/auth/providers HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first_bytes = [0; 10];
    client.read_exact(&mut first_bytes).await.unwrap();
    drop(client);
    while upstream.closed() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(upstream.connections(), 1);
}

/// Node closes idle connections after 5 s. A request sent at that moment would be lost, so the proxy closes them
/// earlier.
#[tokio::test]
async fn idle_connection_is_closed_after_four_seconds() {
    let upstream = Upstream::start(|_, _| Then::Answer(OK)).await;
    let (_app, browser) = upstream.app().await;
    let began = Instant::now();
    assert_eq!(browser.get("/api/auth/providers").await.body, "ok");
    while upstream.closed() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = began.elapsed();
    assert!(after >= Duration::from_secs(4) && after < Duration::from_secs(5), "{after:?}");
}

#[tokio::test]
async fn upstream_request_has_a_path_target_and_the_host_of_base_url() {
    let upstream = Upstream::start(|_, _| Then::Answer(OK)).await;
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(&upstream.url).upstream_host(Host::Upstream)).await;
    browser.get("/api/auth/providers?a=b").await;
    let [head] = upstream.requests().try_into().unwrap();
    assert!(head.starts_with("GET /api/auth/providers?a=b HTTP/1.1\r\n"), "{head}");
    let host = upstream.url.split("//").nth(1).unwrap();
    assert!(head.contains(&format!("\r\nhost: {host}\r\n")), "{head}");
}

#[tokio::test]
async fn upstream_redirects_and_encoded_bodies_are_forwarded_unchanged() {
    for answer in [
        "HTTP/1.1 302 Found\r\nLocation: /api/auth/error\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: x-gzip\r\nContent-Length: 5\r\n\r\nplain",
    ] {
        let upstream = Upstream::start(move |_, _| Then::Answer(answer)).await;
        let (_app, browser) = upstream.app().await;
        let got = browser.get("/api/auth/signin").await;
        assert!(answer.contains(&got.status.to_string()) && answer.ends_with(&got.body), "{got:?}");
        assert_eq!(got.header("content-encoding"), if got.status == 200 { "x-gzip" } else { "" });
        assert_eq!(upstream.requests().len(), 1);
    }
}

/// The host neither accepts nor refuses connections, like a host behind a firewall.
#[tokio::test]
async fn connect_timeout_gives_upstream_unreachable() {
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
    let builder = Auth::builder().upstream_base_url(url(addr.port())).upstream_retries(1);
    let (_app, browser) = app_of(builder.upstream_connect_timeout(Duration::from_millis(100))).await;
    for answer in [
        browser.get("/api/auth/providers").await,
        browser.get("/api/auth/callback/github?code=1").await,
        browser.post("/api/auth/signout", &[("a", "b")]).await,
    ] {
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"));
    }
}

/// The server accepts connections but sends nothing. `connect_timeout` includes the TLS handshake, so over https the
/// upstream is unreachable. Over http the request is sent and reaches `timeout`.
#[tokio::test]
async fn silent_server_is_unreachable_over_https_and_times_out_over_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let builder =
        Auth::builder().upstream_base_url(url(listener.local_addr().unwrap().port())).upstream_retries(0);
    let builder = builder
        .upstream_connect_timeout(Duration::from_millis(100))
        .upstream_timeout(Duration::from_millis(400));
    let (_app, browser) = app_of(builder).await;
    let answer = browser.post("/api/auth/signout", &[("a", "b")]).await;
    let expected = if tls::is_on() { "upstream_unreachable" } else { "upstream_timeout" };
    assert_eq!(answer.code(), expected);
}

/// The certificate names another host, or its authority is not trusted by the operating system. The request is not
/// sent.
#[tokio::test]
async fn certificates_of_other_hosts_or_authorities_are_rejected() {
    if !tls::is_on() {
        return;
    }
    for (name, expected) in [
        ("trusted", "ok"),
        ("other_host", "upstream_unreachable"),
        ("other_authority", "upstream_unreachable"),
    ] {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let acceptor = tls::acceptor_with(name);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                // The server prefers HTTP/2, but the client offers only HTTP/1.1.
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { break };
                    head.push(byte);
                }
                stream.write_all(OK.as_bytes()).await.ok();
                stream.flush().await.ok();
            }
        });
        let (_app, browser) = app_of(Auth::builder().upstream_base_url(url(port)).upstream_retries(0)).await;
        let answer = browser.get("/api/auth/signin").await;
        let found = if answer.status == 200 { answer.body.clone() } else { answer.code() };
        assert_eq!(found, expected, "{name}");
    }
}

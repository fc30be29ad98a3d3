//! Connections to the upstream: used again where they can be, and never where they cannot. Every test here runs over
//! http and, in a process of its own, over https.

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
async fn connection_serves_request_after_request() {
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

/// Requests at once need a connection each. Afterwards these serve others.
#[tokio::test]
async fn pool_grows_to_the_requests_at_once_and_is_reused() {
    let upstream = Upstream::start(|_, _| Then::Answer(OK)).await;
    let (_app, browser) = upstream.app().await;
    for _ in 0..2 {
        let asked = (0..20).map(|_| browser.get("/api/auth/providers"));
        for answer in futures(asked).await {
            assert_eq!(answer.body, "ok");
        }
        assert!(upstream.connections() <= 20, "{}", upstream.connections());
    }
}

async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        all.retain_mut(|one| match one.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

#[tokio::test]
async fn closed_connection_is_not_used_again() {
    for last in [
        OK,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        // Until it closes.
        "HTTP/1.0 200 OK\r\n\r\nok",
        "HTTP/1.1 200 OK\r\n\r\nok",
    ] {
        let upstream = Upstream::start(move |_, _| Then::AnswerAndClose(last)).await;
        let (_app, browser) = upstream.app().await;
        for n in 1..=5 {
            let answer = browser.get("/api/auth/providers").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{last}");
            assert_eq!(upstream.connections(), n, "{last}");
            // So that the close has arrived.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Bytes after the end of a response are no response to the next request. Their connection is not used again.
#[tokio::test]
async fn surplus_response_bytes_are_discarded() {
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
async fn client_that_disconnects_closes_its_upstream_connection() {
    let upstream = Upstream::start(|_, _| {
        Then::Answer("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning of something")
    })
    .await;
    let (app, _browser) = upstream.app().await;
    let mut client = TcpStream::connect(app.addr).await.unwrap();
    client.write_all(b"GET /api/auth/providers HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut some = [0; 10];
    client.read_exact(&mut some).await.unwrap();
    drop(client);
    while upstream.closed() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(upstream.connections(), 1);
}

/// Node closes its connections after 5 s. A request that is written while the close is on its way is lost.
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
async fn request_asks_for_a_path_and_names_the_host_of_the_address() {
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
async fn redirects_are_not_followed_and_bodies_not_decoded() {
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

/// A host that neither accepts nor refuses a connection, as behind a firewall.
#[tokio::test]
async fn connection_that_is_not_accepted_in_time_is_an_unreachable_upstream() {
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

/// A server that accepts connections and never says a word. With TLS there is no connection until the handshake is
/// over, so that it ends by `connect_timeout`.
#[tokio::test]
async fn silent_server_is_unreachable_over_https_and_late_over_http() {
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

/// Nothing is sent to a server whose certificate is not that of the host, or of an authority that the operating
/// system does not trust.
#[tokio::test]
async fn certificate_of_another_host_or_authority_is_refused() {
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
                // HTTP/1.1 is what both agree on, though the server prefers HTTP/2.
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
        let word = if answer.status == 200 { answer.body.clone() } else { answer.code() };
        assert_eq!(word, expected, "{name}");
    }
}

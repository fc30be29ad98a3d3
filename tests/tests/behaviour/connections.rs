//! Connections to the upstream: used again where they can be, and never where they cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Auth, app_of};
use auth_proxy_tests::{App, Browser};

/// What an upstream does once it has read the head of a request.
#[derive(Clone, Copy)]
enum Then {
    /// Answers this, and waits for the next.
    Answer(&'static str),
    /// Answers this, and closes.
    Last(&'static str),
    /// Closes without a word.
    Close,
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Upstream {
    url: String,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
}

impl Upstream {
    /// One that does `then` for the n-th request of a connection.
    async fn start(then: impl Fn(usize) -> Then + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (opened, ended) = (Arc::clone(&connections), Arc::clone(&closed));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                opened.fetch_add(1, SeqCst);
                let (then, ended) = (then.clone(), Arc::clone(&ended));
                tokio::spawn(async move {
                    serve(stream, then).await;
                    ended.fetch_add(1, SeqCst);
                });
            }
        });
        Self { url, connections, closed }
    }

    async fn app(&self) -> (App, Browser) {
        app_of(Auth::builder().upstream_base_url(&self.url).upstream_timeout(Duration::from_secs(5))).await
    }

    fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }
}

async fn serve(mut stream: TcpStream, then: impl Fn(usize) -> Then) {
    let mut read = Vec::new();
    for n in 0.. {
        let head = loop {
            if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read_buf(&mut read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        read.drain(..head);
        match then(n) {
            Then::Answer(answer) => stream.write_all(answer.as_bytes()).await.unwrap_or_default(),
            Then::Last(answer) => return stream.write_all(answer.as_bytes()).await.unwrap_or_default(),
            Then::Close => return,
        }
    }
}

#[tokio::test]
async fn one_serves_request_after_request() {
    for answer in [
        OK,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let upstream = Upstream::start(move |_| Then::Answer(answer)).await;
        let (_app, browser) = upstream.app().await;
        for _ in 0..20 {
            let got = browser.get("/api/auth/providers").await;
            assert!(got.body == "ok" || got.body.is_empty() && got.status != 200, "{answer}: {got:?}");
        }
        assert_eq!(upstream.connections(), 1, "{answer}");
    }
}

/// At once: each on its own, and afterwards they are there for others.
#[tokio::test]
async fn as_many_as_are_needed() {
    let upstream = Upstream::start(|_| Then::Answer(OK)).await;
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
async fn what_the_upstream_closed_is_not_used_again() {
    for last in [
        OK,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        // Until it closes.
        "HTTP/1.0 200 OK\r\n\r\nok",
        "HTTP/1.1 200 OK\r\n\r\nok",
    ] {
        let upstream = Upstream::start(move |_| Then::Last(last)).await;
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

/// What was written may have been done: it is not written again, and nobody is signed in or out by it.
#[tokio::test]
async fn what_was_written_is_not_repeated() {
    let upstream = Upstream::start(|n| if n == 0 { Then::Answer(OK) } else { Then::Close }).await;
    let (_app, browser) = upstream.app().await;
    assert_eq!(browser.get("/api/auth/providers").await.body, "ok");
    assert_eq!(browser.post("/api/auth/signout", &[]).await.code(), "upstream_failed");
    assert_eq!(upstream.connections(), 1);
    assert_eq!(browser.get("/api/auth/providers").await.body, "ok");
    assert_eq!(upstream.connections(), 2);
}

/// An answer that goes on after its end, or before anybody asked, is no answer to the next request.
#[tokio::test]
async fn what_comes_unasked_is_no_answer() {
    let upstream = Upstream::start(|_| {
        Then::Answer(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        )
    })
    .await;
    let (_app, browser) = upstream.app().await;
    for _ in 0..5 {
        let answer = browser.get("/api/auth/providers").await;
        assert_ne!(answer.body, "evil");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A client that goes away in the middle of an answer takes its connection with it, and no other.
#[tokio::test]
async fn a_client_that_goes_away() {
    let upstream = Upstream::start(|_| {
        Then::Answer("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginning of something")
    })
    .await;
    let (app, _browser) = upstream.app().await;
    let mut client = TcpStream::connect(app.addr).await.unwrap();
    client.write_all(b"GET /api/auth/providers HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut some = [0; 10];
    client.read_exact(&mut some).await.unwrap();
    drop(client);
    while upstream.closed.load(SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(upstream.connections(), 1);
}

//! A scripted upstream, over http or https: the test chooses the bytes of each response and when a connection closes.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy_tests::{App, Browser};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::tls;
use crate::support::{Auth, app_of};

/// The reaction of the upstream to a request.
#[derive(Clone, Copy)]
pub(super) enum Then {
    /// Sends these bytes, and waits for the next request.
    Answer(&'static str),
    /// Sends these bytes, and closes the connection.
    AnswerAndClose(&'static str),
    /// Closes the connection without a response.
    Close,
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

pub(super) struct Upstream {
    pub(super) url: String,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    /// Starts an upstream. `then` gets the number of the connection and the number of the request on this connection,
    /// both from 0.
    pub(super) async fn start(then: impl Fn(usize, usize) -> Then + Clone + Send + 'static) -> Self {
        Self::start_at(0, then).await
    }

    /// Starts an upstream on a fixed port.
    pub(super) async fn start_at(
        port: u16,
        then: impl Fn(usize, usize) -> Then + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let upstream = Self {
            url: url(listener.local_addr().unwrap().port()),
            connections: Arc::default(),
            closed: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, closed) = (Arc::clone(&upstream.connections), Arc::clone(&upstream.closed));
        let requests = Arc::clone(&upstream.requests);
        let acceptor = tls::acceptor();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = connections.fetch_add(1, SeqCst);
                let (then, closed) = (then.clone(), Arc::clone(&closed));
                let (requests, acceptor) = (Arc::clone(&requests), acceptor.clone());
                tokio::spawn(async move {
                    let then = move |n| then(connection, n);
                    match acceptor {
                        None => serve(stream, then, &requests).await,
                        Some(acceptor) => {
                            // The handshake fails if the client does not trust the certificate.
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, then, &requests).await;
                            }
                        }
                    }
                    closed.fetch_add(1, SeqCst);
                });
            }
        });
        upstream
    }

    pub(super) async fn app(&self) -> (App, Browser) {
        app_of(Auth::builder().upstream_base_url(&self.url).upstream_timeout(Duration::from_secs(5))).await
    }

    /// The number of accepted connections.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    /// The number of closed connections.
    pub(super) fn closed(&self) -> usize {
        self.closed.load(SeqCst)
    }

    /// The heads of all received requests.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The number of received requests whose head starts with this text.
    pub(super) fn count(&self, start: &str) -> usize {
        self.requests().iter().filter(|head| head.starts_with(start)).count()
    }
}

/// The URL of an upstream on a port, with the scheme that this process tests.
pub(super) fn url(port: u16) -> String {
    format!("{}://127.0.0.1:{port}", if tls::is_on() { "https" } else { "http" })
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    then: impl Fn(usize) -> Then,
    requests: &Mutex<Vec<String>>,
) {
    let mut read = Vec::new();
    for n in 0.. {
        let Some(head) = read_request(&mut stream, &mut read).await else { return };
        requests.lock().unwrap().push(head);
        let (answer, is_last) = match then(n) {
            Then::Answer(answer) => (answer, false),
            Then::AnswerAndClose(answer) => (answer, true),
            Then::Close => ("", true),
        };
        stream.write_all(answer.as_bytes()).await.ok();
        stream.flush().await.ok();
        if is_last {
            stream.shutdown().await.ok();
            return;
        }
    }
}

/// Reads one request with its body. Returns the head, or `None` after the connection closed.
async fn read_request(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..at + 4]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let end = at + 4 + length.map_or(0, |length| length.parse().unwrap());
            if read.len() >= end {
                read.drain(..end);
                return Some(head);
            }
        }
        if stream.read_buf(read).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

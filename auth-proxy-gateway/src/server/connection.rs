//! One connection: HTTP/1.1, or HTTP/2 with prior knowledge.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

use super::first_bytes;
use super::slow_body::SlowBody;
use crate::config::Server as Limits;
use crate::routes::Shared;

/// The largest head of a request, in bytes.
const HEAD_LIMIT: u32 = 64 * 1024;

/// How long a connection is silent before the system asks whether the client is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to answer.
const PING: Duration = Duration::from_secs(30);

/// Serves connections with the routes that count when a request arrives.
pub(super) struct Connections {
    routes: Shared,
}

impl Connections {
    pub(super) fn new(routes: Shared) -> Self {
        Self { routes }
    }

    /// Serves one connection until it ends. The future is independent of the listener.
    pub(super) fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + Send + 'static {
        let routes = self.routes.clone();
        async move {
            let limits = routes.get().limits;
            if first_bytes::wait(&stream, limits.header_timeout).await.is_err() {
                return;
            }
            let _ = stream.set_nodelay(true);
            // A WebSocket whose client has vanished must not stay for ever.
            let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(limits.write_timeout));
            let service =
                hyper::service::service_fn(move |request| answer(routes.clone(), peer, limits, request));
            let builder = builder(&limits);
            let connection =
                builder.serve_connection_with_upgrades(TokioIo::new(Box::pin(stream)), service).into_owned();
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "connection ended");
            }
        }
    }
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(usize::try_from(HEAD_LIMIT).unwrap_or(usize::MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_LIMIT)
        .max_concurrent_streams(100)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// Answers one request.
async fn answer(
    routes: Shared,
    peer: SocketAddr,
    limits: Limits,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    // A pause in the body ends it.
    let mut request = request.map(|body| Body::new(SlowBody::new(body, limits.body_timeout)));
    request.extensions_mut().insert(ConnectInfo(peer));
    Ok(routes.get().answer(request).await)
}

//! One connection of HTTP/1.1.
//!
//! HTTP/2 is not served. Browsers use it with TLS only, which a server in front ends, and that speaks HTTP/1.1 to this one
//! by default. hyper has no limit for a client of HTTP/2 that gives no window, or that answers pings and sends nothing else.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use super::slow_body::SlowBody;
use super::{ConnectionPermit, Site};
use crate::config::Server as Limits;

/// The largest head of a request, in bytes. hyper reads in steps, so that it accepts up to twice as much.
const HEAD_LIMIT: usize = 64 * 1024;

/// How long a connection is silent before the system asks whether the client is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Serves connections of a site.
pub(super) struct Connections<S> {
    site: S,
    /// Whether no further requests are accepted.
    stop: watch::Receiver<bool>,
}

impl<S: Site> Connections<S> {
    pub(super) fn new(site: S, stop: watch::Receiver<bool>) -> Self {
        Self { site, stop }
    }

    /// Serves one connection until it ends, or until `stop` is true and its request is answered. The future is independent of
    /// the listener.
    pub(super) fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        permit: ConnectionPermit,
    ) -> impl Future<Output = ()> + Send + use<S> {
        let (site, mut stop) = (self.site.clone(), self.stop.clone());
        async move {
            let limits = site.limits();
            let _ = stream.set_nodelay(true);
            // A WebSocket whose client has vanished must not stay for ever.
            let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(limits.write_timeout));
            let client = Client { peer, permit };
            let service = hyper::service::service_fn(move |request| {
                answer(site.clone(), client.clone(), limits, request)
            });
            let connection = Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.header_timeout)
                .max_buf_size(HEAD_LIMIT)
                .serve_connection(TokioIo::new(Box::pin(stream)), service)
                .with_upgrades();
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = async { drop(stop.wait_for(|stops| *stops).await) } => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            }
        }
    }
}

/// The client's address, and the permit of its connection.
#[derive(Clone)]
struct Client {
    peer: SocketAddr,
    permit: ConnectionPermit,
}

/// Answers one request.
async fn answer(
    site: impl Site,
    client: Client,
    limits: Limits,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    // A pause in the body ends it.
    let mut request = request.map(|body| Body::new(SlowBody::new(body, limits.body_timeout)));
    request.extensions_mut().insert(ConnectInfo(client.peer));
    request.extensions_mut().insert(client.permit);
    Ok(site.answer(request).await)
}

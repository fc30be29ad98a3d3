//! The listeners: connections, their limits, and how they end.

mod connection;
mod slow_body;
mod workers;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use self::connection::Connections;
use self::workers::Place;
pub(crate) use self::workers::Workers;
use crate::config::Server as Limits;

/// How long accepting waits after an error such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// One of the `server.max_connections`, in the extensions of the requests of its connection. It is free once no clone is
/// left: a WebSocket keeps one after its connection is no longer one of HTTP.
#[derive(Clone)]
pub(crate) struct ConnectionPermit {
    _held: Arc<Held>,
}

/// What an open connection holds.
struct Held {
    /// `None` if the semaphore is closed, which it never is.
    _permit: Option<OwnedSemaphorePermit>,
    _place: Place,
}

/// What a listener serves. The answers and the limits may change while it runs.
pub(crate) trait Site: Clone + Send + Sync + 'static {
    fn limits(&self) -> Limits;

    fn answer(&self, request: Request<Body>) -> impl Future<Output = Response> + Send;
}

/// One listener.
pub(crate) struct Listener {
    listener: TcpListener,
    permits: Arc<Semaphore>,
}

impl Listener {
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) async fn bind(address: SocketAddr, limits: &Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, permits: Arc::new(Semaphore::new(limits.max_connections)) })
    }

    /// # Errors
    /// When the socket has no address.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts connections for the workers until `stop` is true, then waits until all requests are answered, or for the time
    /// that `[server] shutdown_timeout` has.
    pub(crate) async fn serve(self, site: impl Site, workers: Workers, mut stop: watch::Receiver<bool>) {
        let connections = Arc::new(Connections::new(site.clone(), stop.clone()));
        // Each connection has a receiver while it is open.
        let open = watch::Sender::new(());
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                _ = stop.wait_for(|stops| *stops) => break,
            };
            let (stream, peer, permit) = accepted;
            let (connections, is_open) = (Arc::clone(&connections), open.subscribe());
            let place = workers.place();
            let worker = place.runtime();
            let permit = ConnectionPermit { _held: Arc::new(Held { _permit: permit, _place: place }) };
            // The stream moves from this runtime to that of the worker.
            let stream = stream.into_std();
            worker.spawn(async move {
                match stream.and_then(TcpStream::from_std) {
                    Ok(stream) => connections.serve(stream, peer, permit).await,
                    Err(error) => tracing::warn!(%error, "cannot serve a connection"),
                }
                drop(is_open);
            });
        }
        // New connections are refused from here on.
        drop(self.listener);
        let limit = site.limits().shutdown_timeout;
        let count = open.receiver_count();
        if tokio::time::timeout(limit, open.closed()).await.is_err() {
            tracing::warn!(?limit, open = count, "stopping before all requests are answered");
        }
    }

    /// The next connection, once there is a permit for it, with the permit.
    async fn accept(&self) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, permit),
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Whether the client broke off before the connection was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

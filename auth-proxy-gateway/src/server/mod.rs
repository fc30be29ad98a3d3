//! The listeners: connections, their limits, and how they end.

mod connection;
mod slow_body;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use self::connection::Connections;
use crate::config::Server as Limits;
use crate::routes::Shared;

/// How long accepting waits after an error such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// The place of a connection among `server.max_connections`, in the extensions of its requests. It is free once no clone is
/// left: a WebSocket keeps one after its connection is no longer one of HTTP.
#[derive(Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// One listener. Its routes and limits may change while it runs.
pub(crate) struct Listener {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Listener {
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) async fn bind(address: SocketAddr, limits: &Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, places: Arc::new(Semaphore::new(limits.max_connections)) })
    }

    /// # Errors
    /// When the socket has no address.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts connections until `stop` is true, then waits until all requests are answered, or for the time that
    /// `[server] shutdown_timeout` has.
    pub(crate) async fn serve(self, routes: Shared, mut stop: watch::Receiver<bool>) {
        let connections = Connections::new(routes.clone(), stop.clone());
        // Each connection has a receiver while it is open.
        let open = watch::Sender::new(());
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                _ = stop.wait_for(|stops| *stops) => break,
            };
            let (stream, peer, place) = accepted;
            let (connection, is_open) = (connections.serve(stream, peer, place), open.subscribe());
            tokio::spawn(async move {
                connection.await;
                drop(is_open);
            });
        }
        // New connections are refused from here on.
        drop(self.listener);
        let limit = routes.get().limits.shutdown_timeout;
        let count = open.receiver_count();
        if tokio::time::timeout(limit, open.closed()).await.is_err() {
            tracing::warn!(?limit, open = count, "stopping before all requests are answered");
        }
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self) -> (TcpStream, SocketAddr, Option<Place>) {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.places).acquire_owned().await.ok();
        let place = permit.map(|permit| Place { _permit: Arc::new(permit) });
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, place),
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

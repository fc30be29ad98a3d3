//! The listeners: connections, their limits, and how they end.

mod connection;
mod first_bytes;
mod slow_body;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use self::connection::Connections;
use crate::config::Server as Limits;
use crate::routes::Shared;

/// How long accepting waits after an error such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

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
        let graceful = GracefulShutdown::new();
        let connections = Connections::new(routes.clone());
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                _ = stop.wait_for(|stops| *stops) => break,
            };
            let (stream, peer, place) = accepted;
            let connection = connections.serve(stream, peer, graceful.watcher());
            tokio::spawn(async move {
                connection.await;
                drop(place);
            });
        }
        // New connections are refused from here on.
        drop(self.listener);
        let limit = routes.get().limits.shutdown_timeout;
        let open = graceful.count();
        if tokio::time::timeout(limit, graceful.shutdown()).await.is_err() {
            tracing::warn!(?limit, open, "stopping before all requests are answered");
        }
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self) -> (TcpStream, SocketAddr, Option<tokio::sync::OwnedSemaphorePermit>) {
        // The semaphore is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
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

//! The connection pool: keeps idle connections for later requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// How long a connection may be idle. Node closes idle connections after 5 s (`server.keepAliveTimeout`). A request
/// that is written while Node closes the connection would be lost.
const IDLE: Duration = Duration::from_secs(4);

/// The idle connections of one client. The most recently used one is the last.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    connections: VecDeque<(Instant, Connection)>,
    /// Whether a task is running that closes connections after [`IDLE`].
    has_sweeper: bool,
}

impl Pool {
    /// Takes the most recently used connection: the upstream is the least likely to have closed it.
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let (since, mut connection) = self.idle().connections.pop_back()?;
            if since.elapsed() < IDLE && connection.is_idle() {
                return Some(connection);
            }
        }
    }

    /// Returns a connection to the pool if it can be used again; otherwise closes it.
    pub(super) fn put(self: &Arc<Self>, mut connection: Connection) {
        if !connection.is_idle() {
            return;
        }
        let mut idle = self.idle();
        idle.connections.push_back((Instant::now(), connection));
        if !std::mem::replace(&mut idle.has_sweeper, true) {
            tokio::spawn(Self::sweep(Arc::downgrade(self)));
        }
    }

    /// Closes connections that were idle for too long. Ends when none is left, or when the pool is dropped.
    async fn sweep(pool: Weak<Self>) {
        loop {
            tokio::time::sleep(IDLE).await;
            let Some(pool) = pool.upgrade() else { return };
            let mut idle = pool.idle();
            while idle.connections.front().is_some_and(|(since, _)| since.elapsed() >= IDLE) {
                idle.connections.pop_front();
            }
            if idle.connections.is_empty() {
                idle.has_sweeper = false;
                return;
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

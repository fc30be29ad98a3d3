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

/// Tells the pool that its task ends. The runtime of the task may end before the pool: its connections are then of no use,
/// and the next connection, of another runtime, needs a new task.
struct Sweeper(Weak<Pool>);

impl Drop for Sweeper {
    fn drop(&mut self) {
        let Some(pool) = self.0.upgrade() else { return };
        let mut idle = pool.idle();
        idle.has_sweeper = false;
        let unused = std::mem::take(&mut idle.connections);
        drop(idle);
        drop(unused);
    }
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
        let has_sweeper = std::mem::replace(&mut idle.has_sweeper, true);
        // A runtime that is ending drops the task at once, which locks the pool.
        drop(idle);
        if !has_sweeper {
            tokio::spawn(Self::sweep(Sweeper(Arc::downgrade(self))));
        }
    }

    /// Closes connections that were idle for too long. Ends when none is left, or when the pool is dropped.
    async fn sweep(sweeper: Sweeper) {
        loop {
            tokio::time::sleep(IDLE).await;
            let Some(pool) = sweeper.0.upgrade() else { return };
            let mut idle = pool.idle();
            while idle.connections.front().is_some_and(|(since, _)| since.elapsed() >= IDLE) {
                idle.connections.pop_front();
            }
            if idle.connections.is_empty() {
                return;
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::net::{TcpListener, TcpStream};

    use super::super::stream::Stream;
    use super::*;

    /// Puts a new connection into the pool. Returns the other end.
    async fn put(pool: &Arc<Pool>) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        pool.put(Connection::open(Stream::Plain(TokioIo::new(stream))).await.unwrap());
        listener.accept().await.unwrap().0
    }

    fn count(pool: &Pool) -> usize {
        pool.idle().connections.len()
    }

    /// One `Auth` may serve several runtimes, and one of them may end before the others.
    #[test]
    fn idle_connections_are_closed_after_the_runtime_of_the_first_one_has_ended() {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pool = Arc::new(Pool::default());
        let first = runtime();
        let _server = first.block_on(put(&pool));
        assert_eq!(count(&pool), 1);
        drop(first);
        assert_eq!(count(&pool), 0, "a connection of a runtime that has ended is of no use");
        runtime().block_on(async {
            tokio::time::pause();
            let _server = put(&pool).await;
            assert_eq!(count(&pool), 1);
            tokio::time::sleep(IDLE / 2).await;
            assert_eq!(count(&pool), 1);
            tokio::time::sleep(IDLE).await;
            assert_eq!(count(&pool), 0);
        });
    }
}

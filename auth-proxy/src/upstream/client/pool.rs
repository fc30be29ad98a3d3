use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::IDLE;

type Driver = http1::Connection<TokioIo<TcpStream>, Body>;

/// A connection, which gets on only while somebody drives it.
pub(super) struct Connection {
    pub(super) sender: http1::SendRequest<Body>,
    /// None once it is closed: hyper gives back a request that it did not send only when this is dropped.
    driver: Option<Pin<Box<Driver>>>,
}

impl Connection {
    pub(super) fn new(sender: http1::SendRequest<Body>, driver: Driver) -> Self {
        Self { sender, driver: Some(Box::pin(driver)) }
    }

    /// Reads and writes what can be. Ready when it is closed.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
            self.driver = None;
        }
        if self.driver.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether it takes a request: not closed by the other side, and done with the one before.
    pub(super) fn is_free(&mut self) -> bool {
        // Nobody waits for it here: who takes it up drives it on.
        self.drive(&mut Context::from_waker(Waker::noop())).is_pending() && self.sender.is_ready()
    }
}

/// Connections that wait for a request, the one used last at the end.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    connections: VecDeque<(Instant, Connection)>,
    /// Whether somebody comes to close what lies too long.
    is_swept: bool,
}

impl Pool {
    /// The connection that was used last, since it is the least likely to be closed meanwhile.
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let (since, mut connection) = self.idle().connections.pop_back()?;
            if since.elapsed() < IDLE && connection.is_free() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection, if it can be used again.
    pub(super) fn put(self: &Arc<Self>, mut connection: Connection) {
        if !connection.is_free() {
            return;
        }
        let mut idle = self.idle();
        idle.connections.push_back((Instant::now(), connection));
        if !std::mem::replace(&mut idle.is_swept, true) {
            tokio::spawn(Self::sweep(Arc::downgrade(self)));
        }
    }

    /// Closes connections that nobody came for, until there is none, or no pool.
    async fn sweep(pool: std::sync::Weak<Self>) {
        loop {
            tokio::time::sleep(IDLE).await;
            let Some(pool) = pool.upgrade() else { return };
            let mut idle = pool.idle();
            while idle.connections.front().is_some_and(|(since, _)| since.elapsed() >= IDLE) {
                idle.connections.pop_front();
            }
            if idle.connections.is_empty() {
                idle.is_swept = false;
                return;
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

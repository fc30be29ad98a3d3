//! The fake's port: listening, refusing and its open connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::fault::Fault;
use super::script;
use super::state::Fake;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// The port of a fake, which can be closed and opened again, and its connections.
pub(super) struct Port {
    address: SocketAddr,
    inner: Arc<Inner>,
    door: tokio::sync::Mutex<Door>,
}

struct Inner {
    fake: Arc<Fake>,
    /// Answers where no fault is set.
    app: Router,
    address: SocketAddr,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    fault: Option<Fault>,
    open: JoinSet<()>,
}

/// What is done with the port.
enum Door {
    /// Connections are accepted.
    Open(JoinHandle<()>),
    /// Refused. The socket is bound and does not listen, so that nobody else gets the port.
    Held(TcpSocket),
    /// Not even held.
    Lost,
}

impl Port {
    /// A free port of 127.0.0.1, on which the fake answers.
    pub(super) fn open(fake: Arc<Fake>, app: Router) -> io::Result<Self> {
        let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = socket.local_addr()?;
        let inner = Arc::new(Inner { fake, app, address, connections: Mutex::default() });
        let door = Door::Open(tokio::spawn(accept(socket.listen(BACKLOG)?, Arc::clone(&inner))));
        Ok(Self { address, inner, door: tokio::sync::Mutex::new(door) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has every request meet this fault from now on, and cuts off what is connected.
    pub(super) async fn set_fault(&self, fault: Option<Fault>) -> io::Result<()> {
        let mut door = self.door.lock().await;
        let mut cut = {
            let mut connections = self.inner.connections();
            connections.fault = fault;
            std::mem::take(&mut connections.open)
        };
        cut.shutdown().await;
        if fault == Some(Fault::Refused) {
            if let Door::Open(accepting) = std::mem::replace(&mut *door, Door::Lost) {
                accepting.abort();
                // With it the listener goes.
                let _ = accepting.await;
                *door = Door::Held(bind(self.address)?);
                // Who came in between.
                let mut cut = std::mem::take(&mut self.inner.connections().open);
                cut.shutdown().await;
            }
        } else if !matches!(*door, Door::Open(_)) {
            let socket = match std::mem::replace(&mut *door, Door::Lost) {
                Door::Held(socket) => socket,
                _ => bind(self.address)?,
            };
            let listener = socket.listen(BACKLOG)?;
            *door = Door::Open(tokio::spawn(accept(listener, Arc::clone(&self.inner))));
        }
        Ok(())
    }

    pub(super) fn open_connections(&self) -> usize {
        let mut connections = self.inner.connections();
        connections.reap();
        connections.open.len()
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Door::Open(accepting) = self.door.get_mut() {
            accepting.abort();
        }
        self.inner.connections().open.abort_all();
    }
}

impl Inner {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a connection, by the state that holds when it is accepted.
    fn begin(&self, stream: TcpStream) {
        let mut connections = self.connections();
        connections.reap();
        let fake = Arc::clone(&self.fake);
        match connections.fault {
            Some(fault) => connections.open.spawn(script::serve(fault, stream, fake, self.address)),
            None => connections.open.spawn(serve(stream, self.app.clone())),
        };
    }
}

impl Connections {
    fn reap(&mut self) {
        while self.open.try_join_next().is_some() {}
    }
}

/// An address of ours, also while connections of a listener before are still being closed.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Elsewhere it would let others take the port, too.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written in pieces, which are not to wait for one another.
                let _ = stream.set_nodelay(true);
                inner.begin(stream);
            }
            Err(error) => {
                // Gone again before it was accepted, or out of file descriptors.
                tracing::warn!(%error, "the fake upstream cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, app: Router) {
    let service = TowerToHyperService::new(app);
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::trace!(%error, "a connection ended");
    }
}

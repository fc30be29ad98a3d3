//! The port of the fake: it can be closed and opened again, and tracks its connections.

use std::io;
use std::net::SocketAddr;
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

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// The port of a fake and its connections.
pub(super) struct Port {
    address: SocketAddr,
    inner: Arc<Inner>,
    listening: tokio::sync::Mutex<Listening>,
}

struct Inner {
    fake: Arc<Fake>,
    /// Handles requests while no fault is set.
    app: Router,
    address: SocketAddr,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    fault: Option<Fault>,
    open: JoinSet<()>,
}

/// Whether the port accepts connections.
enum Listening {
    /// Connections are accepted by this task.
    Open(JoinHandle<()>),
    /// Connections are refused. The socket is bound but does not listen, so that no other process gets the port.
    Held(TcpSocket),
    /// There is no socket: opening or closing the port failed.
    Lost,
}

impl Port {
    /// Opens the port of this address for the fake; port 0 is any free one.
    pub(super) fn open(address: SocketAddr, fake: Arc<Fake>, app: Router) -> io::Result<Self> {
        let socket = bind(address)?;
        let address = socket.local_addr()?;
        let inner = Arc::new(Inner { fake, app, address, connections: Mutex::default() });
        let listening = Listening::Open(tokio::spawn(accept(socket.listen(BACKLOG)?, Arc::clone(&inner))));
        Ok(Self { address, inner, listening: tokio::sync::Mutex::new(listening) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the fault for every further connection and cuts the open ones.
    pub(super) async fn set_fault(&self, fault: Option<Fault>) -> io::Result<()> {
        let mut listening = self.listening.lock().await;
        let mut old_connections = {
            let mut connections = self.inner.connections();
            connections.fault = fault;
            std::mem::take(&mut connections.open)
        };
        old_connections.shutdown().await;
        if fault == Some(Fault::Refused) {
            if let Listening::Open(accepting) = std::mem::replace(&mut *listening, Listening::Lost) {
                accepting.abort();
                // The listener is dropped with the task.
                let _ = accepting.await;
                *listening = Listening::Held(bind(self.address)?);
                // Cut the connections that were accepted in the meantime.
                let mut old_connections = std::mem::take(&mut self.inner.connections().open);
                old_connections.shutdown().await;
            }
        } else if !matches!(*listening, Listening::Open(_)) {
            let socket = match std::mem::replace(&mut *listening, Listening::Lost) {
                Listening::Held(socket) => socket,
                _ => bind(self.address)?,
            };
            let listener = socket.listen(BACKLOG)?;
            *listening = Listening::Open(tokio::spawn(accept(listener, Arc::clone(&self.inner))));
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
        if let Listening::Open(accepting) = self.listening.get_mut() {
            accepting.abort();
        }
        self.inner.connections().open.abort_all();
    }
}

impl Inner {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a connection with the fault that is set when it is accepted.
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
    /// Drops the tasks of closed connections.
    fn reap(&mut self) {
        while self.open.try_join_next().is_some() {}
    }
}

/// Binds an address, even while connections of an earlier listener are still closing.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // On Windows this option would let other processes take the port.
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
                // Faults write in pieces. Without this, Nagle's algorithm would delay them.
                let _ = stream.set_nodelay(true);
                inner.begin(stream);
            }
            Err(error) => {
                // The client went away before it was accepted, or the process is out of file descriptors.
                tracing::warn!(target: "auth_proxy::testing", %error, "the fake upstream cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, app: Router) {
    let service = TowerToHyperService::new(app);
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::trace!(target: "auth_proxy::testing", %error, "connection ended with an error");
    }
}

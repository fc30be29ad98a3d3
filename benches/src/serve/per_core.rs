//! auth-proxy with a runtime of one thread for each core, as in `examples/per-core`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

use ::axum::Router;
use tokio::net::TcpSocket;
use tokio::runtime::Builder;

use super::{app, axum};
use crate::Error;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Serves until a thread fails.
pub(super) fn serve(port: u16, upstream: &str) -> Result<(), Error> {
    let router = app::proxy(upstream)?;
    let cores = thread::available_parallelism()?.get();
    let (ended, ends) = mpsc::channel();
    for _ in 0..cores {
        let (router, ended) = (router.clone(), ended.clone());
        thread::spawn(move || ended.send(serve_core(port, router)));
    }
    drop(ended);
    ends.recv()?
}

fn serve_core(port: u16, router: Router) -> Result<(), Error> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        axum(socket.listen(BACKLOG)?, router).await
    })
}

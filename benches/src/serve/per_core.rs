//! auth-proxy with a runtime of one thread for each core, as in `examples/per-core`.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

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
    let threads: Vec<_> = (0..cores)
        .map(|_| {
            let router = router.clone();
            thread::spawn(move || {
                Builder::new_current_thread().enable_all().build()?.block_on(async {
                    let socket = TcpSocket::new_v4()?;
                    socket.set_reuseport(true)?;
                    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
                    axum(socket.listen(BACKLOG)?, router).await
                })
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    Ok(())
}

//! The measured servers. Each runs in its own process on the default multi-threaded runtime of tokio, except `per-core`.

mod app;
mod bare;
mod hyper_util;
mod per_core;
mod reqwest;
mod reverse_proxy;
mod upstream;

use std::net::SocketAddr;
use std::pin::Pin;

use ::hyper_util::rt::TokioIo;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::ListenerExt as _;
use http::header::{CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::Error;
use crate::count::counted;

/// Serves until it is killed.
///
/// # Errors
/// If the side is unknown or the port is in use.
pub fn run(side: &str, port: u16, upstream: &str) -> Result<(), Error> {
    if side == "per-core" {
        return per_core::serve(port, upstream);
    }
    let runtime = runtime()?;
    let serving = runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        Ok::<Serving<'_>, Error>(match side {
            "upstream" => Box::pin(upstream::serve(listener, upstream)),
            "hyper-util" => Box::pin(hyper_util::serve(listener, upstream)),
            "bare" => Box::pin(axum(listener, bare::router(upstream)?)),
            "auth-proxy" => Box::pin(axum(listener, app::proxy(upstream)?)),
            "auth-proxy-http1" => Box::pin(http1(listener, app::proxy(upstream)?)),
            "axum" => Box::pin(axum(listener, app::plain())),
            "app" => Box::pin(axum(listener, app::guarded(upstream)?)),
            "shared" => Box::pin(axum(listener, app::shared(upstream)?)),
            "axum-reverse-proxy" => Box::pin(axum(listener, reverse_proxy::router(upstream))),
            "reqwest" => Box::pin(axum(listener, reqwest::router(upstream)?)),
            _ => return Err(format!("no side `{side}`").into()),
        })
    })?;
    // Without the setup, which gathers entropy.
    counted(|| runtime.block_on(serving))
}

/// A server.
type Serving<'s> = Pin<Box<dyn Future<Output = Result<(), Error>> + 's>>;

/// The default runtime, with a thread for each core. `BENCH_THREADS=1` asks for one thread, for callgrind.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    match std::env::var("BENCH_THREADS").as_deref() {
        Ok("1") => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        _ => tokio::runtime::Runtime::new(),
    }
}

/// Serves an axum app as the README of auth-proxy does, with Nagle's algorithm off as it is in nginx.
async fn axum(listener: TcpListener, router: Router) -> Result<(), Error> {
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    Ok(axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

/// Serves an axum app with HTTP/1.1 only. `axum::serve` takes HTTP/2 too, and reads the start of each connection to tell them
/// apart.
async fn http1(listener: TcpListener, router: Router) -> Result<(), Error> {
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Removes the headers that a proxy must not forward for messages to stay valid. The minimal sides do nothing else.
fn strip(headers: &mut HeaderMap) {
    for name in [CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")] {
        headers.remove(name);
    }
}

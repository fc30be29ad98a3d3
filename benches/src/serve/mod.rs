//! The measured servers. Each runs in its own process on the default multi-threaded runtime of tokio.

mod app;
mod hyper_util;
mod reqwest;
mod reverse_proxy;
mod upstream;

use std::net::SocketAddr;

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

/// Serves until it is killed.
///
/// # Errors
/// If the side is unknown or the port is in use.
pub fn run(side: &str, port: u16, upstream: &str) -> Result<(), Error> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        match side {
            "upstream" => upstream::serve(listener).await,
            "hyper-util" => hyper_util::serve(listener, upstream).await,
            "auth-proxy" => axum(listener, app::proxy(upstream)?).await,
            "auth-proxy-http1" => http1(listener, app::proxy(upstream)?).await,
            "axum" => axum(listener, app::plain()).await,
            "app" => axum(listener, app::guarded(upstream)?).await,
            "shared" => axum(listener, app::shared(upstream)?).await,
            "axum-reverse-proxy" => axum(listener, reverse_proxy::router(upstream)).await,
            "reqwest" => axum(listener, reqwest::router(upstream)?).await,
            _ => Err(format!("no side `{side}`").into()),
        }
    })
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

//! A service of hyper and tower, without a router, behind the guard.
//!
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p plain-hyper`. It listens on `HOST` and `PORT`, 127.0.0.1:3000 by
//! default. Visitors sign in at another service of the same site, such as `front-door`.

use std::convert::Infallible;

use auth_proxy::{Session, auth_proxy};
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder, ServiceExt as _};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    // `with_session()` has put the session there.
    let session = request.extensions().get::<Session<Auth>>();
    let name = session.and_then(|session| session.user.name.as_deref()).unwrap_or("you");
    Ok(Response::new(Full::from(format!("hello, {name}"))))
}

/// The service behind the guard. The outer layer sends the cookies to the browser that a lookup renews.
fn service(
    auth: &Auth,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    ServiceBuilder::new()
        .layer(auth.session_cookie_layer())
        .layer(auth.require_any_session().with_session())
        .service_fn(hello)
}

async fn serve(listener: TcpListener, auth: &Auth) -> std::io::Result<()> {
    let service = service(auth);
    loop {
        let (stream, peer) = listener.accept().await?;
        let service = service.clone();
        let answer = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            // `trusted_proxies` needs the address of the client.
            request.extensions_mut().insert(ConnectInfo(peer));
            service.clone().oneshot(request)
        });
        // An error is a client that went away.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let auth = Auth::from_env()?;
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(serve(listener, &auth).await?)
}

#[cfg(test)]
mod tests;

//! Hardened: a server with limits that `axum::serve` does not have, for an app without a trusted proxy in front. It
//! closes connections that are slow to send a request head, limits the number of connections and the size of heads,
//! rejects writes from pages of other origins, and completes running requests on shutdown.
//!
//! It speaks HTTP/1 only, without WebSockets: for those see `auto::Builder` of hyper-util. Run it with
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p hardened`. TLS still needs a proxy in front: then set
//! `AUTH_PUBLIC_URL=https://app.example.com`.

use std::{env::var, error::Error, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use auth_proxy::{Session, auth_proxy, require_session};
use axum::{Router, body::Body, extract::ConnectInfo, http::Request, routing::get};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::{net::TcpListener, sync::Semaphore, time};
use tower::ServiceExt as _;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// How long a connection may take to send a request head. This limits idle connections too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest request head in bytes. Session cookies of several chunks can be large.
const HEAD_LIMIT: usize = 64 * 1024;
/// How long running requests may take after the program is told to stop.
const GRACE: Duration = Duration::from_secs(30);

auth_proxy! {
    struct Auth {
        public_url: env("AUTH_PUBLIC_URL", optional),
        upstream: { kind: authjs, base_url: env("AUTH_UPSTREAM_URL") },
    }
}

#[require_session]
async fn home(session: Session<Auth>) -> String {
    format!("signed in as {}", session.user.email.as_deref().unwrap_or("a user without a name"))
}

#[require_session]
async fn save() -> &'static str {
    "saved"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let auth = Auth::from_env()?;
    let routes = Router::new().route("/", get(home).post(save)).layer(auth.cross_origin_protection());
    let app = auth.attach(routes).with_state(auth);
    let host = var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let connections = var("MAX_CONNECTIONS").unwrap_or("1024".to_owned()).parse()?;
    let listener = TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    serve(listener, app, connections).await
}

async fn serve(listener: TcpListener, app: Router, connections: usize) -> Result<(), Box<dyn Error>> {
    let permits = Arc::new(Semaphore::new(connections));
    let running = GracefulShutdown::new();
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_header_size(HEAD_LIMIT);
    let mut stopped = pin!(stopped()?);
    loop {
        // When all permits are taken, further connections wait in the kernel's queue.
        let next = async { (Arc::clone(&permits).acquire_owned().await, listener.accept().await) };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = &mut stopped => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Most likely there are no more file descriptors.
            time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let app = app.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            app.clone().oneshot(request)
        });
        let connection = running.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // An error ends only this connection, so it is ignored.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let _ = time::timeout(GRACE, running.shutdown()).await;
    Ok(())
}

/// Waits for Ctrl-C, or for SIGTERM, which container runtimes send.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

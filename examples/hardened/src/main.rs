//! A server that faces the internet by itself. `axum::serve` waits for a slow head without end and takes every
//! connection; where no reverse proxy stands in front, this is what it takes. Run it with
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p hardened`.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use auth_proxy::{Session, auth_proxy, require_session};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::routing::{get, post};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::{conn::auto, graceful::GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// Connections at once; more wait to be accepted.
const MOST_CONNECTIONS: usize = 10_000;
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(5);
/// How long what is under way may go on when the server is told to stop.
const FINISH: Duration = Duration::from_secs(30);

auth_proxy! {
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

async fn me(session: Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

#[require_session]
async fn order() -> &'static str {
    "ordered"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let auth = Auth::from_env()?;
    // Pages of other origins order nothing.
    let own = Router::new()
        .route("/me", get(me))
        .route("/order", post(order))
        .layer(auth.cross_origin_protection());
    let app: Router = auth.attach(own).with_state(auth);

    let mut server = auto::Builder::new(TokioExecutor::new());
    // hyper takes 100 headers and these many bytes of a head, and answers 431 to more.
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 * 1024);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD).max_concurrent_streams(100);
    let (graceful, slots) = (GracefulShutdown::new(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);

    let mut stop = pin!(told_to_stop());
    loop {
        let slot = Arc::clone(&slots).acquire_owned();
        let accepted = async {
            let slot = slot.await.expect("nobody closes it");
            (slot, accept(&listener).await)
        };
        let (slot, (stream, peer)) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let app = app.clone();
        let service = tower::service_fn(move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            app.clone().oneshot(request.map(Body::new))
        });
        let connection = server
            .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Whatever a client does to its own connection is its own affair.
            let _ = connection.await;
            drop(slot);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(FINISH, graceful.shutdown()).await;
    Ok(())
}

/// The next connection. Out of file descriptors it waits a moment, as `axum::serve` does.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Ctrl-C, or SIGTERM, as containers are stopped.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

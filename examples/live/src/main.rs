//! A WebSocket and an event stream that end with the session of their visitor.
//!
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p live`. It listens on `HOST` and `PORT`, 127.0.0.1:3000 by default. A
//! sign-out at this app closes both at once, and another end of the session after `session.recheck` and `session.cache`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use auth_proxy::sessions::SessionEnd;
use auth_proxy::{Session, auth_proxy};
use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::{Stream, stream};
use tokio::time::interval;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    struct Auth {
        upstream: { base_url: env("AUTH_UPSTREAM_URL") },
        session: { cache: 30s, recheck: 60s },
    }
}

/// Returns each message to its sender, until the client closes the connection.
async fn echo(socket: &mut WebSocket) -> Result<(), axum::Error> {
    while let Some(message) = socket.recv().await {
        if let Message::Text(text) = message? {
            socket.send(Message::Text(text)).await?;
        }
    }
    Ok(())
}

async fn socket(session: Session<Auth>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        if let Err(end) = session.until_ended(echo(&mut socket)).await {
            let reason = if end == SessionEnd::Expired { "sign in again" } else { "signed out" };
            let frame = CloseFrame { code: close_code::POLICY, reason: reason.into() };
            // The browser may be gone already.
            socket.send(Message::Close(Some(frame))).await.ok();
        }
    })
}

async fn events(session: Session<Auth>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(interval(Duration::from_secs(1)), async |mut interval| {
        interval.tick().await;
        Some((Ok(Event::default().data("tick")), interval))
    });
    Sse::new(session.stream_until_ended(Box::pin(ticks)))
}

fn app(auth: Auth) -> Router {
    let app = Router::new().route("/socket", get(socket)).route("/events", get(events));
    // A page of another site can open a WebSocket with the visitor's cookies. This refuses it.
    auth.attach(app.layer(auth.cross_origin_protection())).with_state(auth)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let app = app(Auth::from_env()?);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

#[cfg(test)]
mod tests;

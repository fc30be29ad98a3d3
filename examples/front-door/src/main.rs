//! Front door: the Auth.js server is internal, and browsers see only this app's origin.
//!
//! The Auth.js server needs `trustHost: true`. The provider needs the callback URL of this app, such as
//! `https://app.example.com/api/auth/callback/github`.
//!
//! Run it with `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p front-door`. Behind TLS also set
//! `AUTH_PUBLIC_URL=https://app.example.com`.

use std::net::SocketAddr;

use auth_proxy::{Session, auth_proxy, require_session};
use axum::{Router, routing::get};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    /// The login of the team, on this app's own origin.
    struct Auth {
        public_url: env("AUTH_PUBLIC_URL", optional),
        upstream: {
            kind: authjs,
            base_url: env("AUTH_UPSTREAM_URL"),
            // The server gets the `Host` that the browser sent. `auto` does the same for an internal upstream.
            host: preserve,
        },
    }
}

#[require_session]
async fn home(session: Session<Auth>) -> String {
    format!("signed in as {}", session.user.email.as_deref().unwrap_or("a user without a name"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let auth = Auth::from_env()?;
    let app = auth.attach(Router::new().route("/", get(home))).with_state(auth);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

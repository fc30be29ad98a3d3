//! Redirect proxy: one callback URL at the provider for apps on unrelated hosts.
//!
//! The Auth.js server needs `AUTH_REDIRECT_PROXY_URL=https://auth.example.com/api/auth`, and must be reachable there.
//! The provider needs the callback URL `https://auth.example.com/api/auth/callback/github`. The server redirects the
//! callback to the app where the sign-in began.
//!
//! Run it with `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p redirect-proxy`. Behind an ingress also set
//! `AUTH_PUBLIC_URL=https://app.example.org`, or `AUTH_TRUSTED_PROXIES=10.0.0.0/8` for an app with several hosts.

use std::net::SocketAddr;

use auth_proxy::{Session, auth_proxy, require_session};
use axum::{Router, routing::get};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    /// A login whose callback is registered once.
    struct Auth {
        public_url: env("AUTH_PUBLIC_URL", optional),
        trusted_proxies: env("AUTH_TRUSTED_PROXIES", optional),
        upstream: {
            kind: authjs,
            base_url: env("AUTH_UPSTREAM_URL"),
            // The server gets this app's host, so it knows to which app it must redirect the callback.
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

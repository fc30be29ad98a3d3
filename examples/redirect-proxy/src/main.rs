//! Redirect proxy: one callback URL at the provider for apps on unrelated hosts.
//!
//! On the Auth.js server: `AUTH_REDIRECT_PROXY_URL=https://auth.example.com/api/auth`, at which it must
//! be reachable, and `https://auth.example.com/api/auth/callback/github` at the provider. It hands the
//! callback on to the app where the sign-in began.
//!
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p redirect-proxy`; behind an ingress also
//! `AUTH_PUBLIC_URL=https://app.example.org`, or `AUTH_TRUSTED_PROXIES=10.0.0.0/8` for an app of several hosts.

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
            // The server tells this app from its own host, and the callback is handed on to it.
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
    // On stderr, as much as `RUST_LOG` says: the first line of stdout is the address.
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

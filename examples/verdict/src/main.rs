//! Sign-in for a service that is not written in Rust. A reverse proxy in front of both sends `/api/auth/` here, asks
//! `/_auth/verdict` about every other request, and tells the service in headers who the visitor is.
//!
//! `README.md` says how to start it with the service and the proxy.

use std::net::SocketAddr;

use auth_proxy::{auth_proxy, rules::role, verdict::PathRules};
use axum::Router;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    /// The login of the team.
    struct Auth {
        // Where visitors are. Whatever host a request names, the login server gets this one.
        public_url: env("AUTH_PUBLIC_URL"),
        // Only these peers are answered: the reverse proxy, as seen from here.
        trusted_proxies: env("AUTH_TRUSTED_PROXIES", default = "127.0.0.1/32"),
        upstream: {
            kind: authjs,
            base_url: env("AUTH_UPSTREAM_URL"),
            host: preserve,
        },
        // A page has many files, and each of them is a question. Without a cache, each question is one to the upstream.
        session: { cache: 10s },
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let auth = Auth::from_env()?;
    // The first pattern that matches counts. For all other paths a session is required.
    let rules = PathRules::new().public("/assets/**")?.require("/admin/**", role("admin"))?;
    let verdict = auth.verdict().rules(rules).refuse_cross_origin();
    let app = auth.attach(Router::new()).merge(verdict.router()).with_state(auth);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

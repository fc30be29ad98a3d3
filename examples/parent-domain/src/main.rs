//! Parent domain: the Auth.js server is a public host whose cookies every app below the domain gets.
//!
//! On the Auth.js server: the session, CSRF, callback-URL, PKCE and state cookies with
//! `domain: "example.com"` (no `__Host-` names, which can have none), a `redirect` callback that accepts
//! the apps, and its own callback URL at the provider.
//!
//! `AUTH_UPSTREAM_URL=https://auth.example.com AUTH_PUBLIC_URL=https://app.example.com cargo run -p parent-domain`

use std::net::SocketAddr;

use auth_proxy::{Session, auth_proxy, require_session};
use axum::{Router, routing::get};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    /// The login of every app below example.com.
    struct Auth {
        // Part of the sign-in link, so that the auth host knows where to send the visitor back.
        public_url: env("AUTH_PUBLIC_URL"),
        upstream: {
            kind: authjs,
            base_url: env("AUTH_UPSTREAM_URL"),
            cookie_name: env("AUTH_COOKIE_NAME", default = "authjs.session-token"),
            // What `auto` makes of a public upstream: its ingress routes by its own name.
            host: upstream,
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

//! Parent domain: the Auth.js server is a public host, and browsers send its cookies to every app below the domain.
//!
//! The Auth.js server needs `domain: "example.com"` for the session, CSRF, callback-URL, PKCE and state cookies (their
//! names must not begin with `__Host-`, which forbids a domain), and a `redirect` callback that accepts the URLs of the
//! apps. The provider needs the callback URL of the Auth.js server.
//!
//! Run it with
//! `AUTH_UPSTREAM_URL=https://auth.example.com AUTH_PUBLIC_URL=https://app.example.com cargo run -p parent-domain`

use std::net::SocketAddr;

use auth_proxy::{Session, auth_proxy, require_session};
use axum::{Router, routing::get};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    /// The login of every app below example.com.
    struct Auth {
        // The sign-in link contains it, so that the auth host knows where to redirect the visitor afterwards.
        public_url: env("AUTH_PUBLIC_URL"),
        upstream: {
            kind: authjs,
            base_url: env("AUTH_UPSTREAM_URL"),
            cookie_name: env("AUTH_COOKIE_NAME", default = "authjs.session-token"),
            // The server gets its own host name, by which its ingress routes. `auto` does the same for a public
            // upstream.
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

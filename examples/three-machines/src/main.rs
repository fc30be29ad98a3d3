//! Three machines: several instances of one app behind a load balancer. They share cached sessions and sign-outs over
//! Redis, so a sign-out at one instance closes the event streams and WebSockets at the others.
//!
//! `README.md` says how to start it, and what to try. Behind TLS also set `AUTH_PUBLIC_URL=https://app.example.com`.

mod live;
mod page;

use std::env::var;
use std::net::SocketAddr;
use std::sync::Arc;

use auth_proxy::{Session, auth_proxy};
use axum::{Json, Router, extract::FromRef, routing::get};
use tokio::net::TcpListener;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    /// The login of the team. Its server keeps sessions in a database, so that it knows of a sign-out itself.
    struct Auth {
        public_url: env("AUTH_PUBLIC_URL", optional),
        upstream: { kind: authjs, base_url: env("AUTH_UPSTREAM_URL"), session_strategy: database },
        // While Redis cannot be reached, sign-outs at other instances are not heard. Then no cached session is used.
        session: { store: redis(env("REDIS_URL")), cache: 30s, store_unavailable: ask_upstream },
    }
}

#[derive(Clone)]
struct App {
    auth: Auth,
    /// Which instance this is, for the page.
    instance: Arc<str>,
}

impl FromRef<App> for Auth {
    fn from_ref(app: &App) -> Self {
        app.auth.clone()
    }
}

async fn me(session: Session<Auth>) -> Json<Session<Auth>> {
    Json(session)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let auth = Auth::from_env()?;
    let host = var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = TcpListener::bind((host.as_str(), port)).await?;
    let address = listener.local_addr()?;

    // A page of another origin must not open a WebSocket with this visitor's cookie.
    let socket = Router::new().route("/socket", get(live::socket)).layer(auth.cross_origin_protection());
    let app = Router::new()
        .route("/", get(page::home))
        .route("/me", get(me))
        .route("/events", get(live::events))
        .route("/page.js", get(page::script))
        .route("/style.css", get(page::style))
        .route("/favicon.ico", get(page::icon))
        .merge(socket);
    let instance = address.port().to_string().into();
    let app = auth.attach(app).with_state(App { auth, instance });
    println!("http://{address}");
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

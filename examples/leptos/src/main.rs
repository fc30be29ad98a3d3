//! Server functions of Leptos that read the session, on the server's side.
//!
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run --manifest-path examples/leptos/Cargo.toml`. It listens on `HOST` and
//! `PORT`, 127.0.0.1:3000 by default. The page of the app, which `cargo leptos` compiles to WebAssembly, is not here: it calls
//! these functions as `POST /api/..`.

use std::net::SocketAddr;

use auth_proxy::{Session, auth_proxy};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing::post};
use leptos::prelude::{ServerFnError, expect_context, provide_context, server};
use leptos_axum::{extract_with_state, handle_server_fns_with_context};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

/// Anybody may call it. `None` for a guest.
#[server(prefix = "/api", endpoint = "visitor")]
async fn visitor() -> Result<Option<String>, ServerFnError> {
    let session: Option<Session<Auth>> = extract_with_state(&expect_context::<Auth>()).await?;
    Ok(session.and_then(|session| session.user.name.clone()))
}

/// The layer in front of `/api/members` lets only signed-in visitors call it.
#[server(prefix = "/api/members", endpoint = "figures")]
async fn figures() -> Result<String, ServerFnError> {
    Ok("the figures".to_owned())
}

async fn call(State(auth): State<Auth>, request: Request) -> Response {
    let context = move || provide_context(auth.clone());
    handle_server_fns_with_context(context, request).await.into_response()
}

fn app(auth: &Auth) -> Router {
    // The functions of a page are called with the visitor's cookies, so a page of another site must not call them.
    let members =
        Router::new().route("/api/members/{*function}", post(call)).route_layer(auth.require_any_session());
    let functions = Router::new().route("/api/{*function}", post(call)).merge(members);
    auth.attach(functions.layer(auth.cross_origin_protection())).with_state(auth.clone())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let auth = Auth::from_env()?;
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(&auth).into_make_service_with_connect_info::<SocketAddr>()).await?)
}

#[cfg(test)]
mod tests;

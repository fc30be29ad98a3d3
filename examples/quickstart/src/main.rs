//! One login, one protected page. Run it with `cargo run -p quickstart` and sign in as demo / demo.

mod lookup;
mod page;

use auth_proxy::{Session, auth_proxy, require_session, testing::FakeUpstream};
use axum::{Json, Router, middleware::from_fn, response::Response, routing::get};
use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt, prelude::*};

#[derive(serde::Serialize, serde::Deserialize)]
struct AppUser {
    name: Option<String>,
    email: Option<String>,
    image: Option<String>,
}

auth_proxy! {
    struct Auth<User = AppUser> {
        upstream: { base_url: env("AUTH_UPSTREAM_URL") },
        session: { cache: 10s },
    }
}

async fn home(session: Option<Session<Auth>>) -> Response {
    match session {
        Some(session) => page::signed_in(&session),
        None => page::signed_out(),
    }
}

#[require_session]
async fn dashboard(session: Session<Auth>) -> Response {
    page::dashboard(&session)
}

async fn me(session: Session<Auth>) -> Json<Session<Auth>> {
    Json(session)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let log = fmt::layer().with_writer(std::io::stderr).with_filter(filter);
    tracing_subscriber::registry().with(log).with(lookup::layer()).init();

    let own = std::env::var_os("AUTH_UPSTREAM_URL").is_some();
    let fake = FakeUpstream::start().await?; // used if AUTH_UPSTREAM_URL is not set
    let auth = if own { Auth::from_env()? } else { Auth::builder().upstream_base_url(fake.url()).build()? };
    let app = Router::new()
        .route("/", get(home))
        .route("/dashboard", get(dashboard))
        .route("/me", get(me))
        .route("/style.css", get(page::style))
        .route("/favicon.ico", get(page::icon))
        .layer(from_fn(lookup::watch));
    let app = auth.attach(app).with_state(auth);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{} (sign in as demo / demo)", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

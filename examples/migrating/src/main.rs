//! The weeks of a move from next-auth v4 to Better Auth: the app accepts the sessions of both servers. Visitors sign in
//! at the new one. Once the last session of the old server has expired, remove `Old`, and write `Session<New>` in place
//! of `Signed`.
//!
//! Run it with the addresses of both servers:
//! `NEW_UPSTREAM_URL=http://localhost:3001 OLD_UPSTREAM_URL=http://localhost:3002 cargo run -p migrating`.

use auth_proxy::{AuthError, Either, RequireSession, Session, auth_proxy};
use axum::{Json, Router, extract::FromRef, routing::get};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    /// The new server. Its `baseURL` is this app's origin.
    struct New {
        upstream: { base_url: env("NEW_UPSTREAM_URL"), kind: better_auth, secret: env("NEW_SECRET", optional) },
        session: { cache: 10s },
    }
}

auth_proxy! {
    /// The old server. Its routes keep their path there, and have another one here.
    struct Old {
        base_path: "/api/old-auth",
        upstream: {
            base_url: env("OLD_UPSTREAM_URL"),
            base_path: "/api/auth",
            kind: next_auth_v4,
            secret: env("OLD_SECRET", optional),
        },
        session: { cache: 10s },
    }
}

/// The session of either server.
type Signed = Either<Session<New>, Session<Old>>;

/// Lets visitors who are signed in at either server pass, and sends others to the sign-in page of the new one.
type SignedIn = Either<RequireSession<New>, RequireSession<Old>>;

#[derive(Clone, FromRef)]
struct App {
    new: New,
    old: Old,
}

async fn me(session: Signed) -> Json<Signed> {
    Json(session)
}

async fn home(session: Result<Option<Signed>, AuthError>) -> Result<String, AuthError> {
    Ok(match session? {
        Some(Either::Left(_)) => "signed in at the new server".to_owned(),
        Some(Either::Right(_)) => "signed in at the old server".to_owned(),
        None => "signed out".to_owned(),
    })
}

async fn dashboard(_: SignedIn) -> &'static str {
    "ok"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let app = App { new: New::from_env()?, old: Old::from_env()? };
    let router =
        Router::new().route("/", get(home)).route("/me", get(me)).route("/dashboard", get(dashboard));
    let router = app.new.attach(app.old.attach(router)).with_state(app);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router.into_make_service_with_connect_info::<std::net::SocketAddr>()).await?)
}

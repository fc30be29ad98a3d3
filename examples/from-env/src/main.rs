//! All settings from environment variables, for containers. Run it with
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p from-env`. It listens on 127.0.0.1:3000; in a container set
//! `HOST=0.0.0.0`, and `PORT` for another port. `cargo run -p from-env -- --env-example` prints the variables, and
//! `-- doctor` checks the deployment.
//!
//! Its routes show what the upstream says of a visitor: `/session`, `/session/optional`, `/token` and `/token/raw` as JSON or
//! text, `/protected` and `/admin` behind guards, and `/plain` without one. The sign-in routes are below `/api/auth/`.

use std::process::ExitCode;

use auth_proxy::{Policy, RawToken, Session, Token, auth_proxy, require_session};
use axum::{Json, Router, routing::get};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    /// The login. All options come from the environment.
    struct Auth {
        public_url: env("AUTH_PUBLIC_URL", optional),
        hosts: env("AUTH_HOSTS", optional),
        trusted_proxies: env("AUTH_TRUSTED_PROXIES", optional),
        upstream: {
            kind: env("AUTH_UPSTREAM_KIND", optional),
            base_url: env("AUTH_UPSTREAM_URL"),
            base_path: env("AUTH_UPSTREAM_BASE_PATH", default = "/api/auth"),
            host: env("AUTH_UPSTREAM_HOST", default = "auto"),
            headers: { "x-api-key": env("AUTH_PROXY_KEY", optional) },
            cookie_name: env("AUTH_COOKIE_NAME", optional),
            secret: [env("AUTH_SECRET", optional), env("AUTH_SECRET_PREVIOUS", optional)],
            session_strategy: env("AUTH_SESSION_STRATEGY", optional),
            token: env("AUTH_TOKEN", optional),
            audience: env("AUTH_AUDIENCE", optional),
            issuer: env("AUTH_ISSUER", optional),
            public_origins: env("AUTH_UPSTREAM_ORIGINS", optional),
            timeout: env("AUTH_UPSTREAM_TIMEOUT", default = "10s"),
        },
        jwks: { url: env("AUTH_JWKS_URL", optional) },
        session: {
            source: env("AUTH_SESSION_SOURCE", optional),
            claims: env("AUTH_SESSION_CLAIMS", optional),
            cache: env("AUTH_SESSION_CACHE", default = "off"),
            store: redis(env("AUTH_SESSION_STORE", optional)),
            revocation: env("AUTH_SESSION_REVOCATION", default = "off"),
        },
        revocation: {
            webhook_secret: env("AUTH_REVOKE_SECRET", optional),
            back_channel: env("AUTH_BACK_CHANNEL", default = "false"),
        },
    }
}

/// Allows users whose session or token has the role `admin`.
struct Admin;

impl Policy<Auth> for Admin {
    fn allow(session: &Session<Auth>, token: Option<&Token<Auth>>) -> bool {
        let roles = [session.user.extra.get("role"), token.and_then(|token| token.extra.get("role"))];
        roles.into_iter().flatten().any(|role| role == "admin")
    }
}

async fn session(session: Session<Auth>) -> Json<Session<Auth>> {
    Json(session)
}

async fn optional(session: Option<Session<Auth>>) -> Json<Option<Session<Auth>>> {
    Json(session)
}

async fn token(token: Token<Auth>) -> Json<Token<Auth>> {
    Json(token)
}

async fn raw_token(token: RawToken<Auth>) -> String {
    token.as_str().to_owned()
}

#[require_session]
async fn protected() -> &'static str {
    "ok"
}

#[require_session(Auth, Admin)]
async fn admin() -> &'static str {
    "ok"
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| argument == "--env-example") {
        print!("{}", Auth::env_example());
        return Ok(ExitCode::SUCCESS);
    }
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let auth = Auth::from_env().unwrap_or_else(|error| stop(&error));
    if std::env::args().nth(1).as_deref() == Some("doctor") {
        let report = auth.check().await;
        println!("{report}");
        return Ok(report.exit_code());
    }
    let app = Router::new()
        .route("/plain", get(|| async { "ok" }))
        .route("/session", get(session))
        .route("/session/optional", get(optional))
        .route("/token", get(token))
        .route("/token/raw", get(raw_token))
        .route("/protected", get(protected))
        .route("/admin", get(admin));
    let app = auth.attach(app).with_state(auth);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned());
    let port = port.parse::<u16>().unwrap_or_else(|_| stop(&"PORT: expected a number from 0 to 65535"));
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    let service = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(ExitCode::SUCCESS)
}

/// Ends the program because of a mistake in its variables.
fn stop(mistake: &dyn std::fmt::Display) -> ! {
    eprintln!("{mistake}");
    std::process::exit(2)
}

/// After a change of the block: `cargo run -p from-env -- --env-example > examples/from-env/.env.example`.
#[test]
fn env_example_is_up_to_date() {
    assert_eq!(Auth::env_example(), include_str!("../.env.example"));
}

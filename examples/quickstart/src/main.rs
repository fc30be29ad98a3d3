//! One login, one protected page. Run it with `cargo run -p quickstart` and sign in as demo / demo.

use auth_proxy::{Session, auth_proxy, require_session, testing::FakeUpstream};
use axum::{Json, Router, response::Html, routing::get};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

#[derive(serde::Serialize, serde::Deserialize)]
struct AppUser {
    name: Option<String>,
    email: Option<String>,
}

auth_proxy! {
    struct Auth<User = AppUser> { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

async fn home(session: Option<Session<Auth>>) -> Html<String> {
    let Some(session) = session else {
        return page("Hello, stranger", include_str!("stranger.html"));
    };
    let json = escape(&serde_json::to_string_pretty(&session).unwrap_or_default());
    let links =
        "<a href=/dashboard>A protected page</a> <a href=/api/auth/signout?callbackUrl=/>Sign out</a>";
    page(&format!("Hello, {}", name(&session)), &format!("<pre>{json}</pre>{links}"))
}

#[require_session]
async fn dashboard(session: Session<Auth>) -> Html<String> {
    page("Dashboard", &format!("<p>Only for {}.</p><a href=/>Back</a>", name(&session)))
}

async fn me(session: Session<Auth>) -> Json<Session<Auth>> {
    Json(session)
}

fn name(session: &Session<Auth>) -> String {
    escape(session.user.name.as_deref().unwrap_or("somebody"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn page(title: &str, body: &str) -> Html<String> {
    let style = "body{font:16px system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem}a,label{margin-right:1rem}\
                 pre{overflow:auto}";
    let head = format!(
        "<meta name=viewport content=\"width=device-width\"><link rel=icon href=data:,>\
         <title>{title}</title><style>{style}</style>"
    );
    Html(format!("<!doctype html><html lang=en>{head}<h1>{title}</h1>{body}"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // On stderr, as much as `RUST_LOG` says: the first line of stdout is the address.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let own = std::env::var_os("AUTH_UPSTREAM_URL").is_some();
    let fake = FakeUpstream::start().await?; // stands in while you have no server of your own
    let auth = if own { Auth::from_env()? } else { Auth::builder().base_url(fake.url()).build()? };
    let app = Router::new().route("/", get(home)).route("/dashboard", get(dashboard)).route("/me", get(me));
    let app = auth.attach(app).with_state(auth);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{} (sign in as demo / demo)", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

//! One login, one protected page. Run it with `cargo run -p quickstart` and sign in as demo / demo.

use auth_proxy::testing::FakeUpstream;
use auth_proxy::{Session, auth_proxy, require_session};
use axum::response::Html;
use axum::{Json, Router, routing::get};

#[derive(serde::Serialize, serde::Deserialize)]
struct AppUser {
    name: String,
    email: Option<String>,
}

auth_proxy! {
    struct Auth<User = AppUser> { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

async fn home(session: Option<Session<Auth>>) -> Html<String> {
    let Some(session) = session else {
        return Html(
            "<h1>Hello, stranger</h1><p><a href=/api/auth/signin?callbackUrl=/>Sign in</a>".to_owned(),
        );
    };
    let json = serde_json::to_string_pretty(&session).unwrap_or_default();
    let (name, json) = (escape(&session.user.name), escape(&json));
    Html(format!(
        "<h1>Hello, {name}</h1><pre>{json}</pre><p><a href=/dashboard>A protected page</a> · \
         <a href=/api/auth/signout?callbackUrl=/>Sign out</a>"
    ))
}

#[require_session]
async fn dashboard(session: Session<Auth>) -> Html<String> {
    Html(format!("<h1>Dashboard</h1><p>Only for {}. <a href=/>Back</a>", escape(&session.user.name)))
}

async fn me(session: Session<Auth>) -> Json<Session<Auth>> {
    Json(session)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Without a server of your own, a fake one stands in.
    let fake = if std::env::var_os("AUTH_UPSTREAM_URL").is_none() {
        Some(FakeUpstream::start().await?)
    } else {
        None
    };
    let auth = match &fake {
        Some(fake) => Auth::builder().base_url(fake.url()).build()?,
        None => Auth::from_env()?,
    };
    let app = Router::new().route("/", get(home)).route("/dashboard", get(dashboard)).route("/me", get(me));
    let app = auth.attach(app).with_state(auth);
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{} (sign in as demo / demo)", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

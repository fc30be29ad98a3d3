//! The page, its script and its style.

use auth_proxy::Session;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};

use crate::{App, Auth};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub async fn home(session: Option<Session<Auth>>, State(app): State<App>) -> impl IntoResponse {
    let html = match session {
        Some(session) => {
            let name = session.user.name.as_deref().or(session.user.email.as_deref()).unwrap_or("someone");
            let title = format!("Signed in as {}", escape(name));
            page(&title, include_str!("signed-in.html"), &app.instance)
        }
        None => page("Signed out", include_str!("signed-out.html"), &app.instance),
    };
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(html))
}

/// `title` and `body` are HTML.
fn page(title: &str, body: &str, instance: &str) -> String {
    format!(include_str!("page.html"), title = title, body = body, instance = escape(instance))
}

pub async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page.js"))
}

pub async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

pub async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml")], include_str!("icon.svg"))
}

/// Escapes text for HTML, in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

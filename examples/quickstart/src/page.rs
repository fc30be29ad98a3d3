//! The HTML pages. The templates are format strings, so the compiler finds a placeholder without a value.

use std::time::SystemTime;

use auth_proxy::Session;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};

use crate::{Auth, lookup};

/// The policy allows no script and no inline style. It allows pictures of other servers: users have theirs there.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The text when `session: { source: local }` is set.
const LOCAL: &str = "None: this app decoded the session token";

pub fn signed_out() -> Response {
    page("Hello, guest", include_str!("signed-out.html"), "None: the browser sent no session cookie")
}

pub fn signed_in(session: &Session<Auth>) -> Response {
    let body = format!(
        include_str!("session.html"),
        picture = picture(session),
        name = escape(name(session)),
        email = escape(session.user.email.as_deref().unwrap_or("No email address")),
        expires = session.expires.map_or("Not known".to_owned(), from_now),
    );
    page(&format!("Hello, {}", escape(name(session))), &body, LOCAL)
}

pub fn dashboard(session: &Session<Auth>) -> Response {
    let body = format!(include_str!("dashboard.html"), name = escape(name(session)));
    page("Dashboard", &body, LOCAL)
}

pub async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

pub async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml")], include_str!("icon.svg"))
}

/// `title` and `body` are HTML. `no_lookup` says why nothing was looked up.
fn page(title: &str, body: &str, no_lookup: &str) -> Response {
    let lookup = lookup::answered_by().unwrap_or(no_lookup);
    let took = format!("{:.1} ms", lookup::took().as_secs_f64() * 1000.0);
    let html = format!(include_str!("page.html"), title = title, body = body, lookup = lookup, took = took);
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response()
}

fn name(session: &Session<Auth>) -> &str {
    session.user.name.as_deref().or(session.user.email.as_deref()).unwrap_or("a user without a name")
}

/// The user's picture, or initials.
fn picture(session: &Session<Auth>) -> String {
    match session.user.image.as_deref() {
        Some(url) if url.starts_with("https://") => {
            format!(r#"<img class="picture" src="{}" alt="" referrerpolicy="no-referrer">"#, escape(url))
        }
        _ => {
            let initials: String =
                name(session).split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
            format!(r#"<span class="picture" aria-hidden="true">{}</span>"#, escape(&initials.to_uppercase()))
        }
    }
}

fn from_now(time: SystemTime) -> String {
    let minutes = time.duration_since(SystemTime::now()).unwrap_or_default().as_secs().div_ceil(60);
    match minutes {
        0..120 => format!("in {minutes} minutes"),
        120..2880 => format!("in {} hours", minutes / 60),
        _ => format!("in {} days", minutes / 1440),
    }
}

/// Escapes text for HTML, in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

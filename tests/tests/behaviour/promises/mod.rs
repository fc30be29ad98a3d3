//! Regression tests of documented guarantees. Each test cites the guide or SECURITY.md section that once did not hold.

mod circuit_breaker;
mod concurrent_changes;
mod evictions;
mod identity;
mod responses;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use tower::ServiceExt as _;

pub(super) const PLAIN: &str = "authjs.session-token";
pub(super) const SECURE: &str = "__Secure-authjs.session-token";
pub(super) const SECRET: &str = "a secret that is long enough for this";

/// The session cookies that a response sets, without those that it clears.
pub(super) fn session_cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
    all.filter(|cookie| {
        let Some((name, value)) = cookie.split_once('=') else { return false };
        name.contains("session-token") && !value.is_empty() && !value.starts_with(';')
    })
    .collect()
}

pub(super) async fn oneshot(app: &Router, method: &str, path: &str, cookie: &str) -> Response {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    app.clone().oneshot(request.header("cookie", cookie).body(Body::empty()).unwrap()).await.unwrap()
}

pub(super) fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let line = headers.get("cookie")?.to_str().ok()?;
    line.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

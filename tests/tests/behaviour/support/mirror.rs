//! An upstream that echoes requests and records them.

use std::sync::{Arc, Mutex};

use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::Response;

use super::{Auth, app_of};

/// An upstream that echoes the body, adds response headers, and records the method, target and headers of each request.
pub(crate) async fn mirror() -> (App, Arc<Mutex<Vec<(Method, String, HeaderMap)>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let router = Router::new().fallback(move |request: Request| {
        let log = Arc::clone(&log);
        async move {
            let (parts, body) = request.into_parts();
            log.lock().unwrap().push((parts.method, parts.uri.to_string(), parts.headers));
            Response::builder()
                .header("set-cookie", "authjs.session-token=first; Path=/; HttpOnly")
                .header("set-cookie", "authjs.session-token=second; Path=/; HttpOnly")
                .header("keep-alive", "timeout=5")
                .header("connection", "x-internal")
                .header("x-internal", "1")
                .header("x-kept", "1")
                .body(body)
                .unwrap()
        }
    });
    (App::start(router).await, seen)
}

pub(crate) async fn in_front_of(mirror: &App) -> (App, Browser) {
    app_of(Auth::builder().upstream_base_url(mirror.url(""))).await
}

//! An upstream that renews the token at every lookup and counts the lookups.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy_tests::Browser;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::sync::{Notify, Semaphore};
use tower::ServiceExt as _;

use super::Auth;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const COOKIE: &str = "authjs.session-token";

/// An upstream that accepts every token: the token is the user name, and each lookup renews it to `{name}x`.
/// Exceptions: the token `refused` is refused, `large` has a session of 60 kB, and `down` makes every request fail.
#[derive(Clone, Default)]
pub(crate) struct Upstream {
    pub(crate) lookups: Arc<AtomicUsize>,
    pub(crate) concurrent: Arc<AtomicUsize>,
    pub(crate) max_concurrent: Arc<AtomicUsize>,
    pub(crate) down: Arc<Mutex<bool>>,
    /// If set, a lookup waits for a permit.
    pub(crate) gate: Option<Arc<Semaphore>>,
    pub(crate) lookup_started: Arc<Notify>,
}

impl Upstream {
    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(SeqCst)
    }

    fn router(&self) -> Router {
        let upstream = self.clone();
        let session = move |headers: HeaderMap| async move { upstream.session(&headers).await };
        let down = Arc::clone(&self.down);
        let others = move |request: Request| async move {
            match request.uri().path() {
                _ if *down.lock().unwrap() => StatusCode::BAD_GATEWAY.into_response(),
                "/api/auth/signs-out" | "/api/auth/signout" => {
                    [("set-cookie", format!("{COOKIE}=; Max-Age=0"))].into_response()
                }
                "/api/auth/signs-in" => [("set-cookie", format!("{COOKIE}=bob"))].into_response(),
                _ => "ok".into_response(),
            }
        };
        Router::new().route("/api/auth/session", any(session)).fallback(others)
    }

    async fn session(&self, headers: &HeaderMap) -> Response {
        self.lookups.fetch_add(1, SeqCst);
        let now = self.concurrent.fetch_add(1, SeqCst) + 1;
        self.max_concurrent.fetch_max(now, SeqCst);
        self.lookup_started.notify_one();
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        tokio::task::yield_now().await;
        self.concurrent.fetch_sub(1, SeqCst);
        let cookie = headers["cookie"].to_str().unwrap();
        let token = cookie.split("; ").find_map(|pair| pair.strip_prefix("authjs.session-token=")).unwrap();
        if *self.down.lock().unwrap() {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let (body, cookie) = match token {
            "refused" => ("null".to_owned(), format!("{COOKIE}=; Max-Age=0")),
            "large" => {
                let body = format!(r#"{{"user":{{"name":"large","bio":"{}"}}}}"#, "x".repeat(60_000));
                (body, String::new())
            }
            name => (format!(r#"{{"user":{{"name":"{name}"}}}}"#), format!("{COOKIE}={name}x")),
        };
        ([("set-cookie", cookie)], body).into_response()
    }

    pub(crate) fn auth(&self) -> Builder<Auth> {
        Auth::builder()
            .upstream_base_url("http://auth")
            .upstream_session_strategy(SessionStrategy::Database)
            .upstream_fetch(self.router())
    }
}

pub(crate) async fn name(browser: &Browser, token: &str) -> String {
    let answer = browser.get_with("/session", &[("cookie", &format!("{COOKIE}={token}"))]).await;
    answer.json()["user"]["name"].as_str().map_or_else(|| answer.code(), str::to_owned)
}

/// Sends a request to the app without a socket. Returns the user name or the error code.
pub(crate) async fn ask(app: Router, token: String) -> String {
    let request = Request::get("/session").header("cookie", format!("{COOKIE}={token}"));
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    body["user"]["name"].as_str().unwrap_or_else(|| body["code"].as_str().unwrap()).to_owned()
}

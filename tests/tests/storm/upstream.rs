//! An upstream with database sessions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

pub(crate) const COOKIE: &str = "authjs.session-token";

/// The signed-in visitors. A lookup reads it and then waits, so its answer may be outdated when it arrives.
#[derive(Default)]
pub(crate) struct Upstream {
    signed_in: Mutex<HashMap<String, Option<Instant>>>,
    random: AtomicU64,
    pub(crate) lookups: AtomicU64,
}

impl Upstream {
    pub(crate) fn sign_in(&self, token: &str) {
        self.signed_in.lock().unwrap().insert(token.to_owned(), None);
    }

    /// When a session was deleted.
    pub(crate) fn ended_at(&self, token: &str) -> Option<Instant> {
        self.signed_in.lock().unwrap().get(token).copied().flatten()
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/api/auth/session", get(session))
            .route("/api/auth/signout", post(sign_out))
            .with_state(Arc::clone(self))
    }

    /// A random number below this one.
    pub(crate) fn random(&self, below: u64) -> u64 {
        let n = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        let mixed = (n ^ (n >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 33) % below
    }

    async fn delay(&self, below_ms: u64) {
        tokio::time::sleep(Duration::from_micros(self.random(below_ms * 1000))).await;
    }
}

async fn session(State(upstream): State<Arc<Upstream>>, headers: HeaderMap) -> Response {
    upstream.lookups.fetch_add(1, Relaxed);
    upstream.delay(3).await;
    let token = token_of(&headers);
    let is_signed_in = upstream.signed_in.lock().unwrap().get(&token).is_some_and(Option::is_none);
    upstream.delay(30).await;
    if is_signed_in {
        return format!(r#"{{"user":{{"name":"{token}"}}}}"#).into_response();
    }
    ([("set-cookie", format!("{COOKIE}=; Max-Age=0"))], "null").into_response()
}

async fn sign_out(State(upstream): State<Arc<Upstream>>, headers: HeaderMap) -> Response {
    upstream.delay(3).await;
    upstream.signed_in.lock().unwrap().insert(token_of(&headers), Some(Instant::now()));
    ([("set-cookie", format!("{COOKIE}=; Max-Age=0"))], "{}").into_response()
}

fn token_of(headers: &HeaderMap) -> String {
    let cookies = headers.get("cookie").map(|value| value.to_str().unwrap()).unwrap_or_default();
    let token = cookies.split("; ").find_map(|pair| pair.strip_prefix(COOKIE)?.strip_prefix('='));
    token.unwrap_or_default().to_owned()
}

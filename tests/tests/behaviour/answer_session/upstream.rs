//! An upstream that counts lookups and forwarded requests for the session.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_proxy::options::{AnswerSession, Builder, SessionStrategy};
use auth_proxy_tests::{Answer, Browser};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};

use crate::support::Auth;
use crate::support::renewing_upstream::{COOKIE, HOUR};

/// A browser sends this header, which a lookup does not carry.
pub(super) const OF_BROWSER: (&str, &str) = ("x-of-browser", "1");

/// An upstream that accepts every token but `refused` and `unclear`. The token is the user's name, and each answer renews it
/// to `{name}x`, unless the name begins with `kept`, which stays.
#[derive(Clone)]
pub(super) struct Upstream(Arc<Mutex<State>>);

pub(super) struct State {
    pub(super) lookups: usize,
    pub(super) forwarded: usize,
    /// What sessions show. A request that changes the session raises it.
    pub(super) version: usize,
    pub(super) status: StatusCode,
    pub(super) max_age: Duration,
    /// Whether each answer of Better Auth sets a copy of the session.
    pub(super) copies: bool,
    /// More of the answer.
    pub(super) extra: Value,
}

impl Default for Upstream {
    fn default() -> Self {
        let state = State {
            lookups: 0,
            forwarded: 0,
            version: 1,
            status: StatusCode::OK,
            max_age: 24 * HOUR,
            copies: false,
            extra: json!({}),
        };
        Self(Arc::new(Mutex::new(state)))
    }
}

impl Upstream {
    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The lookups and the forwarded requests for the session since the last call.
    pub(super) fn asked(&self) -> (usize, usize) {
        let mut state = self.state();
        (std::mem::take(&mut state.lookups), std::mem::take(&mut state.forwarded))
    }

    pub(super) fn router(&self) -> Router {
        let own = self.clone();
        let session = move |request: Request| {
            let answer = own.session(request.method() == "POST", request.headers());
            std::future::ready(answer)
        };
        let own = self.clone();
        let others = move |request: Request| {
            let path = request.uri().path();
            if request.headers().contains_key(OF_BROWSER.0) && path.to_ascii_lowercase().contains("ession") {
                own.state().forwarded += 1;
            }
            own.state().version += 1;
            let status = own.state().status;
            std::future::ready(if status != StatusCode::OK {
                status.into_response()
            } else if path.ends_with("signout") {
                [("set-cookie", format!("{COOKIE}=; Max-Age=0"))].into_response()
            } else if path.contains("/callback/") {
                [("set-cookie", format!("{COOKIE}=bob; Path=/"))].into_response()
            } else {
                "of the upstream".into_response()
            })
        };
        Router::new()
            .route("/api/auth/session", any(session.clone()))
            .route("/api/auth/session/", any(session.clone()))
            .route("/api/auth/get-session", any(session))
            .fallback(others)
    }

    fn session(&self, changes: bool, headers: &HeaderMap) -> Response {
        let mut state = self.state();
        if headers.contains_key(OF_BROWSER.0) {
            state.forwarded += 1;
        } else {
            state.lookups += 1;
        }
        if changes {
            state.version += 1;
        }
        if state.status != StatusCode::OK {
            return (state.status, "failed").into_response();
        }
        let cookies = headers.get("cookie").map_or("", |cookies| cookies.to_str().unwrap());
        let find =
            |name: &str| cookies.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let token = find(COOKIE).or_else(|| find("better-auth.session_token"));
        let expires = humantime::format_rfc3339_millis(SystemTime::now() + state.max_age).to_string();
        let (body, cookie) = match token {
            None => ("null".to_owned(), Some("authjs.csrf-token=x".to_owned())),
            Some("refused") => ("null".to_owned(), Some(format!("{COOKIE}=; Max-Age=0"))),
            Some("unclear") => ("null".to_owned(), None),
            Some(name) => {
                let mut body = json!({
                    "user": { "name": name, "roles": ["a", 1.5, null], "email": null },
                    "expires": expires,
                    "version": state.version,
                    "sessionToken": "secret",
                });
                if !cookies.starts_with(COOKIE) {
                    body = json!({
                        "session": { "token": name.split('.').next(), "expiresAt": expires, "ip": null },
                        "user": { "id": "1", "name": name },
                        "version": state.version,
                    });
                }
                for (name, value) in state.extra.as_object().unwrap() {
                    body[name] = value.clone();
                }
                let next = if name.starts_with("kept") { name.to_owned() } else { format!("{name}x") };
                let cookie = if cookies.starts_with(COOKIE) {
                    Some(format!("{COOKIE}={next}; Path=/; HttpOnly"))
                } else {
                    state.copies.then(|| "better-auth.session_data=copy; Path=/".to_owned())
                };
                (body.to_string(), cookie)
            }
        };
        let mut response = ([("content-type", "application/json")], body).into_response();
        if let Some(cookie) = cookie {
            response.headers_mut().append("set-cookie", cookie.parse().unwrap());
        }
        response
    }

    /// A proxy that answers from an hour's cache.
    pub(super) fn auth(&self) -> Builder<Auth> {
        Auth::builder()
            .upstream_base_url("http://auth")
            .upstream_session_strategy(SessionStrategy::Database)
            .upstream_retries(0)
            .upstream_fetch(self.router())
            .session_cache(HOUR)
            .session_answer_session(AnswerSession::Cached)
    }
}

/// Asks for the session as a page does, with these cookies.
pub(super) async fn poll(browser: &Browser, cookie: &str) -> Answer {
    browser.get_with("/api/auth/session", &[("cookie", cookie), OF_BROWSER]).await
}

/// The session cookie with this token.
pub(super) fn cookie(token: &str) -> String {
    format!("{COOKIE}={token}")
}

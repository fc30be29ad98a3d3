//! An upstream whose sessions the test creates and ends. It delays the response to a request with `x-hold`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy::testing::mint;
use auth_proxy_tests::{App, COOKIE_NAME, SECURE_COOKIE_NAME, watch};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::json;
use tokio::sync::Semaphore;

use super::app::Auth;

pub(crate) const SECRET: &str = "the secret of an upstream under attack";

/// A request as the upstream received it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) headers: HeaderMap,
}

/// Answers `session`, `callback/credentials` and `signout` as `@auth/core` does. Every other page contains its own URL.
/// A token is valid until the test ends it. With `jwt` a sign-out leaves the token valid, as in Auth.js.
pub(crate) struct Upstream {
    name: &'static str,
    /// Whether requests over https use the cookie name with the `__Secure-` prefix, as in Auth.js.
    by_scheme: bool,
    strategy: SessionStrategy,
    tokens: Mutex<HashMap<String, String>>,
    seen: Mutex<Vec<Seen>>,
    issued: AtomicUsize,
    /// A request with `x-hold` adds a permit to `held`. Its response then waits for a permit of `gate`.
    pub(crate) held: Semaphore,
    pub(crate) gate: Semaphore,
}

impl Upstream {
    pub(crate) fn new(name: &'static str, strategy: SessionStrategy) -> Arc<Self> {
        Self::with(name, false, strategy)
    }

    pub(crate) fn by_scheme(strategy: SessionStrategy) -> Arc<Self> {
        Self::with(COOKIE_NAME, true, strategy)
    }

    fn with(name: &'static str, by_scheme: bool, strategy: SessionStrategy) -> Arc<Self> {
        watch::start();
        watch::secret(SECRET);
        Arc::new(Self {
            name,
            by_scheme,
            strategy,
            tokens: Mutex::default(),
            seen: Mutex::default(),
            issued: AtomicUsize::new(0),
            held: Semaphore::new(0),
            gate: Semaphore::new(0),
        })
    }

    pub(crate) async fn start(self: &Arc<Self>) -> App {
        App::start(Router::new().fallback(answer).with_state(Arc::clone(self))).await
    }

    /// A new token of this account, sealed for the cookie of this upstream.
    pub(crate) fn issue(&self, account: &str) -> String {
        self.issue_as(account, self.name)
    }

    fn issue_as(&self, account: &str, name: &str) -> String {
        let number = self.issued.fetch_add(1, SeqCst);
        let token = match self.strategy {
            SessionStrategy::Jwt => seal(account, name),
            _ => format!("{number:08}-dada-4bad-8bad-{number:012}"),
        };
        self.tokens.lock().unwrap().insert(token.clone(), account.to_owned());
        token
    }

    /// Accepts a token that it did not issue.
    pub(crate) fn accept(&self, token: &str, account: &str) {
        self.tokens.lock().unwrap().insert(token.to_owned(), account.to_owned());
    }

    pub(crate) fn end(&self, token: &str) {
        self.tokens.lock().unwrap().remove(token);
    }

    /// The requests received since the last call.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    fn name(&self, headers: &HeaderMap) -> &'static str {
        let is_https = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
        if self.by_scheme && is_https { SECURE_COOKIE_NAME } else { self.name }
    }

    /// Reads the token as Auth.js does: it joins the values of all cookies whose name starts with the session cookie's,
    /// in the order of their numbers (`docs/authjs.md#chunk-read`). Of two cookies of one name the first counts
    /// (`docs/authjs.md#cookie-parse`).
    fn token(&self, headers: &HeaderMap) -> Option<String> {
        let own = self.name(headers);
        let mut found: Vec<(usize, String, String)> = Vec::new();
        for line in headers.get_all("cookie").iter().filter_map(|line| line.to_str().ok()) {
            for (name, value) in line.split(';').filter_map(|pair| pair.trim().split_once('=')) {
                if !name.starts_with(own) || found.iter().any(|(_, known, _)| known == name) {
                    continue;
                }
                let number = name.rsplit('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
                let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                found.push((number, name.to_owned(), value));
            }
        }
        found.sort_by_key(|(number, ..)| *number);
        (!found.is_empty()).then(|| found.into_iter().map(|(.., value)| value).collect())
    }

    fn set(&self, headers: &HeaderMap, token: &str) -> String {
        format!("{}={token}; Path=/; HttpOnly; SameSite=Lax", self.name(headers))
    }

    fn session(&self, headers: &HeaderMap) -> Response {
        let Some(token) = self.token(headers) else { return "null".into_response() };
        let account = self.tokens.lock().unwrap().get(&token).cloned();
        let Some(account) = account else {
            return ([("set-cookie", format!("{}=; Max-Age=0; Path=/", self.name(headers)))], "null")
                .into_response();
        };
        let renewed = match self.strategy {
            SessionStrategy::Jwt => self.issue_as(&account, self.name(headers)),
            _ => token,
        };
        let body =
            json!({ "user": { "name": account, "id": account }, "expires": "2099-01-01T00:00:00.000Z" });
        let headers =
            [("set-cookie", self.set(headers, &renewed)), ("content-type", "application/json".to_owned())];
        (headers, body.to_string()).into_response()
    }

    fn sign_in(&self, headers: &HeaderMap, account: &str) -> Response {
        let set = [
            ("set-cookie", self.set(headers, &self.issue_as(account, self.name(headers)))),
            ("location", "/".to_owned()),
        ];
        (StatusCode::FOUND, set).into_response()
    }

    fn sign_out(&self, headers: &HeaderMap) -> Response {
        if let (SessionStrategy::Database, Some(token)) = (self.strategy, self.token(headers)) {
            self.end(&token);
        }
        ([("set-cookie", format!("{}=; Max-Age=0; Path=/", self.name(headers)))], "{}").into_response()
    }
}

async fn answer(State(upstream): State<Arc<Upstream>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let headers = parts.headers.clone();
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    upstream.seen.lock().unwrap().push(Seen { headers: parts.headers });
    let account = String::from_utf8_lossy(&body);
    let account = account.split('&').find_map(|field| field.strip_prefix("username=")).unwrap_or_default();
    let response = match path.rsplit('/').next().unwrap_or_default() {
        "session" => upstream.session(&headers),
        "credentials" if method == Method::POST => upstream.sign_in(&headers, account),
        "signout" if method == Method::POST => upstream.sign_out(&headers),
        "csrf" => axum::Json(json!({ "csrfToken": "none" })).into_response(),
        _ => {
            let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
            let url = format!("http://{host}{path}/next");
            ([("location", url.clone())], Body::from(url)).into_response()
        }
    };
    if headers.contains_key("x-hold") {
        upstream.held.add_permits(1);
        upstream.gate.acquire().await.unwrap().forget();
    }
    response
}

/// A token of this account for the cookie of this name, as Auth.js seals it.
pub(crate) fn seal(account: &str, name: &str) -> String {
    mint(&json!({ "sub": account, "name": account, "exp": 4_070_908_800_u64 }), SECRET, name)
}

pub(crate) fn auth(upstream: &App, strategy: SessionStrategy) -> Builder<Auth> {
    Auth::builder().upstream_base_url(upstream.url("")).upstream_session_strategy(strategy)
}

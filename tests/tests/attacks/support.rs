//! An upstream whose sessions a test makes and ends, and which holds an answer back when it is told to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use auth_proxy::{Builder, Strategy, auth_proxy, testing::mint};
use auth_proxy_tests::{App, watch};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::json;
use tokio::sync::Semaphore;

auth_proxy! {
    pub(crate) struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

pub(crate) const COOKIE: &str = "authjs.session-token";
pub(crate) const SECURE: &str = "__Secure-authjs.session-token";
pub(crate) const SECRET: &str = "the secret of an upstream under attack";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

/// Answers `session`, `callback/credentials` and `signout` as `@auth/core` does, and tells its own URL on every page.
/// A token is good until the test ends it; with `jwt` a sign-out ends none, as in Auth.js.
pub(crate) struct Upstream {
    name: &'static str,
    strategy: Strategy,
    tokens: Mutex<HashMap<String, String>>,
    seen: Mutex<Vec<Seen>>,
    issued: AtomicUsize,
    /// An answer to a request with `x-hold` waits for a permit of the one after it has told by the other.
    pub(crate) held: Semaphore,
    pub(crate) gate: Semaphore,
}

impl Upstream {
    pub(crate) fn new(name: &'static str, strategy: Strategy) -> Arc<Self> {
        watch::start();
        watch::secret(SECRET);
        Arc::new(Self {
            name,
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
        let number = self.issued.fetch_add(1, SeqCst);
        let token = match self.strategy {
            Strategy::Jwt => seal(account, self.name),
            Strategy::Database => format!("{number:08}-dada-4bad-8bad-{number:012}"),
        };
        self.tokens.lock().unwrap().insert(token.clone(), account.to_owned());
        token
    }

    /// Takes a token for good that it did not issue.
    pub(crate) fn accept(&self, token: &str, account: &str) {
        self.tokens.lock().unwrap().insert(token.to_owned(), account.to_owned());
    }

    pub(crate) fn end(&self, token: &str) {
        self.tokens.lock().unwrap().remove(token);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// As Auth.js reads it: every cookie whose name starts with this one, joined (`core/lib/utils/cookie.ts:154-177`);
    /// the first of a name counts.
    fn token(&self, headers: &HeaderMap) -> Option<String> {
        let mut found: Vec<(usize, String)> = Vec::new();
        for line in headers.get_all("cookie").iter().filter_map(|line| line.to_str().ok()) {
            for (name, value) in line.split(';').filter_map(|pair| pair.trim().split_once('=')) {
                let Some(rest) = name.strip_prefix(self.name) else { continue };
                let number = rest.strip_prefix('.').and_then(|n| n.parse().ok()).unwrap_or(0);
                let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                if !found.iter().any(|(known, _)| *known == number) {
                    found.push((number, value));
                }
            }
        }
        found.sort_by_key(|(number, _)| *number);
        (!found.is_empty()).then(|| found.into_iter().map(|(_, value)| value).collect())
    }

    fn set(&self, token: &str) -> String {
        format!("{}={token}; Path=/; HttpOnly; SameSite=Lax", self.name)
    }

    fn session(&self, headers: &HeaderMap) -> Response {
        let Some(token) = self.token(headers) else { return "null".into_response() };
        let account = self.tokens.lock().unwrap().get(&token).cloned();
        let Some(account) = account else {
            return ([("set-cookie", format!("{}=; Max-Age=0; Path=/", self.name))], "null").into_response();
        };
        let renewed = match self.strategy {
            Strategy::Jwt => self.issue(&account),
            Strategy::Database => token,
        };
        let body = json!({ "user": { "name": account, "id": account }, "expires": "2099-01-01T00:00:00.000Z" });
        let headers = [("set-cookie", self.set(&renewed)), ("content-type", "application/json".to_owned())];
        (headers, body.to_string()).into_response()
    }

    fn sign_in(&self, account: &str) -> Response {
        let headers = [("set-cookie", self.set(&self.issue(account))), ("location", "/".to_owned())];
        (axum::http::StatusCode::FOUND, headers).into_response()
    }

    fn sign_out(&self, headers: &HeaderMap) -> Response {
        if let (Strategy::Database, Some(token)) = (self.strategy, self.token(headers)) {
            self.end(&token);
        }
        ([("set-cookie", format!("{}=; Max-Age=0; Path=/", self.name))], "{}").into_response()
    }
}

async fn answer(State(upstream): State<Arc<Upstream>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let headers = parts.headers.clone();
    upstream.seen.lock().unwrap().push(Seen { method: parts.method, uri: parts.uri, headers: parts.headers });
    let (method, path) = {
        let seen = upstream.seen.lock().unwrap();
        let last = seen.last().unwrap();
        (last.method.clone(), last.uri.path().to_owned())
    };
    let account = String::from_utf8_lossy(&body);
    let account = account.split('&').find_map(|field| field.strip_prefix("username=")).unwrap_or_default();
    let response = match path.rsplit('/').next().unwrap_or_default() {
        "session" => upstream.session(&headers),
        "credentials" if method == Method::POST => upstream.sign_in(account),
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

pub(crate) fn auth(upstream: &App, strategy: Strategy) -> Builder<Auth> {
    Auth::builder().base_url(upstream.url("")).session_strategy(strategy)
}

/// The status of an answer, and all of it in lower case.
pub(crate) fn read(answer: &str) -> (u16, String) {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.to_ascii_lowercase())
}

/// A GET, byte for byte.
pub(crate) async fn get(app: &App, target: &str, host: &str, headers: &str) -> (u16, String) {
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    read(&app.raw(&head).await)
}

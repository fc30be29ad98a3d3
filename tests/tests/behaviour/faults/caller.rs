//! Sends one request per kind of caller during an upstream fault, and classifies the outcome.

use std::time::{Duration, Instant};

use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy_tests::{App, clears_the_session, loopback_client, page_code};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::{Value, json};

use crate::support::{Auth, routes};

/// A kind of request: one that needs a session lookup, or one of a proxied route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// `Session<Auth>`.
    Required,
    /// `Option<Session<Auth>>`.
    Optional,
    /// `#[require_session]`, without a secret.
    Guard,
    /// `#[require_session]`, for a navigation of a browser.
    Page,
    /// `GET providers`, proxied.
    Providers,
    /// `GET session`, proxied.
    Session,
    /// `POST callback/credentials`, proxied.
    SignIn,
}

impl Caller {
    pub(super) const ALL: [Self; 7] = [
        Self::Required,
        Self::Optional,
        Self::Guard,
        Self::Page,
        Self::Providers,
        Self::Session,
        Self::SignIn,
    ];

    /// Whether the request needs a session lookup. Requests of proxied routes forward the upstream's response.
    pub(super) fn looks_up(self) -> bool {
        matches!(self, Self::Required | Self::Optional | Self::Guard | Self::Page)
    }
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// The handler ran for the signed-in visitor.
    Present,
    /// The handler ran for another visitor, or no handler gives such a response.
    Unexpected(String),
    /// Treated as signed out: 401, `None`, or a redirect to the sign-in page.
    SignedOut(String),
    /// An error of the library with this code. The session is unknown.
    Error(String),
    /// The complete response of the upstream, with the size of its body in bytes.
    Forwarded(usize),
    /// The response of the upstream, cut off after this many bytes of the body.
    CutOff(usize),
    /// No response.
    None(String),
}

/// The received part of a response.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) outcome: Outcome,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) took: Duration,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the response clears the session cookie or a chunk of it.
    pub(super) fn clears_the_session(&self) -> bool {
        let mut lines = self.headers.get_all(SET_COOKIE).iter();
        lines.any(|line| clears_the_session(&String::from_utf8_lossy(line.as_bytes())))
    }
}

/// A caller with its own app. Callers must not share a circuit breaker or a cache.
pub(super) struct Visitor {
    pub(super) caller: Caller,
    app: App,
    client: reqwest::Client,
    /// The CSRF cookies.
    cookies: String,
    token: String,
    csrf: String,
}

/// The timeout of the client. A request without a response by then counts as hanging.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

impl Visitor {
    /// Starts an app with this `upstream.timeout`, for a signed-in visitor.
    pub(super) async fn start(upstream: &FakeUpstream, caller: Caller, timeout: Duration) -> Self {
        let auth =
            Auth::builder().upstream_base_url(upstream.url()).upstream_timeout(timeout).build().unwrap();
        let app = App::start(routes(&auth)).await;
        Self::of(upstream, caller, app).await
    }

    /// Gives a visitor of this app a session token and a CSRF token.
    pub(super) async fn of(upstream: &FakeUpstream, caller: Caller, app: App) -> Self {
        let client = loopback_client();
        // Forms need a CSRF token, which is fetched while the upstream is healthy.
        let answer = client.get(app.url("/api/auth/csrf")).send().await.unwrap();
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        let own: Vec<_> =
            cookies.filter_map(|line| line.to_str().unwrap().split(';').next()).map(str::to_owned).collect();
        let csrf: Value = answer.json().await.unwrap();
        let csrf = csrf["csrfToken"].as_str().unwrap().to_owned();
        let token = session_token(upstream.secret());
        Self { caller, app, client, cookies: own.join("; "), token, csrf }
    }

    /// Sends the request with the visitor's token, and reads the response to its end.
    pub(super) async fn send_request(&self) -> Seen {
        self.send_with_token(&self.token).await
    }

    /// Sends the request with another session token.
    pub(super) async fn send_with_token(&self, token: &str) -> Seen {
        let began = Instant::now();
        let get = |path: &str| self.client.get(self.app.url(path));
        let request = match self.caller {
            Caller::Required => get("/session"),
            Caller::Optional => get("/session/optional"),
            Caller::Guard => get("/protected"),
            Caller::Page => {
                get("/protected").header("accept", "text/html").header("sec-fetch-mode", "navigate")
            }
            Caller::Providers => get("/api/auth/providers"),
            Caller::Session => get("/api/auth/session"),
            Caller::SignIn => {
                let form = [("csrfToken", self.csrf.as_str()), ("username", "demo"), ("password", "demo")];
                self.client.post(self.app.url("/api/auth/callback/credentials")).form(&form)
            }
        };
        let cookies = format!("{}; authjs.session-token={token}", self.cookies);
        let response = match request.header("cookie", cookies).timeout(CLIENT_TIMEOUT).send().await {
            Ok(response) => response,
            Err(error) => {
                let outcome = Outcome::None(format!("{error:?}"));
                return Seen { outcome, status: 0, headers: HeaderMap::new(), took: began.elapsed() };
            }
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (length, start, whole) = read(response).await;
        let mut seen = Seen { outcome: Outcome::None(String::new()), status, headers, took: began.elapsed() };
        seen.outcome = self.outcome(&seen, length, &start, whole);
        seen
    }

    fn outcome(&self, seen: &Seen, length: usize, start: &[u8], whole: bool) -> Outcome {
        let json = || serde_json::from_slice::<Value>(start).unwrap_or(Value::Null);
        if seen.header("content-type") == "application/problem+json" && seen.status >= 500 {
            return Outcome::Error(json()["code"].as_str().unwrap_or_default().to_owned());
        }
        if self.caller == Caller::Page
            && let Some(code) = page_code(&String::from_utf8_lossy(start))
        {
            return Outcome::Error(code);
        }
        if !self.caller.looks_up() {
            return if whole { Outcome::Forwarded(length) } else { Outcome::CutOff(length) };
        }
        let text = String::from_utf8_lossy(start).into_owned();
        match (seen.status, self.caller) {
            (401, _) => Outcome::SignedOut(text),
            (300..=399, _) => Outcome::SignedOut(seen.header(LOCATION.as_str()).to_owned()),
            (200, Caller::Optional) if text == "null" => Outcome::SignedOut(text),
            (200, Caller::Required | Caller::Optional) if json()["user"]["name"] == "Demo" => {
                Outcome::Present
            }
            (200, Caller::Guard | Caller::Page) if text == "ok" => Outcome::Present,
            (status, _) => Outcome::Unexpected(format!("{status} {text}")),
        }
    }
}

/// Reads the body. Returns its length, its first bytes, and whether it is complete.
async fn read(mut response: reqwest::Response) -> (usize, Vec<u8>, bool) {
    let (mut length, mut start) = (0, Vec::new());
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                length += chunk.len();
                if start.len() < 10_000 {
                    start.extend_from_slice(&chunk);
                }
            }
            Ok(None) => return (length, start, true),
            Err(_) => return (length, start, false),
        }
    }
}

/// A token of the user `Demo`, encrypted with this secret.
pub(super) fn session_token(secret: &str) -> String {
    mint(&json!({ "sub": "1", "name": "Demo", "email": "demo@example.com" }), secret, "authjs.session-token")
}

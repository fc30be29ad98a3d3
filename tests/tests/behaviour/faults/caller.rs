//! Sends one request per kind of caller during an upstream fault, and classifies the outcome.

use std::time::{Duration, Instant};

use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::{App, clears_the_session, loopback_client, page_code};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::{Value, json};

use super::family::Family;
use crate::support::routes;

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
    /// `GET providers`, or `GET ok` of Better Auth, proxied.
    Providers,
    /// `GET session` or `GET get-session`, proxied.
    Session,
    /// `POST callback/credentials` or `POST sign-in/email`, proxied.
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
    family: Family,
    app: App,
    client: reqwest::Client,
    /// The cookies of the session.
    session: String,
    /// The CSRF cookies of Auth.js, and the CSRF token of its forms.
    csrf: (String, String),
}

/// The timeout of the client. A request without a response by then counts as hanging.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

impl Visitor {
    /// Starts an app with this `upstream.timeout`, for a signed-in visitor.
    pub(super) async fn start(
        family: Family,
        upstream: &FakeUpstream,
        caller: Caller,
        timeout: Duration,
    ) -> Self {
        let auth = family.app(upstream).upstream_timeout(timeout).build().unwrap();
        let app = App::start(routes(&auth)).await;
        Self::of(family, upstream, caller, app).await
    }

    /// Gives a visitor of this app a session and a CSRF token.
    pub(super) async fn of(family: Family, upstream: &FakeUpstream, caller: Caller, app: App) -> Self {
        let (client, session) = (loopback_client(), family.cookie(upstream));
        if family.is_better_auth() {
            return Self { caller, family, app, client, session, csrf: Default::default() };
        }
        // Forms need a CSRF token, which is fetched while the upstream is healthy.
        let answer = client.get(app.url("/api/auth/csrf")).send().await.unwrap();
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        let own: Vec<_> =
            cookies.filter_map(|line| line.to_str().unwrap().split(';').next()).map(str::to_owned).collect();
        let csrf: Value = answer.json().await.unwrap();
        let csrf = csrf["csrfToken"].as_str().unwrap().to_owned();
        Self { caller, family, app, client, session, csrf: (own.join("; "), csrf) }
    }

    /// Sends the request with the visitor's session, and reads the response to its end.
    pub(super) async fn send_request(&self) -> Seen {
        self.send_with_session(&self.session).await
    }

    /// Sends the request with the cookies of another session.
    pub(super) async fn send_with_session(&self, session: &str) -> Seen {
        let began = Instant::now();
        let get = |path: &str| self.client.get(self.app.url(path));
        let request = match self.caller {
            Caller::Required => get("/session"),
            Caller::Optional => get("/session/optional"),
            Caller::Guard => get("/protected"),
            Caller::Page => {
                get("/protected").header("accept", "text/html").header("sec-fetch-mode", "navigate")
            }
            Caller::Providers if self.family.is_better_auth() => get("/api/auth/ok"),
            Caller::Providers => get("/api/auth/providers"),
            Caller::Session if self.family.is_better_auth() => get("/api/auth/get-session"),
            Caller::Session => get("/api/auth/session"),
            Caller::SignIn if self.family.is_better_auth() => {
                let body = json!({ "email": "demo@example.com", "password": "demo" });
                let request = self.client.post(self.app.url("/api/auth/sign-in/email")).json(&body);
                request.header("origin", self.app.url(""))
            }
            Caller::SignIn => {
                let form = [("csrfToken", self.csrf.1.as_str()), ("username", "demo"), ("password", "demo")];
                self.client.post(self.app.url("/api/auth/callback/credentials")).form(&form)
            }
        };
        let cookies = [self.csrf.0.as_str(), session].join("; ");
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

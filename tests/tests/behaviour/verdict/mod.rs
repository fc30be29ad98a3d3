//! The verdict endpoint, which a reverse proxy asks about each request.

mod answers;
mod audit;
mod cookies;
mod cross_origin;
mod envoy;
mod guide;
mod identity;
mod original;
mod paths;
mod signed;
mod traefik;
mod trust;

use std::net::SocketAddr;

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy::verdict::PathRules;
use auth_proxy_tests::watch;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::Auth;

const PROXY: &str = "10.0.0.1:4000";
const COOKIE: &str = "authjs.session-token";

/// An upstream that knows the token `ada` of this user, and sets cookies in its lookups. It also knows `bob`, fails for `down`,
/// and refuses every other token.
fn upstream(user: Value, cookies: &'static [&'static str]) -> Router {
    Router::new().fallback(move |headers: HeaderMap| async move {
        let cookie = headers.get("cookie").map(|value| value.to_str().unwrap()).unwrap_or_default();
        let token = cookie.split("; ").find_map(|pair| pair.strip_prefix("authjs.session-token="));
        match token {
            Some("ada") => {
                let mut response = axum::Json(json!({ "user": user })).into_response();
                for cookie in cookies {
                    response.headers_mut().append("set-cookie", HeaderValue::from_static(cookie));
                }
                response
            }
            Some("bob") => axum::Json(json!({ "user": { "id": "8", "role": "user" } })).into_response(),
            Some("down") => StatusCode::BAD_GATEWAY.into_response(),
            _ => ([("set-cookie", format!("{COOKIE}=; Max-Age=0"))], "null").into_response(),
        }
    })
}

fn ada() -> Value {
    json!({ "id": "7", "name": "Ada", "email": "ada@example.com", "role": "admin" })
}

/// Visitors who are signed out may pass everywhere.
fn guests() -> PathRules<Auth> {
    PathRules::new().guests("/**").unwrap()
}

fn builder() -> Builder<Auth> {
    builder_of(upstream(ada(), &[]))
}

fn builder_of(upstream: Router) -> Builder<Auth> {
    watch::start();
    Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_session_strategy(SessionStrategy::Database)
        .upstream_fetch(upstream)
        .trusted_proxies(["10.0.0.0/8"])
}

fn app() -> Router {
    builder().build().unwrap().verdict().router()
}

/// A question of a proxy.
struct Question {
    peer: Option<&'static str>,
    method: &'static str,
    uri: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Question {
    /// As nginx asks.
    fn nginx(target: &str) -> Self {
        Self::nginx_about("GET", target)
    }

    fn nginx_about(method: &str, target: &str) -> Self {
        Self::bare().with("x-original-uri", target).with("x-original-method", method)
    }

    /// As Traefik asks, and Caddy.
    fn traefik(target: &str) -> Self {
        Self::bare()
            .with("x-forwarded-uri", target)
            .with("x-forwarded-method", "GET")
            .with("x-forwarded-host", "app.example.com")
            .with("x-forwarded-proto", "https")
    }

    /// As Envoy asks: it adds the path to a prefix.
    fn envoy(method: &'static str, target: &str) -> Self {
        Self { method, uri: format!("/_auth/verdict/envoy{target}"), ..Self::bare() }
    }

    fn bare() -> Self {
        Self { peer: Some(PROXY), method: "GET", uri: "/_auth/verdict".to_owned(), headers: Vec::new() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        self
    }

    /// With the session cookie of the visitor who has this token.
    fn cookie(self, token: &str) -> Self {
        self.with("cookie", &format!("{COOKIE}={token}"))
    }

    /// Of a browser that loads a page.
    fn page(self) -> Self {
        self.with("accept", "text/html").with("sec-fetch-mode", "navigate")
    }

    fn from(mut self, peer: Option<&'static str>) -> Self {
        self.peer = peer;
        self
    }

    async fn ask(self, app: &Router) -> Verdict {
        let mut request = Request::builder().method(self.method).uri(self.uri).body(Body::empty()).unwrap();
        request.headers_mut().insert("host", HeaderValue::from_static("app.example.com"));
        for (name, value) in self.headers {
            request.headers_mut().append(name, value);
        }
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        Verdict::of(app.clone().oneshot(request).await.unwrap()).await
    }
}

#[derive(Debug)]
struct Verdict {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Verdict {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no problem: {self:?}"));
        body["code"].as_str().unwrap().to_owned()
    }

    fn outcome(&self) -> (u16, String) {
        (self.status, self.code())
    }

    /// The identity headers.
    fn identity(&self) -> Vec<(&str, &str)> {
        let names = ["x-auth-subject", "x-auth-name", "x-auth-email", "x-auth-roles"];
        names.into_iter().filter_map(|name| Some((name, self.header(name)?))).collect()
    }
}

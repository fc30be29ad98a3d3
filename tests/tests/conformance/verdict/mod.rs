//! The example `verdict` behind real reverse proxies, with a real Auth.js server and a service in JavaScript.

mod caddy;
mod nginx;
mod rules;
mod token;

use std::path::Path;
use std::process::Command;

use auth_proxy::options::SessionStrategy;
use auth_proxy_tests::process::{Process, example};
use auth_proxy_tests::{Answer, App, free_port};
use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::Server;

/// What stands behind the proxy.
struct Behind {
    login: Option<Server>,
    auth: Option<Process>,
    auth_port: u16,
    /// Where the proxy listens.
    port: u16,
    _service: Process,
    service_port: u16,
}

impl Behind {
    fn start(login: Server, port: u16) -> Self {
        let mut auth = example("verdict");
        auth.env("AUTH_UPSTREAM_URL", &login.url).env("AUTH_PUBLIC_URL", format!("http://127.0.0.1:{port}"));
        let auth = Process::start(&mut auth);
        let auth_port = auth.first_line.rsplit(':').next().unwrap().parse().unwrap();
        let service_port = free_port();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/verdict");
        let mut command = Command::new("node");
        command.arg("service.mjs").current_dir(folder).env("PORT", service_port.to_string());
        let service = Process::start(&mut command);
        Self { login: Some(login), auth: Some(auth), auth_port, port, _service: service, service_port }
    }

    /// With sign-in by name and password, and a session cookie that is padded by this number of bytes.
    fn with_passwords(padding: usize) -> Self {
        Self::start(Server::start(SessionStrategy::Jwt, "/api/auth", padding), free_port())
    }

    /// The origin of the proxy.
    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A configuration of the example, for other ports.
    fn configured(&self, configuration: &str) -> String {
        let mut configuration = configuration.to_owned();
        for (known, port) in [(8000, self.port), (3000, self.auth_port), (8080, self.service_port)] {
            let known = format!("127.0.0.1:{known}");
            assert!(configuration.contains(&known), "{known}");
            configuration = configuration.replace(&known, &format!("127.0.0.1:{port}"));
        }
        configuration
    }
}

/// Sends exactly this request, and returns the response.
async fn raw(origin: &str, request: &str) -> String {
    let mut socket = TcpStream::connect(origin.strip_prefix("http://").unwrap()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request of a signed-in visitor for the headers that the service got, with these lines. It asks for another protocol.
fn upgrading(origin: &str, cookie: &str, lines: &str) -> String {
    let host = &origin["http://".len()..];
    format!(
        "GET /headers HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: upgrade, close\r\n{lines}\r\n\r\n"
    )
}

/// The values of `Upgrade` in a response of the service.
fn upgrades_at_the_service(answer: &str) -> Vec<String> {
    let body =
        answer.lines().find(|line| line.starts_with('[')).unwrap_or_else(|| panic!("no headers: {answer}"));
    let upgrades = headers_at_the_service(body).into_iter().filter(|(name, _)| name == "upgrade");
    upgrades.map(|(_, value)| value).collect()
}

/// The headers that the service got: names as they were sent, and values.
fn headers_at_the_service(body: &str) -> Vec<(String, String)> {
    let headers: Vec<String> = serde_json::from_str(body).unwrap_or_else(|_| panic!("no headers: {body}"));
    headers.chunks(2).map(|pair| (pair[0].to_lowercase(), pair[1].clone())).collect()
}

/// The names among them that some services read as other names, such as `SCRIPT_NAME` and `X.Auth.Subject`.
fn odd_names(headers: &[(String, String)]) -> Vec<&str> {
    let is_odd = |name: &&str| name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    headers.iter().map(|(name, _)| name.as_str()).filter(is_odd).collect()
}

/// The identity headers among them, also under names that some services read alike.
fn identity(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    let is_identity =
        |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "-").starts_with("x-auth-");
    let mut found: Vec<_> = headers
        .iter()
        .filter(|(name, _)| is_identity(name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    found.sort_unstable();
    found
}

const DEMO: [(&str, &str); 3] =
    [("x-auth-email", "demo@example.com"), ("x-auth-name", "Demo"), ("x-auth-subject", "1")];

/// An origin as it stands in a query.
fn encoded(origin: &str) -> String {
    origin.replace(':', "%3A").replace('/', "%2F")
}

/// A service that lets shared caches keep its answers.
async fn cacheable_service() -> App {
    let headers = [
        ("cache-control", "public, max-age=600"),
        ("cdn-cache-control", "max-age=600"),
        ("cloudflare-cdn-cache-control", "max-age=600"),
        ("surrogate-control", "max-age=600"),
        ("edge-control", "cache-maxage=600"),
        ("x-kept", "1"),
    ];
    App::start(Router::new().fallback(move || std::future::ready((headers, "for all")))).await
}

/// Whether an answer has the renewed cookie of a visitor, and no shared cache may keep it.
fn is_private_with_cookie(answer: &Answer) -> bool {
    let is_targeted = |name: &str| {
        name.ends_with("-cache-control") || ["surrogate-control", "edge-control"].contains(&name)
    };
    let mut lines = answer.headers.get_all("cache-control").iter();
    lines.any(|line| line == "private")
        && !answer.cookies().is_empty()
        && !answer.headers.keys().any(|name| is_targeted(name.as_str()))
}

/// The cookies of a response, as the browser sends them back.
fn sent_back(answer: &Answer) -> String {
    let pairs: Vec<_> = answer.cookies().iter().map(|cookie| cookie.split(';').next().unwrap()).collect();
    pairs.join("; ")
}

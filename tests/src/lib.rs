//! Helpers of the test suites: an app on a real socket, a client with a cookie jar, raw requests, captured logs, and a
//! shared session store. They all start the log watch, which aborts the process on logged secrets and library panics.

pub mod chromium;
mod cookies;
pub mod doctor;
mod events;
mod log_capture;
pub mod process;
#[cfg(unix)]
pub mod redis;
pub mod scanner;
mod secrets;
mod settle;
mod sign_in_forms;
mod span_capture;
mod store;
pub mod transcript;
#[cfg(unix)]
pub mod unix_socket;
pub mod watch;

pub use self::cookies::{BETTER_AUTH_COOKIE_NAME, COOKIE_NAME, SECURE_COOKIE_NAME, clears_the_session};
pub use self::events::Events;
pub use self::log_capture::LogCapture;
pub use self::settle::{alive_tasks, settles};
pub use self::sign_in_forms::{between, follow_to_the_end};
pub use self::span_capture::{Captured, SpanCapture};
pub use self::store::{Ending, SharedStore};

/// Compiles the Rust blocks of the Next.js guide.
#[cfg(doctest)]
#[doc = include_str!("../../examples/nextjs/README.md")]
mod guide_for_next_js {}

use std::collections::{BTreeSet, hash_map::RandomState};
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::redirect::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// An app on its own port. It stops on drop.
#[derive(Debug)]
pub struct App {
    /// The address that the app listens on.
    pub addr: SocketAddr,
    server: JoinHandle<()>,
}

impl App {
    /// Serves a router.
    pub async fn start(router: Router) -> Self {
        Self::start_at(0, router).await
    }

    /// Serves a router on a fixed port, for a configuration that already contains the port.
    pub async fn start_at(port: u16, router: Router) -> Self {
        watch::start();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { addr, server }
    }

    /// The URL of this path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Sends exactly these bytes. Returns all received bytes once the connection closes.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let request = request.as_ref();
        secrets::register_request(&String::from_utf8_lossy(request));
        let mut socket = TcpStream::connect(self.addr).await.unwrap();
        // The app may close the connection before all bytes are written.
        socket.write_all(request).await.ok();
        let mut answer = Vec::new();
        let read = socket.read_to_end(&mut answer);
        tokio::time::timeout(std::time::Duration::from_secs(20), read)
            .await
            .expect("a response within 20 s")
            .ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a raw GET. Returns the status and the whole response.
    pub async fn raw_get(&self, target: &str, headers: &str) -> (u16, String) {
        let answer = self
            .raw(&format!(
                "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
                self.addr
            ))
            .await;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer)
    }
}

/// A client without a cookie jar that resolves every host name to this machine.
#[must_use]
pub fn loopback_client() -> reqwest::Client {
    loopback().build().unwrap()
}

fn loopback() -> reqwest::ClientBuilder {
    watch::start();
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().dns_resolver(Arc::new(Loopback))
}

/// Resolves every host name to 127.0.0.1.
struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))));
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

/// A port that is free, and that is given once only. Linux gives ports from 32768 on to connections and to listeners
/// that name none, so no other program gets this port by chance before the test uses it.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let random = RandomState::new().build_hasher().finish();
        let port = u16::try_from(10_000 + random % 20_000).unwrap();
        if GIVEN.lock().unwrap().insert(port) && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A client with a cookie jar that follows no redirects.
#[derive(Clone, Debug)]
pub struct Browser {
    client: reqwest::Client,
    origin: String,
    base: String,
}

impl Browser {
    /// A client of this app. The sign-in routes are below `/api/auth`.
    #[must_use]
    pub fn of(app: &App) -> Self {
        Self::at(&app.url(""))
    }

    /// A client of the app at this origin.
    #[must_use]
    pub fn at(origin: &str) -> Self {
        let client = loopback().cookie_store(true);
        Self { client: client.build().unwrap(), origin: origin.to_owned(), base: "/api/auth".to_owned() }
    }

    /// Sets another base path of the sign-in routes.
    #[must_use]
    pub fn with_base(mut self, base: &str) -> Self {
        base.clone_into(&mut self.base);
        self
    }

    /// Sends a GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    /// Sends a GET with headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        secrets::register_target(path);
        let mut request = self.client.get(self.url(path));
        for (name, value) in headers {
            secrets::register_header(name, value);
            request = request.header(*name, *value);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Posts a form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_with(path, form, &[]).await
    }

    /// Posts a form with headers.
    pub async fn post_with(&self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        secrets::register_target(path);
        form.iter().for_each(|(name, value)| secrets::register_field(name, value));
        let mut request = self.client.post(self.url(path)).form(form);
        for (name, value) in headers {
            secrets::register_header(name, value);
            request = request.header(*name, *value);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Posts JSON.
    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.post_json_with(path, body, &[]).await
    }

    /// Posts JSON with headers.
    pub async fn post_json_with(
        &self,
        path: &str,
        body: &serde_json::Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.client.post(self.url(path)).json(body);
        for (name, value) in headers {
            secrets::register_header(name, value);
            request = request.header(*name, *value);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// The origin of the app.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The URL of a path of this app. An absolute URL is returned unchanged.
    fn url(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.origin) } else { path.to_owned() }
    }

    /// Posts to a sign-in route with the CSRF token, like the client of Auth.js.
    pub async fn post_auth(&self, action: &str, form: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf().await;
        let form: Vec<_> = form.iter().copied().chain([("csrfToken", csrf.as_str())]).collect();
        self.post(&format!("{}/{action}", self.base), &form).await
    }

    /// Signs in with the credentials provider, like the form of Auth.js's sign-in page.
    pub async fn sign_in(&self, username: &str, password: &str) -> Answer {
        let csrf = self.csrf().await;
        let form = [
            ("csrfToken", csrf.as_str()),
            ("username", username),
            ("password", password),
            ("callbackUrl", "/"),
        ];
        self.post(&format!("{}/callback/credentials", self.base), &form).await
    }

    /// Signs out.
    pub async fn sign_out(&self) -> Answer {
        self.post_auth("signout", &[]).await
    }

    /// Fetches the CSRF token, which every form to the sign-in routes must contain.
    pub async fn csrf(&self) -> String {
        let answer = self.get(&format!("{}/csrf", self.base)).await;
        let token = answer.json()["csrfToken"].as_str().expect("a csrfToken").to_owned();
        secrets::register_field("csrfToken", &token);
        token
    }
}

/// The code that an error page shows.
#[must_use]
pub fn page_code(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("<code>")?;
    rest.split_once("</code>").map(|(code, _)| code.to_owned())
}

/// A response with its complete body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Reads a response.
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        secrets::register_response(&headers);
        Self { status, headers, body: response.text().await.unwrap() }
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The code of a problem body.
    #[must_use]
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        self.json()["code"].as_str().expect("a code").to_owned()
    }

    /// The value of a header, or an empty text if the header is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let name: HeaderName = name.parse().unwrap();
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// All `Set-Cookie` headers, in order.
    #[must_use]
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect()
    }
}

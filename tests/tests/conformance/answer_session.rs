//! `session.answer_session: cached` before real Auth.js and next-auth v4 servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use auth_proxy::errors::BoxError;
use auth_proxy::fetch::{Fetch, Reqwest};
use auth_proxy::options::{AnswerSession, SessionStrategy, UpstreamKind};
use auth_proxy_tests::{Answer, App, Browser, loopback_client};
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};

use crate::deployments::{Auth, pages};
use crate::server::Server;

const HOUR: Duration = Duration::from_secs(3600);

/// Counts the requests for the session.
#[derive(Clone)]
struct Counting {
    client: Reqwest,
    sessions: Arc<AtomicUsize>,
}

impl Fetch for Counting {
    async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        if request.uri().path().ends_with("/session") {
            self.sessions.fetch_add(1, SeqCst);
        }
        self.client.fetch(request).await
    }
}

/// An app that answers from its cache, and a server behind it. `/asked` shows how often the server was asked for the session.
pub(crate) struct Answering {
    _server: Server,
    pub(crate) app: App,
    sessions: Arc<AtomicUsize>,
}

fn server(kind: UpstreamKind, strategy: SessionStrategy) -> Server {
    let vars = [("ISSUER", "http://127.0.0.1:9")];
    match kind {
        UpstreamKind::NextAuthV4 => Server::v4(&vars),
        _ => Server::with(strategy, "/api/auth", &vars),
    }
}

pub(crate) async fn answering(kind: UpstreamKind, strategy: SessionStrategy) -> Answering {
    let server = server(kind, strategy);
    let sessions = Arc::new(AtomicUsize::new(0));
    let client = Counting { client: Reqwest::new(loopback_client()), sessions: Arc::clone(&sessions) };
    let auth = Auth::builder()
        .upstream_base_url(&server.url)
        .upstream_kind(kind)
        .upstream_session_strategy(strategy)
        .upstream_fetch(client)
        .session_cache(HOUR)
        .session_answer_session(AnswerSession::Cached)
        .build()
        .unwrap();
    let asked = Arc::clone(&sessions);
    let asked = get(move || std::future::ready(asked.load(SeqCst).to_string()));
    let app = App::start(pages(&auth).route("/asked", asked)).await;
    Answering { _server: server, app, sessions }
}

/// The JSON without the time of expiry, which is 30 days away.
fn without_expires(answer: &Answer) -> serde_json::Value {
    let mut body = answer.json();
    let expires = body["expires"].take();
    let expires = humantime::parse_rfc3339(expires.as_str().unwrap()).unwrap();
    let days = expires.duration_since(SystemTime::now()).unwrap().as_secs() / 3600;
    assert!((719..=720).contains(&days), "{days} hours");
    body
}

#[tokio::test]
async fn cached_answer_is_that_of_the_real_server() {
    for (kind, strategy) in [
        (UpstreamKind::Authjs, SessionStrategy::Jwt),
        (UpstreamKind::Authjs, SessionStrategy::Database),
        (UpstreamKind::NextAuthV4, SessionStrategy::Jwt),
    ] {
        let stage = answering(kind, strategy).await;
        let browser = Browser::of(&stage.app);
        let asked = || stage.sessions.swap(0, SeqCst);
        assert_eq!(browser.get("/api/auth/session").await.status, 200);
        assert_eq!(asked(), 1, "a visitor who is signed out");
        browser.sign_in("demo", "demo").await;
        let first = browser.get("/api/auth/session").await;
        assert_eq!(asked(), 1);
        assert!(first.cookies().iter().any(|cookie| cookie.contains("session-token=")), "{first:?}");
        for _ in 0..100 {
            let cached = browser.get("/api/auth/session").await;
            assert_eq!((&cached.body, cached.cookies().len()), (&first.body, 0));
        }
        assert_eq!(asked(), 0, "100 polls of {kind} {strategy}");
        let cached = browser.get("/api/auth/session").await;
        let real = browser.get("/api/auth/session?of-the-server").await;
        assert_eq!(asked(), 1);
        assert_eq!(without_expires(&cached), without_expires(&real), "{kind} {strategy}");
        for name in ["cache-control", "pragma", "expires", "vary"] {
            assert_eq!(cached.header(name), real.header(name), "{name} of {kind} {strategy}");
        }
        // next-auth v4 adds a charset, which JSON does not have (RFC 8259, section 11).
        assert_eq!(cached.header("content-type"), "application/json");
        assert!(real.header("content-type").starts_with("application/json"));
        // The same fields, so the same length: only the order may differ.
        assert_eq!(cached.body.len(), real.body.len(), "{} {}", cached.body, real.body);
        browser.sign_out().await;
        let out = browser.get("/api/auth/session").await.body;
        assert!(["null", "{}"].contains(&&*out), "{out}");
    }
}

/// An update of the session is in the next answer.
#[tokio::test]
async fn updated_session_of_the_real_server_is_answered_next() {
    let stage = answering(UpstreamKind::Authjs, SessionStrategy::Jwt).await;
    let browser = Browser::of(&stage.app);
    browser.sign_in("demo", "demo").await;
    let before = browser.get("/api/auth/session").await.json();
    let csrf = browser.csrf().await;
    let update = serde_json::json!({ "csrfToken": csrf, "data": { "name": "Another Name" } });
    let updated = browser.post_json("/api/auth/session", &update).await.json();
    stage.sessions.store(0, SeqCst);
    let after = browser.get("/api/auth/session").await.json();
    assert_eq!(after["user"], updated["user"], "{before} {updated}");
    assert_eq!(stage.sessions.load(SeqCst), 1);
}

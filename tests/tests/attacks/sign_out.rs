//! Attack 4: a response that was in progress during a sign-out undoes it.

use std::sync::Arc;

use auth_proxy::{
    Session,
    options::{Builder, SessionStrategy},
    require_session,
};
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::me;
use crate::support::{Auth, COOKIE, Upstream, auth, first, read};

const TIMES: usize = 3;

#[require_session]
async fn guarded(axum::Extension(upstream): axum::Extension<Arc<Upstream>>) -> &'static str {
    hold(&upstream).await
}

/// Reports that the request arrived, then waits for the gate.
async fn hold(upstream: &Upstream) -> &'static str {
    upstream.held.add_permits(1);
    upstream.gate.acquire().await.unwrap().forget();
    "late"
}

async fn app(builder: Builder<Auth>, upstream: &Arc<Upstream>) -> App {
    let auth = builder.build().unwrap();
    let slow = {
        let upstream = Arc::clone(upstream);
        async move |_: Session<Auth>| hold(&upstream).await
    };
    let optional = {
        let upstream = Arc::clone(upstream);
        async move |_: Option<Session<Auth>>| hold(&upstream).await
    };
    let upload = {
        let upstream = Arc::clone(upstream);
        async move |_: Session<Auth>, body: Body| {
            upstream.held.add_permits(1);
            to_bytes(body, 1 << 20).await.unwrap().len().to_string()
        }
    };
    let router = Router::new()
        .route("/me", get(me))
        .route("/slow", get(slow))
        .route("/optional", get(optional))
        .route("/guarded", get(guarded))
        .route("/upload", post(upload))
        .layer(axum::Extension(Arc::clone(upstream)));
    App::start(auth.attach(router).with_state(auth.clone())).await
}

/// Requests in progress: a description, the head, and the body that is sent later.
const LATE: [(&str, &str, &str); 6] = [
    ("a slow handler", "GET /slow HTTP/1.1\r\n", ""),
    ("a slow handler with an optional session", "GET /optional HTTP/1.1\r\n", ""),
    ("a slow handler behind a guard", "GET /guarded HTTP/1.1\r\n", ""),
    ("a slow upload", "POST /upload HTTP/1.1\r\nContent-Length: 4\r\n", "body"),
    ("GET session", "GET /api/auth/session HTTP/1.1\r\nX-Hold: 1\r\n", ""),
    ("POST session", "POST /api/auth/session HTTP/1.1\r\nContent-Length: 0\r\nX-Hold: 1\r\n", ""),
];

struct Late {
    socket: TcpStream,
    rest: &'static str,
}

impl Late {
    /// Sends the head, and waits until the app or the upstream holds the request.
    async fn begin(
        app: &App,
        upstream: &Upstream,
        (_, head, rest): (&str, &str, &'static str),
        token: &str,
    ) -> Self {
        let mut socket = TcpStream::connect(app.addr).await.unwrap();
        let head = format!("{head}Host: localhost\r\nConnection: close\r\nCookie: {COOKIE}={token}\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let held = tokio::time::timeout(std::time::Duration::from_secs(8), upstream.held.acquire()).await;
        held.expect("the request is held within 8 s").unwrap().forget();
        Self { socket, rest }
    }

    /// Lets the request finish. Returns the lines that set or clear the session cookie.
    async fn end(mut self, upstream: &Upstream) -> Vec<String> {
        if self.rest.is_empty() {
            upstream.gate.add_permits(1);
        }
        self.socket.write_all(self.rest.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        self.socket.read_to_end(&mut answer).await.unwrap();
        let (status, answer) = read(&String::from_utf8_lossy(&answer));
        assert_eq!(status, 200, "{answer}");
        session_cookies(&answer)
    }
}

fn session_cookies(answer: &str) -> Vec<String> {
    let prefix = format!("set-cookie: {COOKIE}");
    let lines = answer.lines().filter(|line| line.starts_with(&prefix));
    lines.map(|line| line.chars().take(70).collect()).collect()
}

/// The token that the browser holds after this request: the renewed one, or else the one that it sent.
async fn next_token(app: &App, head: &str, token: &str) -> String {
    let request = format!("{head}Host: localhost\r\nConnection: close\r\nCookie: {COOKIE}={token}\r\n\r\n");
    let answer = app.raw(&request).await;
    let set = answer.split(&format!("{COOKIE}=")).nth(1).and_then(|rest| rest.split(';').next());
    set.unwrap_or(token).to_owned()
}

/// How another tab signs out or in, with the cookie that the browser holds at that moment.
#[derive(Clone, Copy, Debug)]
enum Other {
    Out,
    InAsBob,
    /// After a lookup renewed the token.
    OutRenewed,
    /// After a forwarded `GET session` renewed it, twice.
    OutRenewedTwice,
}

const OTHERS: [Other; 4] = [Other::Out, Other::InAsBob, Other::OutRenewed, Other::OutRenewedTwice];

impl Other {
    async fn act(self, app: &App, token: &str) {
        const RENEW: &str = "GET /api/auth/session HTTP/1.1\r\n";
        let token = match self {
            Self::Out | Self::InAsBob => token.to_owned(),
            Self::OutRenewed => next_token(app, "GET /me HTTP/1.1\r\n", token).await,
            Self::OutRenewedTwice => next_token(app, RENEW, &next_token(app, RENEW, token).await).await,
        };
        let (path, form) = match self {
            Self::InAsBob => ("callback/credentials", "username=bob"),
            _ => ("signout", "a=b"),
        };
        let head = format!("POST /api/auth/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let length = form.len();
        let request = format!("{head}Cookie: {COOKIE}={token}\r\nContent-Length: {length}\r\n\r\n{form}");
        let (status, answer) = read(&app.raw(&request).await);
        let said = session_cookies(&answer);
        assert!(status < 400 && said.len() == 1, "{answer}");
        assert_eq!(said[0].contains("max-age=0"), !matches!(self, Self::InAsBob), "{answer}");
    }
}

const SETTINGS: [(SessionStrategy, u64); 4] = [
    (SessionStrategy::Jwt, 0),
    (SessionStrategy::Jwt, 60),
    (SessionStrategy::Database, 0),
    (SessionStrategy::Database, 60),
];

async fn setting((strategy, cache): (SessionStrategy, u64)) -> (Arc<Upstream>, App, App) {
    let upstream = Upstream::new(COOKIE, strategy);
    let server = upstream.start().await;
    let builder = auth(&server, strategy).session_cache(std::time::Duration::from_secs(cache));
    let app = app(builder, &upstream).await;
    (upstream, server, app)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_response_does_not_undo_a_sign_out() {
    let (mut tried, mut undone) = (0, Vec::new());
    for how in SETTINGS {
        for late in LATE {
            for other in OTHERS {
                let (upstream, _server, app) = setting(how).await;
                for _ in 0..TIMES {
                    let token = upstream.issue("ada");
                    let held = Late::begin(&app, &upstream, late, &token).await;
                    // A POST to `session` is the latest change of that session, so it may set the cookie even after a
                    // sign-out with an older token. Only a sign-out with the same token counts.
                    if late.0 == "POST session" && matches!(other, Other::OutRenewed | Other::OutRenewedTwice)
                    {
                        Other::Out.act(&app, &token).await;
                    } else {
                        other.act(&app, &token).await;
                    }
                    let said = held.end(&upstream).await;
                    tried += 1;
                    if !said.is_empty() {
                        undone.push(format!("{how:?}, {}, {other:?}: {said:?}", late.0));
                    }
                }
            }
        }
    }
    println!("sign-out: {} of {tried} late responses set or cleared the session cookie", undone.len());
    assert!(undone.is_empty(), "{} of {tried}:\n{}", undone.len(), first(&undone));
}

/// The old session is rejected, but the browser has meanwhile signed in as another user and must keep that cookie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_response_does_not_undo_a_sign_in() {
    let (mut tried, mut undone) = (0, Vec::new());
    for how in SETTINGS {
        for late in [LATE[1], LATE[4]] {
            let (upstream, _server, app) = setting(how).await;
            for _ in 0..TIMES {
                let token = upstream.issue("ada");
                upstream.end(&token);
                let held = Late::begin(&app, &upstream, late, &token).await;
                Other::InAsBob.act(&app, &token).await;
                let said = held.end(&upstream).await;
                tried += 1;
                if !said.is_empty() {
                    undone.push(format!("{how:?}, {}: {said:?}", late.0));
                }
            }
        }
    }
    println!(
        "sign-out: {} of {tried} late responses cleared or replaced the cookie of a new sign-in",
        undone.len()
    );
    assert!(undone.is_empty(), "{} of {tried}:\n{}", undone.len(), first(&undone));
}

/// The browser sends the request before the sign-out, but the app receives it afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_overtaken_by_a_sign_out_does_not_undo_it() {
    let (mut tried, mut undone) = (0, Vec::new());
    for how in SETTINGS {
        for late in LATE {
            for other in OTHERS {
                let (upstream, _server, app) = setting(how).await;
                for _ in 0..TIMES {
                    let token = upstream.issue("ada");
                    other.act(&app, &token).await;
                    // The gate is open, so the handler does not wait.
                    upstream.gate.add_permits(1);
                    let (_, head, body) = late;
                    let request = format!(
                        "{head}Host: localhost\r\nConnection: close\r\nCookie: {COOKIE}={token}\r\n\r\n{body}"
                    );
                    let said = session_cookies(&read(&app.raw(&request).await).1);
                    upstream.gate.forget_permits(1);
                    upstream.held.forget_permits(1);
                    tried += 1;
                    // A second clearing cookie does no harm after a sign-out.
                    let clears = said.iter().all(|said| said.contains("=; max-age=0"));
                    if !said.is_empty() && (!clears || matches!(other, Other::InAsBob)) {
                        undone.push(format!("{how:?}, {}, {other:?}: {said:?}", late.0));
                    }
                }
            }
        }
    }
    println!(
        "sign-out: {} of {tried} requests that a sign-out overtook set or cleared the session cookie",
        undone.len()
    );
    assert!(undone.is_empty(), "{} of {tried}:\n{}", undone.len(), first(&undone));
}

/// Two tabs of one browser share one cookie jar.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_out_in_one_tab_is_not_undone_by_another() {
    let (mut tried, mut back) = (0, 0);
    for how in SETTINGS {
        let (upstream, _server, app) = setting(how).await;
        for path in ["/slow", "/guarded", "/api/auth/session"] {
            for _ in 0..TIMES {
                let browser = Browser::of(&app);
                browser.post("/api/auth/callback/credentials", &[("username", "ada")]).await;
                assert_eq!(browser.get("/me").await.body, "ada");
                let tab = browser.clone();
                let late = tokio::spawn(async move { tab.get_with(path, &[("x-hold", "1")]).await.status });
                upstream.held.acquire().await.unwrap().forget();
                browser.post("/api/auth/signout", &[]).await;
                assert_eq!(browser.get("/me").await.status, 401);
                upstream.gate.add_permits(1);
                assert_eq!(late.await.unwrap(), 200);
                tried += 1;
                back += usize::from(browser.get("/me").await.status != 401);
            }
        }
    }
    println!("sign-out: {back} of {tried} browsers were signed in again by another tab");
    assert_eq!(back, 0);
}

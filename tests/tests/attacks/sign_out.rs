//! Attack: a response that was in progress during a sign-out sets the session cookie again.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy::{
    Session,
    options::{Builder, SessionStrategy},
    require_session,
};
use auth_proxy_tests::{App, Browser, COOKIE_NAME};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Auth, Upstream, auth, first, me, read};

const TIMES: usize = 3;

#[require_session]
async fn guarded(axum::Extension(upstream): axum::Extension<Arc<Upstream>>) -> &'static str {
    hold(&upstream).await
}

/// Adds a permit to `held`, then waits until the test opens the gate.
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

/// A request that may be in progress during a sign-out.
#[derive(Clone, Copy)]
struct Request {
    name: &'static str,
    head: &'static str,
    /// Sent later than the head.
    body: &'static str,
}

const OPTIONAL_SESSION: Request =
    Request { name: "a slow handler with an optional session", head: "GET /optional HTTP/1.1\r\n", body: "" };
const GET_SESSION: Request =
    Request { name: "GET session", head: "GET /api/auth/session HTTP/1.1\r\nX-Hold: 1\r\n", body: "" };

const REQUESTS: [Request; 6] = [
    Request { name: "a slow handler", head: "GET /slow HTTP/1.1\r\n", body: "" },
    OPTIONAL_SESSION,
    Request { name: "a slow handler behind a guard", head: "GET /guarded HTTP/1.1\r\n", body: "" },
    Request { name: "a slow upload", head: "POST /upload HTTP/1.1\r\nContent-Length: 4\r\n", body: "body" },
    GET_SESSION,
    Request {
        name: "POST session",
        head: "POST /api/auth/session HTTP/1.1\r\nContent-Length: 0\r\nX-Hold: 1\r\n",
        body: "",
    },
];

/// A request that was sent and is held by the app or the upstream.
struct Held {
    socket: TcpStream,
    body: &'static str,
}

impl Held {
    /// Sends the head, and waits until the app or the upstream holds the request.
    async fn begin(app: &App, upstream: &Upstream, request: Request, token: &str) -> Self {
        let mut socket = TcpStream::connect(app.addr).await.unwrap();
        let head = format!(
            "{}Host: localhost\r\nConnection: close\r\nCookie: {COOKIE_NAME}={token}\r\n\r\n",
            request.head
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let held = tokio::time::timeout(Duration::from_secs(8), upstream.held.acquire()).await;
        held.expect("the request is held within 8 s").unwrap().forget();
        Self { socket, body: request.body }
    }

    /// Lets the request finish. Returns the lines that set or clear the session cookie.
    async fn finish(mut self, upstream: &Upstream) -> Vec<String> {
        if self.body.is_empty() {
            upstream.gate.add_permits(1);
        }
        self.socket.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        self.socket.read_to_end(&mut answer).await.unwrap();
        let (status, answer) = read(&String::from_utf8_lossy(&answer));
        assert_eq!(status, 200, "{answer}");
        session_cookies(&answer)
    }
}

fn session_cookies(answer: &str) -> Vec<String> {
    let prefix = format!("set-cookie: {COOKIE_NAME}");
    let lines = answer.lines().filter(|line| line.starts_with(&prefix));
    lines.map(|line| line.chars().take(70).collect()).collect()
}

/// The token that the browser holds after this request: the renewed one, or else the one that it sent.
async fn next_token(app: &App, head: &str, token: &str) -> String {
    let request =
        format!("{head}Host: localhost\r\nConnection: close\r\nCookie: {COOKIE_NAME}={token}\r\n\r\n");
    let answer = app.raw(&request).await;
    let set = answer.split(&format!("{COOKIE_NAME}=")).nth(1).and_then(|rest| rest.split(';').next());
    set.unwrap_or(token).to_owned()
}

/// How another tab signs out or in, with the cookie that the browser holds at that moment.
#[derive(Clone, Copy, Debug)]
enum OtherTabSigns {
    Out,
    InAsBob,
    /// Signs out after a lookup renewed the token.
    OutRenewed,
    /// Signs out after a forwarded `GET session` renewed the token, twice.
    OutRenewedTwice,
}

const OTHER_TABS: [OtherTabSigns; 4] =
    [OtherTabSigns::Out, OtherTabSigns::InAsBob, OtherTabSigns::OutRenewed, OtherTabSigns::OutRenewedTwice];

impl OtherTabSigns {
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
        let request =
            format!("{head}Cookie: {COOKIE_NAME}={token}\r\nContent-Length: {length}\r\n\r\n{form}");
        let (status, answer) = read(&app.raw(&request).await);
        let cookies = session_cookies(&answer);
        assert!(status < 400 && cookies.len() == 1, "{answer}");
        assert_eq!(cookies[0].contains("max-age=0"), !matches!(self, Self::InAsBob), "{answer}");
    }
}

const SETTINGS: [(SessionStrategy, u64); 4] = [
    (SessionStrategy::Jwt, 0),
    (SessionStrategy::Jwt, 60),
    (SessionStrategy::Database, 0),
    (SessionStrategy::Database, 60),
];

/// A running upstream and the app in front of it.
struct Stage {
    upstream: Arc<Upstream>,
    _server: App,
    app: App,
}

impl Stage {
    async fn start((strategy, cache): (SessionStrategy, u64)) -> Self {
        let upstream = Upstream::new(COOKIE_NAME, strategy);
        let server = upstream.start().await;
        let builder = auth(&server, strategy).session_cache(Duration::from_secs(cache));
        let app = app(builder, &upstream).await;
        Self { upstream, _server: server, app }
    }
}

/// Makes each attempt three times, with all settings. An attempt returns the session cookies that undo what the other
/// tab did. Returns the number of attempts, and a line for each attempt with such a cookie.
async fn attempts(
    requests: &[Request],
    other_tabs: &[OtherTabSigns],
    attempt: impl AsyncFn(&Stage, Request, OtherTabSigns) -> Vec<String>,
) -> (usize, Vec<String>) {
    let (mut made, mut undone) = (0, Vec::new());
    for setting in SETTINGS {
        for &request in requests {
            for &other in other_tabs {
                let stage = Stage::start(setting).await;
                for _ in 0..TIMES {
                    let cookies = attempt(&stage, request, other).await;
                    made += 1;
                    if !cookies.is_empty() {
                        undone.push(format!("{setting:?}, {}, {other:?}: {cookies:?}", request.name));
                    }
                }
            }
        }
    }
    (made, undone)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_response_does_not_undo_a_sign_out() {
    let (made, undone) = attempts(&REQUESTS, &OTHER_TABS, async |stage, request, other| {
        let token = stage.upstream.issue("ada");
        let held = Held::begin(&stage.app, &stage.upstream, request, &token).await;
        // A POST to `session` changes the session, so it may set the cookie after a sign-out with a token of before the
        // change. The test therefore signs out with the same token.
        let other = match (request.name, other) {
            ("POST session", OtherTabSigns::OutRenewed | OtherTabSigns::OutRenewedTwice) => {
                OtherTabSigns::Out
            }
            _ => other,
        };
        other.act(&stage.app, &token).await;
        held.finish(&stage.upstream).await
    })
    .await;
    println!("sign-out: {} of {made} late responses set or cleared the session cookie", undone.len());
    assert!(undone.is_empty(), "{} of {made}:\n{}", undone.len(), first(&undone));
}

/// The response says that the old session has ended. Meanwhile the browser has signed in as another user, and must keep
/// the cookie of that sign-in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_response_does_not_undo_a_sign_in() {
    let requests = [OPTIONAL_SESSION, GET_SESSION];
    let (made, undone) = attempts(&requests, &[OtherTabSigns::InAsBob], async |stage, request, other| {
        let token = stage.upstream.issue("ada");
        stage.upstream.end(&token);
        let held = Held::begin(&stage.app, &stage.upstream, request, &token).await;
        other.act(&stage.app, &token).await;
        held.finish(&stage.upstream).await
    })
    .await;
    println!(
        "sign-out: {} of {made} late responses cleared or replaced the cookie of a new sign-in",
        undone.len()
    );
    assert!(undone.is_empty(), "{} of {made}:\n{}", undone.len(), first(&undone));
}

/// The browser sends the request before the sign-out, but the app receives it afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_overtaken_by_a_sign_out_does_not_undo_it() {
    let (made, undone) = attempts(&REQUESTS, &OTHER_TABS, async |stage, request, other| {
        let token = stage.upstream.issue("ada");
        other.act(&stage.app, &token).await;
        // The gate is open, so the handler does not wait.
        stage.upstream.gate.add_permits(1);
        let Request { head, body, .. } = request;
        let request = format!(
            "{head}Host: localhost\r\nConnection: close\r\nCookie: {COOKIE_NAME}={token}\r\n\r\n{body}"
        );
        let mut cookies = session_cookies(&read(&stage.app.raw(&request).await).1);
        stage.upstream.gate.forget_permits(1);
        stage.upstream.held.forget_permits(1);
        // A second clearing cookie does no harm after a sign-out.
        let clears = cookies.iter().all(|cookie| cookie.contains("=; max-age=0"));
        if clears && !matches!(other, OtherTabSigns::InAsBob) {
            cookies.clear();
        }
        cookies
    })
    .await;
    println!(
        "sign-out: {} of {made} requests that a sign-out overtook set or cleared the session cookie",
        undone.len()
    );
    assert!(undone.is_empty(), "{} of {made}:\n{}", undone.len(), first(&undone));
}

/// Two tabs of one browser share one cookie jar.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_out_in_one_tab_is_not_undone_by_another() {
    let (mut tried, mut back) = (0, 0);
    for setting in SETTINGS {
        let Stage { upstream, app, _server } = Stage::start(setting).await;
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

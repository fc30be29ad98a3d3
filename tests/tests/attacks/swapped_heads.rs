//! Attack: within one request the credential changes, or a request is made with the extensions of another. It must get
//! neither the session nor the cookies of the other credential.

use std::sync::Arc;

use auth_proxy::options::SessionStrategy;
use auth_proxy::{RawToken, RequireSession, Session, Token, auth_proxy};
use auth_proxy_tests::{App, COOKIE_NAME};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use tower::ServiceExt as _;

use crate::support::{Auth, SECRET, Upstream, auth, get as raw_get};

/// Who the extractors of a request say that the visitor is.
async fn who(
    session: Option<Session<Auth>>,
    token: Option<Token<Auth>>,
    raw: Option<RawToken<Auth>>,
) -> String {
    let named = |name: Option<Option<String>>| name.flatten().unwrap_or_else(|| "nobody".to_owned());
    let session = named(session.map(|session| session.user.name.clone()));
    let token = named(token.map(|token| token.name.clone()));
    let raw = raw.map_or_else(|| "-".to_owned(), |raw| raw.as_str().to_owned());
    format!("{session} {token} {raw}")
}

/// How the head of a request is changed after its session was read. The headers `x-other` and `x-host` hold the values.
const CHANGES: [&str; 4] = ["cookie", "bearer", "removed", "host"];

fn change(headers: &mut HeaderMap, how: &str) {
    let other = headers["x-other"].to_str().unwrap().to_owned();
    headers.remove(AUTHORIZATION);
    match how {
        "cookie" => drop(headers.insert(COOKIE, format!("{COOKIE_NAME}={other}").parse().unwrap())),
        "bearer" => {
            headers.remove(COOKIE);
            headers.insert(AUTHORIZATION, format!("Bearer {other}").parse().unwrap());
        }
        "removed" => drop(headers.remove(COOKIE)),
        _ => drop(headers.insert("host", "other.localhost".parse().unwrap())),
    }
}

struct Stage {
    upstream: Arc<Upstream>,
    _server: App,
    app: App,
}

impl Stage {
    async fn start(decodes: bool) -> Self {
        let upstream = Upstream::new(COOKIE_NAME, SessionStrategy::Jwt);
        let server = upstream.start().await;
        let mut builder = auth(&server, SessionStrategy::Jwt);
        if decodes {
            builder = builder.upstream_secret([SECRET]);
        }
        let auth = builder.build().unwrap();
        // A middleware between the guard and the handler.
        let swap = async |mut request: Request, next: Next| {
            let how = request.headers()["x-how"].to_str().unwrap().to_owned();
            change(request.headers_mut(), &how);
            next.run(request).await
        };
        let swapped =
            Router::new().route("/who", get(who)).layer(from_fn(swap)).layer(auth.require_any_session());
        let inner = auth.attach(Router::new().route("/who", get(who))).with_state(auth.clone());
        // A handler that makes a request of its own, which needs the extensions for the peer's address.
        let state = auth.clone();
        let call = async move |request: Request| -> Response {
            let (mut parts, _) = request.into_parts();
            let how = parts.headers["x-how"].to_str().unwrap().to_owned();
            let is_first = !parts.headers.contains_key("x-late");
            if is_first {
                let own = Option::<Session<Auth>>::from_request_parts(&mut parts, &state).await;
                assert!(own.unwrap().is_some());
            }
            let mut again = Request::new(Body::empty());
            *again.uri_mut() = "/who".parse().unwrap();
            *again.headers_mut() = parts.headers.clone();
            *again.extensions_mut() = parts.extensions.clone();
            change(again.headers_mut(), &how);
            let answer = inner.clone().oneshot(again).await.unwrap();
            let cookies = answer.headers().get_all(SET_COOKIE).iter().count();
            let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let body = String::from_utf8_lossy(&body).into_owned();
            Response::new(Body::from(format!("{body} inner-cookies={cookies}")))
        };
        let router = Router::new().route("/call", get(call)).nest("/swapped", swapped);
        let app = App::start(auth.attach(router).with_state(auth.clone())).await;
        Self { upstream, _server: server, app }
    }

    /// Sends a request of ada whose head changes to that of bob. Returns the response in lower case.
    async fn ask(&self, target: &str, how: &str, more: &str) -> (String, String) {
        let (ada, bob) = (self.upstream.issue("ada"), self.upstream.issue("bob"));
        let head = format!("Cookie: {COOKIE_NAME}={ada}\r\nX-Other: {bob}\r\nX-How: {how}\r\n{more}");
        let (status, answer) = raw_get(&self.app, target, "localhost", &head).await;
        assert_eq!(status, 200, "{answer}");
        (answer, bob.to_ascii_lowercase())
    }
}

#[tokio::test]
async fn changed_credential_gets_its_own_session() {
    let mut wrong = Vec::new();
    let mut made = 0;
    for decodes in [false, true] {
        let stage = Stage::start(decodes).await;
        for how in CHANGES {
            for (target, more) in [("/swapped/who", ""), ("/call", ""), ("/call", "X-Late: 1\r\n")] {
                made += 1;
                let (answer, bob) = stage.ask(target, how, more).await;
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                let expected = match how {
                    "removed" => "nobody nobody -".to_owned(),
                    "host" => "ada ada ".to_owned(),
                    _ => format!("bob bob {bob}"),
                };
                if !body.contains(&expected) {
                    wrong.push(format!("{decodes} {target} {how} {more:?}: answered as {body}"));
                }
                // The browser has ada's cookie. It must not get one that replaces it by bob's session.
                if head.contains("set-cookie") && (more.contains("Late") && how != "host") {
                    wrong.push(format!("{decodes} {target} {how} {more:?}: relayed {head}"));
                }
                // Ada's renewed cookie belongs to the request with ada's cookie.
                if how != "cookie" && how != "host" && body.contains("inner-cookies=1") {
                    wrong.push(format!("{decodes} {target} {how} {more:?}: the inner response set {body}"));
                }
            }
        }
    }
    println!("swapped heads: {} of {made} got another answer", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The upstream may answer by host, so a request with another host asks again.
#[tokio::test]
async fn changed_host_asks_again() {
    let stage = Stage::start(false).await;
    stage.upstream.take_seen();
    stage.ask("/swapped/who", "host", "").await;
    let hosts: Vec<_> =
        stage.upstream.take_seen().iter().map(|seen| seen.headers["x-forwarded-host"].clone()).collect();
    assert_eq!(hosts, ["localhost", "other.localhost"]);
}

/// Requests of several visitors on one connection, as a proxy in front sends them.
#[tokio::test]
async fn requests_on_one_connection_get_their_own_sessions() {
    let stage = Stage::start(false).await;
    let inner = |name: &str, close: &str| {
        let token = if name == "nobody" { String::new() } else { stage.upstream.issue(name) };
        format!(
            "GET /swapped/who HTTP/1.1\r\nHost: localhost\r\n{close}Cookie: {COOKIE_NAME}={token}\r\nX-How: host\r\n\
             X-Other: none\r\n\r\n"
        )
    };
    let all = ["ada", "bob", "nobody", "ada", "eve"];
    let requests: String = all.iter().map(|name| inner(name, "")).collect();
    let answer = stage.app.raw(&(requests + &inner("bob", "Connection: close\r\n"))).await;
    let answers: Vec<_> = answer.split("HTTP/1.1 ").skip(1).collect();
    let expected = all.iter().chain(&["bob"]);
    assert_eq!(answers.len(), 6, "{answer}");
    for (name, answer) in expected.zip(answers) {
        let is_own = answer.contains(&format!("\r\n\r\n{name} {name} "));
        assert!(is_own || (*name == "nobody" && answer.starts_with("401")), "{name}: {answer}");
    }
}

/// Two proxies of one type, as with one upstream for each tenant. Each keeps its own results.
#[tokio::test]
async fn two_proxies_of_one_type_share_nothing_and_lose_nothing() {
    let (one, two) =
        (Upstream::new(COOKIE_NAME, SessionStrategy::Jwt), Upstream::new(COOKIE_NAME, SessionStrategy::Jwt));
    let (first, second) = (one.start().await, two.start().await);
    let token = one.issue("ada");
    two.accept(&token, "bob");
    let outer = auth(&first, SessionStrategy::Jwt).build().unwrap();
    let inner = auth(&second, SessionStrategy::Jwt).build().unwrap();
    let router = Router::new().route("/who", get(who)).with_state(outer.clone());
    let guard = inner.clone();
    let of_inner = from_fn(move |request: Request, next: Next| {
        let guard = guard.clone();
        async move {
            let (mut parts, body) = request.into_parts();
            RequireSession::<Auth>::from_request_parts(&mut parts, &guard).await.unwrap();
            next.run(Request::from_parts(parts, body)).await
        }
    });
    let router = router.layer(of_inner).layer(outer.session_cookie_layer());
    let app = App::start(router).await;
    let (status, answer) =
        raw_get(&app, "/who", "localhost", &format!("Cookie: {COOKIE_NAME}={token}\r\n")).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\r\n\r\nada ada "), "{answer}");
    assert!(answer.contains("cache-control: private"), "a shared cache may keep it:\n{answer}");
    assert_eq!(answer.matches("set-cookie: ").count(), 1, "{answer}");
}

auth_proxy! {
    struct Other { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

/// The response depends on the visitor, whichever proxy the app asks.
#[tokio::test]
async fn response_is_private_if_another_proxy_than_that_of_the_layer_was_asked() {
    let upstream = Upstream::new(COOKIE_NAME, SessionStrategy::Jwt);
    let server = upstream.start().await;
    let attached = auth(&server, SessionStrategy::Jwt).build().unwrap();
    for decodes in [false, true] {
        let other = Other::builder().upstream_base_url(server.url("")).upstream_cookie_name(COOKIE_NAME);
        let other = if decodes { other.upstream_secret([SECRET]) } else { other }.build().unwrap();
        let router = Router::new()
            .route("/session", get(|_: Option<Session<Other>>| async { "ok" }))
            .route("/guard", get(|_: RequireSession<Other>| async { "ok" }))
            .with_state(other);
        let app = App::start(router.layer(attached.session_cookie_layer())).await;
        let cookie = format!("Cookie: {COOKIE_NAME}={}\r\n", upstream.issue("ada"));
        for target in ["/session", "/guard"] {
            let (status, answer) = raw_get(&app, target, "localhost", &cookie).await;
            assert_eq!(status, 200, "{answer}");
            assert!(answer.contains("cache-control: private"), "{target} {decodes}: {answer}");
        }
    }
}

//! A failing or busy upstream: retries, the request queue, ambiguous and stale sessions, and request loops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::Session;
use auth_proxy_tests::{App, Browser, free_port};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::support::unreliable::{ADA, COOKIE, auth, session};
use crate::support::{Auth, app_of};

const CLEAR: &str = "authjs.session-token=; Max-Age=0";

/// An upstream that closes the connection after each of the first `times` requests and answers the rest. It counts all
/// requests.
async fn upstream_that_drops_first(times: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let nth = count.fetch_add(1, SeqCst);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                if nth >= times {
                    let answer =
                        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 23\r\n\r\n{ADA}");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (url, seen)
}

/// An upstream that computes its response from the request and counts the requests.
async fn counting_upstream(
    answer: impl Fn(Request) -> Response + Clone + Send + Sync + 'static,
) -> (App, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let app = App::start(Router::new().fallback(move |request: Request| {
        count.fetch_add(1, SeqCst);
        let response = answer(request);
        async move { response }
    }));
    (app.await, seen)
}

#[tokio::test]
async fn read_only_requests_are_retried() {
    for path in ["/session", "/api/auth/session", "/api/auth/providers", "/api/auth/csrf"] {
        let (url, seen) = upstream_that_drops_first(2).await;
        let (_app, browser) = app_of(auth(&url)).await;
        let answer = browser.get_with(path, &[("cookie", COOKIE)]).await;
        assert_eq!((answer.status, seen.load(SeqCst)), (200, 3), "{path}");
    }
    for (retries, expected) in [(0, 1), (1, 2), (2, 3)] {
        let (url, seen) = upstream_that_drops_first(usize::MAX).await;
        let (_app, browser) = app_of(auth(&url).upstream_retries(retries)).await;
        assert_eq!(session(&browser).await, (502, "upstream_failed".to_owned()));
        // The library also sends two requests that confirm the outage.
        assert_eq!(seen.load(SeqCst), expected + 2);
    }
}

/// A callback carries a one-time code, and a link in a mail a one-time token. The upstream may have used the code
/// before the connection broke, so the request is not sent again.
#[tokio::test]
async fn one_time_requests_are_never_retried() {
    let get = ["callback/github?code=1", "verify-email/confirm?token=1", "signin", "callback/email?token=1"];
    for path in get {
        let (url, seen) = upstream_that_drops_first(1).await;
        let (_app, browser) = app_of(auth(&url)).await;
        let answer = browser.get(&format!("/api/auth/{path}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_failed"), "{path}");
        assert_eq!(seen.load(SeqCst), 1, "{path}");
    }
    for path in ["session", "signout", "callback/credentials"] {
        let (url, seen) = upstream_that_drops_first(1).await;
        let (_app, browser) = app_of(auth(&url)).await;
        assert_eq!(browser.post(&format!("/api/auth/{path}"), &[("a", "b")]).await.status, 502, "{path}");
        assert_eq!(seen.load(SeqCst), 1, "{path}");
    }
}

/// A refused connection means that nothing was sent. So even a POST is retried while the upstream restarts.
#[tokio::test]
async fn unsent_post_is_retried_after_connect_failure() {
    for path in ["/api/auth/callback/credentials", "/api/auth/signout"] {
        let port = free_port();
        let (_app, browser) = app_of(auth(&format!("http://127.0.0.1:{port}")).upstream_retries(10)).await;
        let form = [("csrfToken", "x"), ("password", "y")];
        let posted = tokio::spawn(async move { browser.post(path, &form).await });
        tokio::time::sleep(Duration::from_millis(60)).await;
        let echo = |request: Request| async move {
            let body = axum::body::to_bytes(request.into_body(), 1000).await.unwrap();
            String::from_utf8(body.to_vec()).unwrap()
        };
        let _upstream = App::start_at(port, Router::new().fallback(echo)).await;
        let answer = posted.await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "csrfToken=x&password=y"));
    }
}

#[tokio::test]
async fn transient_statuses_are_retried_unless_retry_after_is_set() {
    for (status, with_retry_after, expected) in
        // The counts include one request that confirms the outage.
        [(502, false, 4), (503, false, 4), (504, false, 4), (503, true, 2), (500, false, 1)]
    {
        let (upstream, seen) = counting_upstream(move |request| {
            let status = StatusCode::from_u16(status).unwrap();
            if request.uri().path().ends_with("/providers") {
                return "{}".into_response();
            }
            if with_retry_after {
                (status, [("retry-after", "7")]).into_response()
            } else {
                status.into_response()
            }
        })
        .await;
        let (_app, browser) = app_of(auth(&upstream.url(""))).await;
        let answer = browser.get_with("/session", &[("cookie", COOKIE)]).await;
        assert!(answer.status >= 502 && seen.load(SeqCst) == expected, "{status}: {answer:?}");
        assert_eq!(answer.header("retry-after"), if with_retry_after { "7" } else { "5" });
    }
}

/// An upstream whose responses wait for a permit.
async fn gated_upstream() -> (App, Arc<Semaphore>, Arc<AtomicUsize>) {
    let (gate, at_once) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (wait, count) = (Arc::clone(&gate), Arc::clone(&at_once));
    let app = App::start(Router::new().fallback(move || async move {
        count.fetch_add(1, SeqCst);
        wait.acquire().await.unwrap().forget();
        ADA
    }));
    (app.await, gate, at_once)
}

async fn wait_until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("the condition must hold within 10 s");
}

#[tokio::test]
async fn lookup_is_rejected_at_once_when_the_queue_is_full() {
    let (upstream, gate, at_once) = gated_upstream().await;
    let (_app, browser) = app_of(auth(&upstream.url("")).upstream_concurrency(1).upstream_queue(1)).await;
    let ask = |token: &'static str| {
        let browser = browser.clone();
        async move {
            let cookie = format!("authjs.session-token=aaaa..bbbb.cccc.{token}");
            browser.get_with("/session", &[("cookie", &cookie)]).await
        }
    };
    let first = tokio::spawn(ask("aaaa"));
    wait_until(|| at_once.load(SeqCst) == 1).await;
    let second = tokio::spawn(ask("bbbb"));
    // The second or a third request takes the only place in the queue. After that every request is rejected.
    let refused = loop {
        let answer = tokio::time::timeout(Duration::from_millis(100), ask("cccc")).await;
        if let Ok(answer) = answer {
            break answer;
        }
    };
    assert_eq!((refused.status, refused.code().as_str()), (503, "upstream_overloaded"));
    assert_eq!(refused.header("retry-after"), "1");
    // A request that joins a lookup in progress needs no place in the queue.
    let same = tokio::spawn(ask("aaaa"));
    gate.add_permits(100);
    for answer in [first, second, same] {
        assert_eq!(answer.await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn forwarded_request_is_rejected_at_once_when_the_queue_is_full() {
    let (upstream, gate, at_once) = gated_upstream().await;
    let (_app, browser) = app_of(auth(&upstream.url("")).upstream_concurrency(1).upstream_queue(1)).await;
    let ask = || {
        let browser = browser.clone();
        tokio::spawn(async move { browser.get("/api/auth/providers").await })
    };
    let (first, second) = (ask(), ask());
    wait_until(|| at_once.load(SeqCst) == 2).await;
    let refused = ask().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (503, "upstream_overloaded"));
    gate.add_permits(100);
    for answer in [first, second, ask()] {
        assert_eq!(answer.await.unwrap().status, 200);
    }
}

/// A page script that fetches `session` must not read "signed out" when the upstream response is ambiguous or invalid.
#[tokio::test]
async fn forwarded_session_response_is_checked_like_a_lookup() {
    for (body, cookie, expected) in [
        ("null", "", (502, "upstream_ambiguous_session")),
        ("{}", "", (502, "upstream_ambiguous_session")),
        ("\"API Route not found.\"", "", (502, "upstream_invalid_response")),
        ("<!doctype html>", "", (502, "upstream_invalid_response")),
        ("null", CLEAR, (200, "null")),
        ("null", "authjs.session-token=renewed", (200, "null")),
        (ADA, "", (200, ADA)),
    ] {
        let (upstream, _) = counting_upstream(move |_| {
            let mut response = body.into_response();
            if !cookie.is_empty() {
                response.headers_mut().insert("set-cookie", cookie.parse().unwrap());
            }
            response
        })
        .await;
        let (_app, browser) = app_of(auth(&upstream.url(""))).await;
        for path in ["/api/auth/session", "/api/auth/session/"] {
            let answer = browser.get_with(path, &[("cookie", COOKIE)]).await;
            let outcome = if answer.status == 200 { answer.body.clone() } else { answer.code() };
            assert_eq!((answer.status, outcome.as_str()), expected, "{body}");
            assert_eq!(answer.header("set-cookie"), cookie, "{body}");
        }
        // Without a session cookie `null` is not ambiguous. Auth.js reads no Bearer token on this route.
        for headers in [&[][..], &[("authorization", "Bearer x")]] {
            let answer = browser.get_with("/api/auth/session", headers).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, body));
        }
    }
}

#[tokio::test]
async fn stale_session_is_marked_in_the_extractor_and_a_header() {
    async fn is_stale(session: Session<Auth>) -> String {
        session.is_stale().to_string()
    }
    async fn by_call(State(auth): State<Auth>, headers: HeaderMap) -> String {
        auth.session(&headers).await.unwrap().unwrap().is_stale().to_string()
    }
    let down = Arc::new(AtomicUsize::new(0));
    let is_down = Arc::clone(&down);
    let (upstream, _) = counting_upstream(move |_| match is_down.load(SeqCst) {
        0 => ADA.into_response(),
        _ => StatusCode::BAD_GATEWAY.into_response(),
    })
    .await;
    let builder = auth(&upstream.url("")).session_cache(Duration::from_millis(10));
    let auth = builder.session_stale_if_error(Duration::from_secs(3600)).build().unwrap();
    let routes = Router::new().route("/stale", get(is_stale)).route("/call", get(by_call));
    let routes = routes.route("/plain", get(|| async { "ok" }));
    let app = App::start(auth.attach(routes).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    for (outage, expected, mark) in [(0, "false", ""), (1, "true", "stale"), (0, "false", "")] {
        down.store(outage, SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        for path in ["/stale", "/call"] {
            let answer = browser.get_with(path, &[("cookie", COOKIE)]).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, expected), "{path}");
            assert_eq!(answer.header("auth-proxy-session"), mark, "{path}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(browser.get("/plain").await.header("auth-proxy-session"), "");
    }
}

/// `upstream.base_url` points to this app itself. The first request detects the loop, without a timeout.
#[tokio::test]
async fn forwarding_to_this_app_itself_is_508() {
    let port = free_port();
    let auth = auth(&format!("http://127.0.0.1:{port}")).build().unwrap();
    let _app = App::start_at(port, crate::support::routes(&auth)).await;
    let browser = Browser::at(&format!("http://127.0.0.1:{port}"));
    let answer = browser.get("/api/auth/providers").await;
    assert_eq!((answer.status, answer.code().as_str()), (508, "loop_detected"));
    assert_eq!(session(&browser).await, (502, "upstream_failed".to_owned()));
}

//! Point 1: anybody opens the circuit breaker, and keeps everybody out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::Strategy;
use auth_proxy_tests::App;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::node::{ANSWERS, Node};
use crate::pages::app;
use crate::support::{Auth, COOKIE, read};
use crate::touchy::{Touchy, ok};

/// What good visitors got.
#[derive(Debug, Default)]
struct Good {
    asked: usize,
    answered: usize,
    /// The first that was not answered.
    wrong: Option<String>,
}

/// Good visitors look themselves up, each with a token of their own, and open the sign-in page, while bad requests are sent
/// as fast as they are answered. `seen_as` are the headers of the good ones, `Host` included.
async fn siege(app: &App, bad: &[String], rounds: usize, seen_as: &str) -> (Good, usize) {
    let (is_over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let good = async {
        let mut good = Good::default();
        // The attack comes first.
        while sent.load(SeqCst) < 30 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for n in 0..rounds {
            for target in ["/me", "/api/auth/signin", "/api/auth/providers"] {
                let request = format!(
                    "GET {target} HTTP/1.1\r\n{seen_as}Connection: close\r\nCookie: {COOKIE}=aaaa..bbbb.cccc.{n:04}\r\n\r\n"
                );
                let (status, answer) = read(&app.raw(&request).await);
                good.asked += 1;
                if status == 200 {
                    good.answered += 1;
                } else {
                    good.wrong.get_or_insert(format!("{target}: {answer}"));
                }
            }
        }
        is_over.store(true, SeqCst);
        good
    };
    let attack = async || {
        while !is_over.load(SeqCst) {
            for request in bad {
                app.raw(request).await;
                sent.fetch_add(1, SeqCst);
            }
        }
    };
    let (good, ..) = tokio::join!(good, attack(), attack(), attack());
    (good, sent.load(SeqCst))
}

fn head(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}

/// Requests that the upstream refuses with 431 and a reset, or would once they are encoded.
fn too_large() -> Vec<(&'static str, Vec<String>)> {
    let bars = "|".repeat(22_000);
    let chunks = |piece: &str| {
        let pairs: Vec<_> = (0..6).map(|n| format!("{COOKIE}.{n}={piece}")).collect();
        format!("Cookie: {}\r\n", pairs.join("; "))
    };
    let shaped = |length: usize| format!("AAAA..AAAA.{}.AAAA", "A".repeat(length));
    let lookups = vec![
        format!("Cookie: {COOKIE}={bars}\r\n"),
        format!("Authorization: Bearer {bars}\r\n"),
        chunks(&"|".repeat(3900)),
        chunks(&"A".repeat(3900)),
        format!("Cookie: {COOKIE}={}\r\n", shaped(60_000)),
        format!("Cookie: {COOKIE}={}\r\n", shaped(14_000)),
        format!("Cookie: {COOKIE}={}\r\n", shaped(11_996)),
        format!("Authorization: Bearer {}\r\n", shaped(11_996)),
        format!("Cookie: {COOKIE}={}\r\n", "%C3%A4".repeat(5_000)),
    ];
    let companions = vec![
        format!("Cookie: {COOKIE}=AAAA..AAAA.AAAA.AAAA; authjs.csrf-token={}\r\n", "a".repeat(20_000)),
        format!("Cookie: {COOKIE}=AAAA..AAAA.AAAA.AAAA; authjs.callback-url={}\r\n", bars),
        format!("Cookie: {COOKIE}=AAAA..AAAA.AAAA.AAAA; authjs.callback-url=x\r\n"),
    ];
    let forwarded: Vec<_> =
        ["/api/auth/session", "/api/auth/providers", "/api/auth/csrf", "/api/auth/signin"]
            .iter()
            .flat_map(|target| {
                [format!("Cookie: {COOKIE}={bars}\r\n"), format!("X-A: {}\r\n", "a".repeat(30_000))]
                    .map(|headers| head(target, &headers))
            })
            .collect();
    let me = |headers: &[String]| headers.iter().map(|headers| head("/me", headers)).collect();
    vec![
        ("22,000 bars", me(&lookups[..1])),
        ("22,000 bars as Bearer", me(&lookups[1..2])),
        ("chunks", me(&lookups[2..4])),
        ("tokens", me(&lookups[4..])),
        ("companion cookies", me(&companions)),
        ("forwarded", forwarded),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_node_refuses_keep_nobody_out() {
    let node = Node::start(ANSWERS);
    let raw = Touchy::start(|head| {
        if head.contains("/session ") {
            ok("200 OK", "", r#"{"user":{"name":"Ada"}}"#)
        } else {
            ok("200 OK", "", "{}")
        }
    })
    .await;
    for (upstream, url) in [("Node", &node.url), ("a raw server", &raw.url)] {
        for strategy in [Strategy::Jwt, Strategy::Database] {
            let (mut asked, mut answered, mut sent) = (0, 0, 0);
            for (how, bad) in too_large() {
                let app =
                    app(Auth::builder().upstream_base_url(url.clone()).upstream_session_strategy(strategy))
                        .await;
                let host = format!("Host: {}\r\n", app.addr);
                let (good, bad) = siege(&app, &bad, 8, &host).await;
                assert_eq!(good.answered, good.asked, "{upstream}, {strategy:?}, {how}: {good:?}");
                (asked, answered, sent) = (asked + good.asked, answered + good.answered, sent + bad);
            }
            println!(
                "circuit breaker: {answered} of {asked} good requests answered while {sent} too large ones were sent \
                to {upstream}, {}",
                strategy
            );
            assert!(asked > 100 && sent > 100);
        }
    }
}

/// What HAProxy or nginx answers to a host that it does not know.
async fn router(known: impl Fn(&str) -> bool + Clone + Send + Sync + 'static) -> App {
    let answer = move |request: Request| {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let response: Response = match (known(host), request.uri().path()) {
            (false, _) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            (true, "/api/auth/session") => r#"{"user":{"name":"Ada"}}"#.into_response(),
            (true, _) => "{}".into_response(),
        };
        async move { response }
    };
    App::start(Router::new().fallback(answer)).await
}

fn hosts(named: &[&str], more: &str) -> Vec<String> {
    let targets = ["/me", "/api/auth/session", "/api/auth/providers", "/api/auth/signin"];
    let request = |host: &str, target: &str| {
        let line = if host.is_empty() { String::new() } else { format!("Host: {host}\r\n") };
        let version = if host.is_empty() { "1.0" } else { "1.1" };
        let cookie = format!("Cookie: {COOKIE}=aaaa..bbbb.cccc.dddd\r\n");
        format!(
            "GET {target} HTTP/{version}\r\n{line}Connection: close\r\n{}{cookie}\r\n",
            more.replace("{}", host)
        )
    };
    named.iter().flat_map(|host| targets.map(|target| request(host, target))).collect()
}

const HOSTS: [&str; 6] = ["zzz", "localhost", "127.9.9.9", "x.localhost", "[::1]", ""];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_a_router_does_not_know_keep_nobody_out() {
    let upstream = router(|host| host == "app.localhost" || host.starts_with("127.0.0.1")).await;
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let app =
            app(Auth::builder().upstream_base_url(upstream.url("")).upstream_session_strategy(strategy))
                .await;
        let (good, sent) = siege(&app, &hosts(&HOSTS, ""), 40, "Host: app.localhost\r\n").await;
        println!(
            "circuit breaker: {} of {} good requests answered while {sent} with foreign hosts were sent, {}",
            good.answered, good.asked, strategy
        );
        assert_eq!(good.answered, good.asked, "{good:?}");
    }
}

/// The router knows the app's public name and nothing else; a trusted proxy tells it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_that_knows_only_the_public_name_keeps_nobody_out() {
    let upstream = router(|host| host == "app.example.com").await;
    let builder = Auth::builder().upstream_base_url(upstream.url("")).trusted_proxies(["127.0.0.1"]);
    let app = app(builder).await;
    let seen_as = "Host: app.internal\r\nX-Forwarded-Host: app.example.com\r\n";
    // As a proxy writes it that takes every host.
    let bad = hosts(&HOSTS[..4], "X-Forwarded-Host: {}\r\n");
    let (good, sent) = siege(&app, &bad, 40, seen_as).await;
    println!(
        "circuit breaker: {} of {} good requests answered while {sent} with foreign hosts came through a trusted proxy",
        good.answered, good.asked
    );
    assert_eq!(good.answered, good.asked, "{good:?}");
}

/// There the upstream comes back after an outage, too.
#[tokio::test]
async fn a_router_that_knows_only_the_public_name_is_found_again() {
    let port = auth_proxy_tests::free_port();
    let builder =
        Auth::builder().upstream_base_url(format!("http://127.0.0.1:{port}")).trusted_proxies(["127.0.0.1"]);
    let app = app(builder.upstream_retries(0).upstream_circuit_breaker(3)).await;
    let me = async || {
        let headers =
            format!("X-Forwarded-Host: app.example.com\r\nCookie: {COOKIE}=aaaa..bbbb.cccc.dddd\r\n");
        app.raw_get("/me", &headers).await.0
    };
    for _ in 0..4 {
        assert!(me().await >= 502);
    }
    let answer = |request: Request| async move {
        match request.headers().get("host").and_then(|host| host.to_str().ok()) {
            Some("app.example.com") => r#"{"user":{"name":"Ada"}}"#.into_response(),
            _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    };
    let _upstream = App::start_at(port, Router::new().fallback(answer)).await;
    let mut tries = 0;
    let found = tokio::time::timeout(Duration::from_secs(15), async {
        while me().await != 200 {
            tries += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let found = found.await;
    println!("circuit breaker: closed again after {tries} refusals: {}", found.is_ok());
    found.expect("the breaker closes again");
}

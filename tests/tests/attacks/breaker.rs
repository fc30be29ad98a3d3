//! Attack: a client opens the circuit breaker and so denies service to every visitor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::options::SessionStrategy;
use auth_proxy_tests::{App, COOKIE_NAME};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::support::{ANSWERS, Auth, Node, StrictUpstream, app, ok, read};

/// Requests of regular visitors, and how many succeeded.
#[derive(Debug, Default)]
struct RegularRequests {
    total: usize,
    succeeded: usize,
    first_failure: Option<String>,
}

/// Sends requests of regular visitors, each with its own token, while three attackers send `bad` in a loop. The regular
/// requests have the lines `host_headers`. Returns the result of the regular requests, and the number of bad requests.
async fn ask_during_attack(
    app: &App,
    bad: &[String],
    rounds: usize,
    host_headers: &str,
) -> (RegularRequests, usize) {
    let (attack_is_over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let good = async {
        let mut good = RegularRequests::default();
        // Regular requests start once the attack is under way.
        while sent.load(SeqCst) < 30 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for n in 0..rounds {
            for target in ["/me", "/api/auth/signin", "/api/auth/providers"] {
                let request = format!(
                    "GET {target} HTTP/1.1\r\n{host_headers}Connection: close\r\nCookie: {COOKIE_NAME}=aaaa..bbbb.cccc.{n:04}\r\n\r\n"
                );
                let (status, answer) = read(&app.raw(&request).await);
                good.total += 1;
                if status == 200 {
                    good.succeeded += 1;
                } else {
                    good.first_failure.get_or_insert(format!("{target}: {answer}"));
                }
            }
        }
        attack_is_over.store(true, SeqCst);
        good
    };
    let attack = async || {
        while !attack_is_over.load(SeqCst) {
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

/// Requests that the upstream rejects with 431 and a reset, or would reject after percent-encoding makes them longer.
fn too_large() -> Vec<(&'static str, Vec<String>)> {
    let bars = "|".repeat(22_000);
    let chunks = |piece: &str| {
        let pairs: Vec<_> = (0..6).map(|n| format!("{COOKIE_NAME}.{n}={piece}")).collect();
        format!("Cookie: {}\r\n", pairs.join("; "))
    };
    let shaped = |length: usize| format!("AAAA..AAAA.{}.AAAA", "A".repeat(length));
    let lookups = vec![
        format!("Cookie: {COOKIE_NAME}={bars}\r\n"),
        format!("Authorization: Bearer {bars}\r\n"),
        chunks(&"|".repeat(3900)),
        chunks(&"A".repeat(3900)),
        format!("Cookie: {COOKIE_NAME}={}\r\n", shaped(60_000)),
        format!("Cookie: {COOKIE_NAME}={}\r\n", shaped(14_000)),
        format!("Cookie: {COOKIE_NAME}={}\r\n", shaped(11_996)),
        format!("Authorization: Bearer {}\r\n", shaped(11_996)),
        format!("Cookie: {COOKIE_NAME}={}\r\n", "%C3%A4".repeat(5_000)),
    ];
    let companions = vec![
        format!("Cookie: {COOKIE_NAME}=AAAA..AAAA.AAAA.AAAA; authjs.csrf-token={}\r\n", "a".repeat(20_000)),
        format!("Cookie: {COOKIE_NAME}=AAAA..AAAA.AAAA.AAAA; authjs.callback-url={}\r\n", bars),
        format!("Cookie: {COOKIE_NAME}=AAAA..AAAA.AAAA.AAAA; authjs.callback-url=x\r\n"),
    ];
    let forwarded: Vec<_> =
        ["/api/auth/session", "/api/auth/providers", "/api/auth/csrf", "/api/auth/signin"]
            .iter()
            .flat_map(|target| {
                [format!("Cookie: {COOKIE_NAME}={bars}\r\n"), format!("X-A: {}\r\n", "a".repeat(30_000))]
                    .map(|headers| head(target, &headers))
            })
            .collect();
    let request_me = |headers: &[String]| headers.iter().map(|headers| head("/me", headers)).collect();
    vec![
        ("22,000 bars", request_me(&lookups[..1])),
        ("22,000 bars as Bearer", request_me(&lookups[1..2])),
        ("chunks", request_me(&lookups[2..4])),
        ("tokens", request_me(&lookups[4..])),
        ("companion cookies", request_me(&companions)),
        ("forwarded", forwarded),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oversized_heads_do_not_open_the_circuit() {
    let node = Node::start(ANSWERS);
    let raw = StrictUpstream::start(|head| {
        if head.contains("/session ") {
            ok("200 OK", "", r#"{"user":{"name":"Ada"}}"#)
        } else {
            ok("200 OK", "", "{}")
        }
    })
    .await;
    for (upstream, url) in [("Node", &node.url), ("a raw server", &raw.url)] {
        for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
            let (mut total, mut succeeded, mut sent) = (0, 0, 0);
            for (how, bad) in too_large() {
                let app =
                    app(Auth::builder().upstream_base_url(url.clone()).upstream_session_strategy(strategy))
                        .await;
                let host = format!("Host: {}\r\n", app.addr);
                let (good, bad) = ask_during_attack(&app, &bad, 8, &host).await;
                assert_eq!(good.succeeded, good.total, "{upstream}, {strategy:?}, {how}: {good:?}");
                (total, succeeded, sent) = (total + good.total, succeeded + good.succeeded, sent + bad);
            }
            println!(
                "circuit breaker: {succeeded} of {total} good requests answered while {sent} too large ones were sent \
                to {upstream}, {strategy}"
            );
            assert!(total > 100 && sent > 100, "too few requests: {total} good, {sent} bad");
        }
    }
}

/// Answers 503 for an unknown host, as HAProxy and nginx do.
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

/// Requests with each of these hosts. `more` is a header line in which `{}` stands for the host.
fn hosts(named: &[&str], more: &str) -> Vec<String> {
    let targets = ["/me", "/api/auth/session", "/api/auth/providers", "/api/auth/signin"];
    let request = |host: &str, target: &str| {
        let line = if host.is_empty() { String::new() } else { format!("Host: {host}\r\n") };
        let version = if host.is_empty() { "1.0" } else { "1.1" };
        let cookie = format!("Cookie: {COOKIE_NAME}=aaaa..bbbb.cccc.dddd\r\n");
        format!(
            "GET {target} HTTP/{version}\r\n{line}Connection: close\r\n{}{cookie}\r\n",
            more.replace("{}", host)
        )
    };
    named.iter().flat_map(|host| targets.map(|target| request(host, target))).collect()
}

const HOSTS: [&str; 6] = ["zzz", "localhost", "127.9.9.9", "x.localhost", "[::1]", ""];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_hosts_do_not_open_the_circuit() {
    let upstream = router(|host| host == "app.localhost" || host.starts_with("127.0.0.1")).await;
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let app =
            app(Auth::builder().upstream_base_url(upstream.url("")).upstream_session_strategy(strategy))
                .await;
        let (good, sent) = ask_during_attack(&app, &hosts(&HOSTS, ""), 40, "Host: app.localhost\r\n").await;
        println!(
            "circuit breaker: {} of {} good requests answered while {sent} with foreign hosts were sent, {}",
            good.succeeded, good.total, strategy
        );
        assert_eq!(good.succeeded, good.total, "{good:?}");
    }
}

/// A trusted proxy sends the public host of the app. The router answers requests for that host only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_forwarded_hosts_do_not_open_the_circuit() {
    let upstream = router(|host| host == "app.example.com").await;
    let builder = Auth::builder().upstream_base_url(upstream.url("")).trusted_proxies(["127.0.0.1"]);
    let app = app(builder).await;
    let host_headers = "Host: app.internal\r\nX-Forwarded-Host: app.example.com\r\n";
    // A proxy that accepts every host copies the client's host into `X-Forwarded-Host`.
    let bad = hosts(&HOSTS[..4], "X-Forwarded-Host: {}\r\n");
    let (good, sent) = ask_during_attack(&app, &bad, 40, host_headers).await;
    println!(
        "circuit breaker: {} of {} good requests answered while {sent} with foreign hosts came through a trusted proxy",
        good.succeeded, good.total
    );
    assert_eq!(good.succeeded, good.total, "{good:?}");
}

/// The probe must use the public host: with any other host the router answers 503 and the circuit would stay open.
#[tokio::test]
async fn circuit_closes_again_behind_a_router_that_knows_only_the_public_host() {
    let port = auth_proxy_tests::free_port();
    let builder =
        Auth::builder().upstream_base_url(format!("http://127.0.0.1:{port}")).trusted_proxies(["127.0.0.1"]);
    let app = app(builder.upstream_retries(0).upstream_circuit_breaker(3)).await;
    let request_me = async || {
        let headers =
            format!("X-Forwarded-Host: app.example.com\r\nCookie: {COOKIE_NAME}=aaaa..bbbb.cccc.dddd\r\n");
        app.raw_get("/me", &headers).await.0
    };
    for _ in 0..4 {
        assert!(request_me().await >= 502, "the upstream is not running yet");
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
        while request_me().await != 200 {
            tries += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let found = found.await;
    println!("circuit breaker: closed after {tries} rejected requests: {}", found.is_ok());
    found.expect("the circuit breaker did not close within 15 s");
}

//! Attack: a client is accepted at one host or upstream by a cached session, or a lookup in progress, of another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy_tests::{App, COOKIE_NAME, SharedStore};
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};

use crate::support::{Auth, app, get};

const HOUR: Duration = Duration::from_secs(3600);
const PAIRS: usize = 60;

/// An upstream that accepts the requests for which `accepts` is true, answers after 20 ms, and counts lookups.
async fn upstream(
    accepts: impl Fn(&Request) -> bool + Clone + Send + Sync + 'static,
) -> (App, Arc<AtomicUsize>) {
    let lookups = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lookups);
    let answer = move |request: Request| {
        count.fetch_add(1, SeqCst);
        let is_accepted = accepts(&request);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let response: Response = if is_accepted {
                r#"{"user":{"name":"Ada"}}"#.into_response()
            } else {
                ([("set-cookie", format!("{COOKIE_NAME}=; Max-Age=0"))], "null").into_response()
            };
            response
        }
    };
    (App::start(Router::new().fallback(answer)).await, lookups)
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn token(number: usize) -> String {
    format!("Cookie: {COOKIE_NAME}=aaaa..bbbb.cccc.{number:04}\r\n")
}

/// Sends each token to both hosts at the same time, twice, and counts the accepted requests of each host.
async fn accepted_at_both_hosts(app: &App, one: &str, other: &str) -> (usize, usize) {
    let (mut at_one, mut at_other) = (0, 0);
    for n in 0..PAIRS {
        let cookie = token(n);
        for _ in 0..2 {
            let (first, second) =
                tokio::join!(get(app, "/me", one, &cookie), get(app, "/me", other, &cookie));
            at_one += usize::from(first.0 == 200);
            at_other += usize::from(second.0 == 200);
        }
    }
    (at_one, at_other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_of_one_host_is_not_served_at_another() {
    let (one, other) = ("a.localhost", "b.localhost");
    let (upstream, _) = upstream(move |request| header(request, "host") == one).await;
    for (how, cache) in [("without a cache", Duration::ZERO), ("with a cache", HOUR)] {
        for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
            let app = app(Auth::builder()
                .upstream_base_url(upstream.url(""))
                .upstream_session_strategy(strategy)
                .session_cache(cache))
            .await;
            // In both orders: the second request could join the lookup of the first one.
            let (at_one, at_other) = accepted_at_both_hosts(&app, one, other).await;
            let (at_other_first, at_one_second) = accepted_at_both_hosts(&app, other, one).await;
            let (good, bad) = (at_one + at_one_second, at_other + at_other_first);
            println!(
                "keys: {bad} of {} requests accepted at another host, {good} at its own, {how}, {}",
                4 * PAIRS,
                strategy
            );
            assert_eq!((good, bad), (4 * PAIRS, 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_of_one_declared_host_is_not_served_at_another() {
    let (one, other) = ("a.example.com", "b.example.com");
    let (upstream, _) = upstream(move |request| header(request, "host") == one).await;
    for cache in [Duration::ZERO, HOUR] {
        let builder = Auth::builder().upstream_base_url(upstream.url("")).session_cache(cache);
        let app = app(builder.hosts([one, other])).await;
        let (good, bad) = accepted_at_both_hosts(&app, one, other).await;
        println!(
            "keys: {bad} of {} requests accepted at another declared host, {good} at its own",
            2 * PAIRS
        );
        assert_eq!((good, bad), (2 * PAIRS, 0));
    }
}

/// A trusted proxy sends the scheme, and the upstream accepts the token only over https.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_of_one_scheme_is_not_served_over_another() {
    let (upstream, _) = upstream(|request| header(request, "x-forwarded-proto") == "https").await;
    for cache in [Duration::ZERO, HOUR] {
        let builder = Auth::builder()
            .upstream_base_url(upstream.url(""))
            .session_cache(cache)
            .trusted_proxies(["127.0.0.1"]);
        let app = app(builder).await;
        let (mut good, mut bad) = (0, 0);
        for n in 0..PAIRS {
            let lines = |scheme: &str| {
                format!("X-Forwarded-Host: app.example.com\r\nX-Forwarded-Proto: {scheme}\r\n{}", token(n))
            };
            let (secure, plain) = (lines("https"), lines("http"));
            let (first, second) = tokio::join!(
                get(&app, "/me", "app.example.com", &secure),
                get(&app, "/me", "app.example.com", &plain)
            );
            good += usize::from(first.0 == 200);
            bad += usize::from(second.0 == 200);
        }
        println!("keys: {bad} of {PAIRS} requests accepted over http, {good} over https");
        assert_eq!((good, bad), (PAIRS, 0));
    }
}

type Differ = fn(Builder<Auth>, &App) -> Builder<Auth>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shared_store_keeps_sessions_of_different_upstreams_apart() {
    let accepts = |request: &Request| {
        let is_tenant = matches!(header(request, "x-tenant"), "" | "one");
        request.uri().path() == "/api/auth/session"
            && is_tenant
            && header(request, "cookie").starts_with(COOKIE_NAME)
    };
    let ((first, lookups), (second, _)) = (upstream(accepts).await, upstream(|_| false).await);
    let ways: [(&str, Differ); 4] = [
        ("another upstream", |builder, second| builder.upstream_base_url(second.url(""))),
        ("another base path", |builder, _| builder.upstream_base_path("/auth")),
        ("another tenant", |builder, _| builder),
        ("another cookie", |builder, _| builder.upstream_cookie_name("other.session-token")),
    ];
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        for (how, change) in ways {
            let store = SharedStore::default();
            let builder = || {
                let builder =
                    Auth::builder().upstream_base_url(first.url("")).upstream_session_strategy(strategy);
                builder.public_url("http://app.test").session_cache(HOUR).session_store(store.clone())
            };
            let tenant = if how == "another tenant" { "two" } else { "one" };
            let first_one = || builder().upstream_headers([("x-tenant", "one")]);
            let (one, same) = (app(first_one()).await, app(first_one()).await);
            let other = app(change(builder().upstream_headers([("x-tenant", tenant)]), &second)).await;
            let before = lookups.load(SeqCst);
            let mut accepted = 0;
            for n in 0..PAIRS {
                assert_eq!(get(&one, "/me", "app.test", &token(n)).await.0, 200);
                assert_eq!(get(&same, "/me", "app.test", &token(n)).await.0, 200);
                let cookie =
                    if how == "another cookie" { token(n).replace("authjs.", "other.") } else { token(n) };
                accepted += usize::from(get(&other, "/me", "app.test", &cookie).await.0 == 200);
            }
            // With an empty store the test would prove nothing.
            assert!(lookups.load(SeqCst) - before >= PAIRS, "the upstream was not asked for every token");
            assert!(!store.sessions().is_empty(), "the shared store is empty");
            println!("keys: {accepted} of {PAIRS} sessions in a shared store accepted at {how}, {strategy}");
            assert_eq!(accepted, 0, "{how}, {strategy:?}");
        }
    }
}

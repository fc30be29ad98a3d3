//! Allocations of a request whose answer is known: spans and metrics that nobody wants must add none.
//!
//! It is a program of its own, because the other suites have a subscriber that wants everything.

use allocation_counter::measure;
use auth_proxy::auth_proxy;
use auth_proxy::testing::mint;
use axum::Router;
use axum::http::{HeaderMap, HeaderValue};
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

auth_proxy! {
    struct Auth { upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") }, session: { cache: 1h } }
}

const SECRET: &str = "a secret of session tokens, 32 bytes";

/// The allocations of a cached session, of a token that was verified before, and of a new lookup.
fn allocations() -> [u64; 3] {
    let upstream = Router::new().fallback(|| async { r#"{"user":{"name":"Ada"}}"# });
    let auth = Auth::builder().vars([("AUTH_SECRET", SECRET)]).upstream_fetch(upstream).build().unwrap();
    let headers = |sub: &str| {
        let token = mint(&json!({ "sub": sub }), SECRET, "authjs.session-token");
        let cookie = HeaderValue::from_str(&format!("authjs.session-token={token}")).unwrap();
        HeaderMap::from_iter([("cookie".parse().unwrap(), cookie)])
    };
    let (known, warm, new) = (headers("1"), headers("2"), headers("3"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let session = |headers: &HeaderMap| drop(runtime.block_on(auth.session(headers)).unwrap().unwrap());
    let token = |headers: &HeaderMap| drop(runtime.block_on(auth.token(headers)).unwrap().unwrap());
    // Twice: the first time fills the caches, and what is made once.
    for _ in 0..2 {
        session(&known);
        session(&warm);
        token(&known);
    }
    [measure(|| session(&known)), measure(|| token(&known)), measure(|| session(&new))]
        .map(|counted| counted.count_total)
}

#[test]
fn spans_that_nobody_wants_allocate_nothing() {
    let without = allocations();
    let off = tracing_subscriber::registry().with(LevelFilter::OFF);
    let unwanted = tracing::subscriber::with_default(off, allocations);
    let all =
        tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().with_writer(std::io::sink));
    let wanted = tracing::subscriber::with_default(all, allocations);
    println!(
        "allocations of a cached session, a known token and a lookup: {without:?}; with a subscriber: {wanted:?}"
    );
    // A lookup runs in a task, whose allocations vary.
    assert_eq!(without[..2], unwanted[..2]);
    assert!(
        wanted.iter().zip(without).all(|(with, without)| *with > without),
        "the spans are counted: {wanted:?}"
    );
    // A cached session: the token, its credential, and the head of the request with its lines. The feature `metrics`, which
    // the tests have, makes the labels of three and of two numbers besides.
    assert_eq!(without[..2], [7, 2]);
}

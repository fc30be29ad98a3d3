//! Allocations of a request whose answer is known: spans and metrics that nobody wants must add none. And the memory of a
//! session that is remembered.
//!
//! It is a program of its own, because the other suites have a subscriber that wants everything.

use std::sync::{Mutex, PoisonError};

use allocation_counter::measure;
use auth_proxy::auth_proxy;
use auth_proxy::options::SessionStrategy;
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

/// Held by a test: what the subscriber of another one makes on first use is not counted.
static ALONE: Mutex<()> = Mutex::new(());

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
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
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

/// So many sessions are found before it is measured what one takes. 16,384 are held in the app's type too, and not only as
/// text, so from then on each new one closes another. The tables of the memory grow when they hold a power of two, or seven
/// eighths of one: at 16,384 and at 28,672, whatever the number of tables they are divided into.
const START: usize = 20_000;

#[test]
fn remembered_session_takes_at_most_600_bytes() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let upstream = Router::new().fallback(|headers: HeaderMap| async move {
        let cookie = headers["cookie"].to_str().unwrap();
        let n = &cookie[cookie.len() - 12..];
        let mut body = format!(
            r#"{{"user":{{"id":"{n}","name":"Ada","email":"{n}@example.com","image":"https://example.com/","role":"member"}},"#
        );
        body += r#""expires":"2100-01-01T00:00:00.000Z"}"#;
        let more = 200 - body.len();
        body.replace("https://example.com/", &format!("https://example.com/{}", "0".repeat(more)))
    });
    let auth = Auth::builder()
        .upstream_secret([""; 0])
        .upstream_session_strategy(SessionStrategy::Database)
        .upstream_fetch(upstream)
        .session_cache_entries(30_000)
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let looked_up = |from: usize, to: usize| {
        for n in from..to {
            let cookie = HeaderValue::from_str(&format!("authjs.session-token={n:012}")).unwrap();
            let headers = HeaderMap::from_iter([("cookie".parse().unwrap(), cookie)]);
            let session = runtime.block_on(auth.session(&headers)).unwrap().unwrap();
            assert_eq!(session.user.id.as_deref(), Some(format!("{n:012}").as_str()));
        }
    };
    let added = 1000;
    looked_up(0, START);
    let counted = measure(|| looked_up(START, START + added));
    let each = counted.bytes_current / i64::try_from(added).unwrap();
    println!("a remembered session takes {each} bytes, besides its places in tables");
    // The tables of a million sessions take about 130 bytes for each.
    assert!((200..=450).contains(&each), "{each}");
    // Closed or open, it is the same session.
    looked_up(0, 10);
}

//! Session stores: a custom `SessionStore` that is shared, hangs or fails, and the bounded memory store.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use auth_proxy::store::{Entry, Put, SessionKey, SessionStore, StoreFuture};
use auth_proxy_tests::{App, Browser, Ending, SharedStore};

use crate::support::renewing_upstream::{COOKIE, HOUR, Upstream, ask, name};
use crate::support::{Auth, app_of, routes};

#[tokio::test]
async fn instances_with_a_shared_store_share_sessions_and_sign_outs() {
    let (upstream, store) = (Upstream::default(), SharedStore::default());
    let instance = || {
        app_of(upstream.auth().public_url("http://app.test").session_cache(HOUR).session_store(store.clone()))
    };
    let ((_one, first), (other, second)) = (instance().await, instance().await);
    assert_eq!(name(&first, "ada").await, "ada");
    assert_eq!(name(&second, "ada").await, "ada");
    assert_eq!(upstream.lookups(), 1);
    let sessions = store.sessions();
    let shows = |text: &str| {
        sessions.iter().any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    assert!(sessions.len() == 2 && !shows("ada") && !shows("user"), "the store can read the session");
    // After a sign-out at one instance, the other instance must ask the upstream again.
    let sign_out = reqwest::Client::new().post(other.url("/api/auth/signout"));
    sign_out.header("cookie", "authjs.session-token=ada").send().await.unwrap();
    name(&first, "ada").await;
    assert_eq!(upstream.lookups(), 2);
}

async fn sign_out(app: &App, token: &str) {
    let sign_out = reqwest::Client::new().post(app.url("/api/auth/signout"));
    sign_out.header("cookie", format!("{COOKIE}={token}")).send().await.unwrap();
}

/// Lets ten minutes pass. Then another session is renewed and ended, because that is when the app drops old records.
async fn pass_ten_minutes(app: &App, browser: &Browser) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(600)).await;
    tokio::time::resume();
    assert_eq!(name(browser, "bob").await, "bob");
    sign_out(app, "bob").await;
}

/// The instance that handled the sign-out remembers it for as long as the store may hold the session.
#[tokio::test]
async fn sign_out_lasts_here_when_the_store_cannot_remove_the_session() {
    let upstream = Upstream::default();
    let builder = upstream.auth().session_cache(HOUR).session_store(SharedStore::ending(Ending::Fails));
    let (app, browser) = app_of(builder).await;
    assert_eq!(name(&browser, "ada").await, "ada");
    sign_out(&app, "ada").await;
    pass_ten_minutes(&app, &browser).await;
    upstream.lookups.store(0, SeqCst);
    name(&browser, "ada").await;
    assert_eq!(upstream.lookups(), 1, "the session from before the sign-out was used");
}

/// A sign-out also removes the session under the older tokens, for as long as the store may hold it under them.
#[tokio::test]
async fn sign_out_removes_older_tokens_from_the_store() {
    let (upstream, store) = (Upstream::default(), SharedStore::default());
    let (app, browser) = app_of(upstream.auth().session_cache(HOUR).session_store(store.clone())).await;
    assert_eq!(name(&browser, "ada").await, "ada");
    pass_ten_minutes(&app, &browser).await;
    sign_out(&app, "adax").await;
    // One session is left: the one that was ended in between was looked up again by nobody.
    assert_eq!(store.sessions().len(), 0, "the session is still in the store under its first token");
}

/// A store whose methods never return, as if its server hung.
struct HangingStore;

impl SessionStore for HangingStore {
    fn get<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, Entry> {
        Box::pin(std::future::pending())
    }

    fn put(&self, _: Put) -> StoreFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn end<'a>(&'a self, _: &'a [SessionKey], _: Duration) -> StoreFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn hanging_store_does_not_block_sessions() {
    let upstream = Upstream::default();
    // A store call may take a quarter of `upstream.timeout`, here 250 ms.
    let builder = upstream
        .auth()
        .session_cache(HOUR)
        .session_store(HangingStore)
        .upstream_timeout(Duration::from_secs(1));
    let (app, browser) = app_of(builder.upstream_retries(0)).await;
    assert_eq!(name(&browser, "ada").await, "ada");
    assert_eq!(name(&browser, "refused").await, "session_refused");
    let sign_out = reqwest::Client::new().post(app.url("/api/auth/signout"));
    let answer = sign_out.header("cookie", format!("{COOKIE}=ada")).send().await.unwrap();
    assert!(answer.status().as_u16() < 400, "{answer:?}");
}

/// A sign-out is answered within `upstream.timeout` while neither the store nor the upstream answers, however many
/// tokens it carries.
#[tokio::test]
async fn hanging_store_does_not_extend_the_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let builder = Auth::builder().upstream_base_url(format!("http://{}", listener.local_addr().unwrap()));
    let builder =
        builder.upstream_timeout(Duration::from_secs(1)).session_cache(HOUR).session_store(HangingStore);
    let (_app, browser) = app_of(builder).await;
    let cookies = format!("{COOKIE}=aaaa..bbbb.cccc.dddd; {COOKIE}.0=a; {COOKIE}.1=b; __Secure-{COOKIE}=c");
    let began = std::time::Instant::now();
    let answer = browser.post_with("/api/auth/signout", &[("a", "b")], &[("cookie", &cookies)]).await;
    assert_eq!(answer.code(), "upstream_timeout");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// A store whose methods all fail, as if its server were unreachable.
struct FailingStore;

impl SessionStore for FailingStore {
    fn get<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, Entry> {
        Box::pin(async { Err("connection refused".into()) })
    }

    fn put(&self, _: Put) -> StoreFuture<'_, ()> {
        Box::pin(async { Err("connection refused".into()) })
    }

    fn end<'a>(&'a self, _: &'a [SessionKey], _: Duration) -> StoreFuture<'a, ()> {
        Box::pin(async { Err("connection refused".into()) })
    }
}

#[tokio::test]
async fn failing_store_makes_every_request_ask_the_upstream() {
    let upstream = Upstream::default();
    let (app, browser) = app_of(upstream.auth().session_cache(HOUR).session_store(FailingStore)).await;
    for lookups in 1..=2 {
        assert_eq!(name(&browser, "ada").await, "ada");
        assert_eq!(upstream.lookups(), lookups);
    }
    let sign_out = reqwest::Client::new().post(app.url("/api/auth/signout"));
    let answer = sign_out.header("cookie", format!("{COOKIE}=ada")).send().await.unwrap();
    assert!(answer.status().as_u16() < 400, "{answer:?}");
}

/// Sessions beyond `session.cache_entries` are evicted, so the next request looks them up again.
#[tokio::test]
async fn cache_entries_bounds_the_memory_store() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().session_cache(HOUR).session_cache_entries(10).build().unwrap());
    for _ in 0..2 {
        for n in 0..1_000 {
            assert_eq!(ask(app.clone(), format!("user{n}")).await, format!("user{n}"));
        }
    }
    assert!(upstream.lookups() > 1_900, "{}", upstream.lookups());
}

/// The bound limits memory: a session of 60 kB counts as several entries and does not fit into this cache.
#[tokio::test]
async fn large_session_counts_as_several_entries() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().session_cache(HOUR).session_cache_entries(20).build().unwrap());
    for (token, expected) in [("ada", 1), ("large", 2)] {
        upstream.lookups.store(0, SeqCst);
        for _ in 0..2 {
            assert_eq!(ask(app.clone(), token.to_owned()).await, token);
        }
        assert_eq!(upstream.lookups(), expected, "{token}");
    }
}

//! Where sessions are kept: in memory that is bounded, or in a store of the app's own.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::store::{CachedSession, SessionKey, SessionStore, StoreFuture};

use crate::session_cache::{COOKIE, HOUR, Upstream, ask, name};
use crate::support::{Auth, app_of, routes};

/// A store of the app's own, as instances would share it: it keeps what serde makes of a session.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<std::collections::HashMap<SessionKey, String>>>);

impl SessionStore for Shared {
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
        Box::pin(async move {
            let kept = self.0.lock().unwrap().get(key).cloned();
            Ok(kept.map(|text| serde_json::from_str(&text)).transpose()?)
        })
    }

    fn put(&self, key: SessionKey, session: CachedSession, _keep: Duration) -> StoreFuture<'_, ()> {
        let text = serde_json::to_string(&session).unwrap();
        Box::pin(async move {
            self.0.lock().unwrap().insert(key, text);
            Ok(())
        })
    }

    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.0.lock().unwrap().remove(key);
            Ok(())
        })
    }
}

#[tokio::test]
async fn instances_with_a_shared_store_share_sessions_and_sign_outs() {
    let (upstream, store) = (Upstream::default(), Shared::default());
    let instance = || {
        app_of(upstream.auth().public_url("http://app.test").session_cache(HOUR).session_store(store.clone()))
    };
    let ((_one, first), (other, second)) = (instance().await, instance().await);
    assert_eq!(name(&first, "ada").await, "ada");
    assert_eq!(name(&second, "ada").await, "ada");
    assert_eq!(upstream.lookups(), 1);
    assert!(store.0.lock().unwrap().values().all(|text| !text.contains("adax")));
    // Signed out at one, asked for again at the other.
    let sign_out = reqwest::Client::new().post(other.url("/api/auth/signout"));
    sign_out.header("cookie", "authjs.session-token=ada").send().await.unwrap();
    name(&first, "ada").await;
    assert_eq!(upstream.lookups(), 2);
}

/// A store that hangs costs a moment, and nobody's session.
struct Hangs;

impl SessionStore for Hangs {
    fn get<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
        Box::pin(std::future::pending())
    }

    fn put(&self, _: SessionKey, _: CachedSession, _: Duration) -> StoreFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn remove<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn hanging_store_does_not_block_sessions() {
    let upstream = Upstream::default();
    // Each call is given up after a quarter of a second.
    let builder =
        upstream.auth().session_cache(HOUR).session_store(Hangs).upstream_timeout(Duration::from_secs(1));
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
    let builder = builder.upstream_timeout(Duration::from_secs(1)).session_cache(HOUR).session_store(Hangs);
    let (_app, browser) = app_of(builder).await;
    let cookies = format!("{COOKIE}=aaaa..bbbb.cccc.dddd; {COOKIE}.0=a; {COOKIE}.1=b; __Secure-{COOKIE}=c");
    let began = std::time::Instant::now();
    let answer = browser.post_with("/api/auth/signout", &[("a", "b")], &[("cookie", &cookies)]).await;
    assert_eq!(answer.code(), "upstream_timeout");
    assert!(began.elapsed() < Duration::from_millis(1200), "{:?}", began.elapsed());
}

/// A store whose every call fails, such as one that cannot be reached.
struct Fails;

impl SessionStore for Fails {
    fn get<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
        Box::pin(async { Err("connection refused".into()) })
    }

    fn put(&self, _: SessionKey, _: CachedSession, _: Duration) -> StoreFuture<'_, ()> {
        Box::pin(async { Err("connection refused".into()) })
    }

    fn remove<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(async { Err("connection refused".into()) })
    }
}

#[tokio::test]
async fn failing_store_makes_every_request_ask_the_upstream() {
    let upstream = Upstream::default();
    let (app, browser) = app_of(upstream.auth().session_cache(HOUR).session_store(Fails)).await;
    for lookups in 1..=2 {
        assert_eq!(name(&browser, "ada").await, "ada");
        assert_eq!(upstream.lookups(), lookups);
    }
    let sign_out = reqwest::Client::new().post(app.url("/api/auth/signout"));
    let answer = sign_out.header("cookie", format!("{COOKIE}=ada")).send().await.unwrap();
    assert!(answer.status().as_u16() < 400, "{answer:?}");
}

/// The bound holds: what does not fit is forgotten, and asked for again.
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

/// The bound is of memory: one large session counts for as many as it is large.
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

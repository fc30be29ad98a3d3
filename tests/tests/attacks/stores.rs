//! Attack: a session is used again after its sign-out, or the sign-out is not answered, because of how the session is
//! stored or how its token was sent.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy::store::{CachedSession, SessionKey, SessionStore, StoreFuture};
use auth_proxy_tests::{App, COOKIE_NAME, SharedStore};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::support::{Auth, app, read};

const HOUR: Duration = Duration::from_secs(3600);

/// An upstream with one session, `ada`. Every POST ends it, whether its token is in a cookie or in `Authorization`, and
/// is answered after a while.
#[derive(Clone, Default)]
struct Upstream {
    ended: Arc<AtomicBool>,
    delay: Duration,
    /// Whether lookups wait for the end of the session, and fail then.
    fails: Arc<AtomicBool>,
}

impl Upstream {
    async fn answer(self, request: Request) -> Response {
        let cleared = [("set-cookie", format!("{COOKIE_NAME}=; Max-Age=0; Path=/"))];
        if request.method() == "POST" {
            self.ended.store(true, SeqCst);
            tokio::time::sleep(self.delay).await;
            return match request.headers().contains_key("authorization") {
                true => "ended".into_response(),
                false => (cleared, "ended").into_response(),
            };
        }
        if self.fails.load(SeqCst) {
            while !self.ended.load(SeqCst) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // The sign-out is answered first.
            tokio::time::sleep(Duration::from_millis(100)).await;
            return StatusCode::BAD_GATEWAY.into_response();
        }
        match self.ended.load(SeqCst) {
            true => (cleared, "null").into_response(),
            false => r#"{"user":{"name":"ada"},"expires":"2099-01-01T00:00:00.000Z"}"#.into_response(),
        }
    }

    fn auth(&self) -> Builder<Auth> {
        let upstream = self.clone();
        let router = Router::new().fallback(move |request: Request| upstream.answer(request));
        Auth::builder()
            .upstream_base_url("http://auth")
            .upstream_session_strategy(SessionStrategy::Database)
            .upstream_fetch(router)
            .session_cache(HOUR)
            .upstream_timeout(Duration::from_secs(1))
    }
}

async fn send(app: &App, head: &str, credential: &str) -> (u16, String) {
    let more = "Host: localhost\r\nContent-Length: 0\r\nConnection: close\r\n";
    read(&app.raw(&format!("{head} HTTP/1.1\r\n{more}{credential}\r\n\r\n")).await)
}

fn cookie() -> String {
    format!("Cookie: {COOKIE_NAME}=ada-token")
}

const ME: &str = "GET /me";
const SIGN_OUT: &str = "POST /api/auth/signout";

/// How a store of the app's own misbehaves when a session is removed from it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Removal {
    Works,
    Fails,
    Hangs,
    Panics,
    /// Panics before it returns a future.
    PanicsAtOnce,
}

/// A store in memory, like the one in the documentation of `SessionStore`.
#[derive(Clone)]
struct Memory {
    sessions: Arc<Mutex<HashMap<SessionKey, CachedSession>>>,
    removed: Arc<Mutex<HashSet<SessionKey>>>,
    removal: Removal,
}

impl Memory {
    fn new(removal: Removal) -> Self {
        Self { sessions: Arc::default(), removed: Arc::default(), removal }
    }
}

impl SessionStore for Memory {
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
        Box::pin(async move { Ok(self.sessions.lock().unwrap().get(key).cloned()) })
    }

    fn put(&self, key: SessionKey, session: CachedSession, _: Duration) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.sessions.lock().unwrap().insert(key, session);
            Ok(())
        })
    }

    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
        self.removed.lock().unwrap().insert(*key);
        assert!(self.removal != Removal::PanicsAtOnce, "the store panics");
        Box::pin(async move {
            match self.removal {
                Removal::Works => drop(self.sessions.lock().unwrap().remove(key)),
                Removal::Fails => return Err("connection refused".into()),
                Removal::Hangs => std::future::pending().await,
                Removal::Panics | Removal::PanicsAtOnce => panic!("the store panics"),
            }
            Ok(())
        })
    }
}

const REMOVALS: [Removal; 5] =
    [Removal::Works, Removal::Fails, Removal::Hangs, Removal::Panics, Removal::PanicsAtOnce];

/// A token that an app sends in `Authorization` is ended by a request that has it there.
#[tokio::test]
async fn request_by_bearer_token_ends_its_session() {
    let app = app(Upstream::default().auth()).await;
    let bearer = "Authorization: Bearer ada-token";
    assert_eq!(send(&app, ME, bearer).await.0, 200);
    assert_eq!(send(&app, "POST /api/auth/account/close", bearer).await.0, 200);
    assert_eq!(send(&app, ME, bearer).await.0, 401, "the ended session was used");
}

/// Two proxies in one process share a store that keeps the sessions as values, and cannot remove the session. The proxy
/// that signed out does not use it.
#[tokio::test]
async fn sign_out_lasts_when_another_proxy_of_the_process_stored_the_session() {
    for removal in REMOVALS {
        let (upstream, store) = (Upstream::default(), Memory::new(removal));
        let (first, second) = (
            app(upstream.auth().session_store(store.clone())).await,
            app(upstream.auth().session_store(store)).await,
        );
        assert_eq!(send(&first, ME, &cookie()).await.0, 200);
        assert_eq!(send(&second, ME, &cookie()).await.0, 200);
        let (status, answer) = send(&second, SIGN_OUT, &cookie()).await;
        assert!(status == 200 && answer.contains("max-age=0"), "{removal:?}: {answer}");
        assert_eq!(send(&second, ME, &cookie()).await.0, 401, "{removal:?}: the ended session was used");
    }
}

/// "Every request is answered within `upstream.timeout`": also when the upstream takes nearly that long and the store
/// hangs before and after it.
#[tokio::test]
async fn hanging_store_does_not_extend_a_late_answer() {
    let upstream = Upstream { delay: Duration::from_millis(700), ..Upstream::default() };
    let app = app(upstream.auth().session_store(Memory::new(Removal::Hangs))).await;
    assert_eq!(send(&app, ME, &cookie()).await.0, 200);
    let began = Instant::now();
    let (status, answer) = send(&app, SIGN_OUT, &cookie()).await;
    let took = began.elapsed();
    assert!(status == 200 && answer.contains("max-age=0"), "{answer}");
    assert!(took < Duration::from_millis(1100), "{took:?}");
    assert_eq!(send(&app, ME, &cookie()).await.0, 401, "the ended session was used");
}

/// A lookup is under way, a sign-out is answered, and then the upstream fails: the ended session is not used in place of
/// the lookup's answer, wherever it is stored.
#[tokio::test]
async fn ended_session_is_not_used_when_the_lookup_under_way_fails() {
    for store in [Some(SharedStore::default()), None] {
        let upstream = Upstream::default();
        let builder = upstream.auth().session_cache(Duration::from_millis(200)).session_stale_if_error(HOUR);
        let is_shared = store.is_some();
        let builder = match store {
            Some(store) => builder.session_store(store),
            None => builder,
        };
        let app = app(builder.upstream_retries(0)).await;
        assert_eq!(send(&app, ME, &cookie()).await.0, 200);
        tokio::time::sleep(Duration::from_millis(300)).await;
        upstream.fails.store(true, SeqCst);
        let credential = cookie();
        let (me, sign_out) = tokio::join!(send(&app, ME, &credential), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            send(&app, SIGN_OUT, &credential).await
        });
        assert_eq!(sign_out.0, 200, "{sign_out:?}");
        assert_eq!(me.0, 502, "a shared store: {is_shared}: {me:?}");
    }
}

/// Every token of a request is tried, whatever the store does with the first.
#[tokio::test]
async fn every_token_is_removed_from_the_store() {
    for removal in REMOVALS {
        let store = Memory::new(removal);
        let app = app(Upstream::default().auth().session_store(store.clone())).await;
        let cookies = format!("{}; __Secure-{COOKIE_NAME}=bob-token", cookie());
        assert_eq!(send(&app, SIGN_OUT, &cookies).await.0, 200, "{removal:?}");
        assert_eq!(store.removed.lock().unwrap().len(), 2, "{removal:?}");
    }
}

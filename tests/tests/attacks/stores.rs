//! Attack: a session is used again after its sign-out, or the sign-out is not answered, because of how the session is
//! stored or how its token was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy_tests::{App, COOKIE_NAME, Ending, SharedStore};
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
    /// Whether lookups read the session, and answer a while later.
    answers_late: Arc<AtomicBool>,
    lookups: Arc<AtomicUsize>,
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
        self.lookups.fetch_add(1, SeqCst);
        let has_ended = self.ended.load(SeqCst);
        if self.answers_late.load(SeqCst) {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        match has_ended {
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
    for ending in Ending::ALL {
        let (upstream, store) = (Upstream::default(), SharedStore::ending(ending));
        let (first, second) = (
            app(upstream.auth().session_store(store.clone())).await,
            app(upstream.auth().session_store(store)).await,
        );
        assert_eq!(send(&first, ME, &cookie()).await.0, 200);
        assert_eq!(send(&second, ME, &cookie()).await.0, 200);
        let (status, answer) = send(&second, SIGN_OUT, &cookie()).await;
        assert!(status == 200 && answer.contains("max-age=0"), "{ending:?}: {answer}");
        assert_eq!(send(&second, ME, &cookie()).await.0, 401, "{ending:?}: the ended session was used");
    }
}

/// "Every request is answered within `upstream.timeout`": also when the upstream takes nearly that long and the store
/// hangs before and after it.
#[tokio::test]
async fn hanging_store_does_not_extend_a_late_answer() {
    let upstream = Upstream { delay: Duration::from_millis(700), ..Upstream::default() };
    let app = app(upstream.auth().session_store(SharedStore::ending(Ending::Hangs))).await;
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
    for ending in Ending::ALL {
        let store = SharedStore::ending(ending);
        let app = app(Upstream::default().auth().session_store(store.clone())).await;
        let cookies = format!("{}; __Secure-{COOKIE_NAME}=bob-token", cookie());
        assert_eq!(send(&app, SIGN_OUT, &cookies).await.0, 200, "{ending:?}");
        assert_eq!(store.ended(), 2, "{ending:?}");
    }
}

fn kinds_of_store() -> [SharedStore; 2] {
    [SharedStore::default(), SharedStore::telling_ends()]
}

/// A lookup is under way at one instance while the visitor signs out at another. Its late answer does not bring the
/// session back, at any instance.
#[tokio::test]
async fn lookup_under_way_does_not_bring_back_a_session_that_ended_at_another_instance() {
    for store in kinds_of_store() {
        let upstream = Upstream::default();
        upstream.answers_late.store(true, SeqCst);
        let instance = async || app(upstream.auth().session_store(store.clone())).await;
        let (first, second, third) = (instance().await, instance().await, instance().await);
        let credential = cookie();
        let (me, sign_out) = tokio::join!(send(&first, ME, &credential), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            send(&second, SIGN_OUT, &credential).await
        });
        assert_eq!(
            (me.0, sign_out.0),
            (200, 200),
            "the lookup began before the sign-out: {me:?} {sign_out:?}"
        );
        for (name, app) in [("first", &first), ("second", &second), ("third", &third)] {
            assert_eq!(send(app, ME, &credential).await.0, 401, "{name}: the ended session was used");
        }
    }
}

/// The memory of an instance is in front of a store that tells what the others ended.
#[tokio::test]
async fn sign_out_at_another_instance_empties_the_memory_in_front_of_the_store() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let instance = async || app(upstream.auth().session_store(store.clone())).await;
    let (first, second) = (instance().await, instance().await);
    for app in [&first, &second, &first, &second] {
        assert_eq!(send(app, ME, &cookie()).await.0, 200);
    }
    assert_eq!(store.reads(), 2, "each instance reads the store once, and then its memory");
    assert_eq!(upstream.lookups.load(SeqCst), 1, "the second instance found the session in the store");
    assert_eq!(send(&second, SIGN_OUT, &cookie()).await.0, 200);
    assert_eq!(send(&first, ME, &cookie()).await.0, 401, "the ended session was used");
}

/// While the store is down, sign-outs at other instances are not told. What an instance remembered before is not used,
/// neither during the outage nor after it.
#[tokio::test]
async fn outage_of_the_store_empties_the_memory() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let app = app(upstream.auth().session_store(store.clone())).await;
    let lookups = async || {
        assert_eq!(send(&app, ME, &cookie()).await.0, 200);
        upstream.lookups.load(SeqCst)
    };
    assert_eq!((lookups().await, lookups().await), (1, 1));
    store.go_down();
    // As without a store: the memory serves from now on.
    assert_eq!((lookups().await, lookups().await), (2, 2));
    upstream.ended.store(true, SeqCst);
    store.come_back();
    assert_eq!(send(&app, ME, &cookie()).await.0, 401, "what was remembered in the outage was used");
}

//! `Session::ended`: handlers that run long stop when the session ends.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use auth_proxy::Session;
use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy::sessions::{SessionData, SessionEnd};
use auth_proxy_tests::{COOKIE_NAME, SharedStore};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;

use crate::support::Auth;
use crate::support::renewing_upstream::HOUR;

const PRESENT: u8 = 0;
const SIGNED_OUT: u8 = 1;
const DOWN: u8 = 2;

/// An upstream with one session, which a POST to `/signout` ends.
#[derive(Clone, Default)]
struct Upstream {
    state: Arc<AtomicU8>,
    lookups: Arc<AtomicUsize>,
    /// The session expires this many seconds after the first lookup. Zero: in 2099.
    lasts: u64,
    expires: Arc<std::sync::OnceLock<SystemTime>>,
}

impl Upstream {
    async fn answer(self, request: Request) -> Response {
        let cleared = [("set-cookie", format!("{COOKIE_NAME}=; Max-Age=0; Path=/"))];
        if request.method() == "POST" {
            self.state.store(SIGNED_OUT, SeqCst);
            return cleared.into_response();
        }
        self.lookups.fetch_add(1, SeqCst);
        let now = SystemTime::now();
        let expires = *self.expires.get_or_init(|| match self.lasts {
            0 => SystemTime::UNIX_EPOCH + Duration::from_secs(4_070_908_800),
            seconds => now + Duration::from_secs(seconds),
        });
        let text = date(expires);
        match self.state.load(SeqCst) {
            DOWN => StatusCode::BAD_GATEWAY.into_response(),
            PRESENT if now < expires => {
                format!(r#"{{"user":{{"name":"ada"}},"expires":"{text}"}}"#).into_response()
            }
            _ => (cleared, "null").into_response(),
        }
    }

    fn auth(&self) -> Builder<Auth> {
        let upstream = self.clone();
        let router = Router::new().fallback(move |request: Request| upstream.clone().answer(request));
        Auth::builder()
            .upstream_base_url("http://auth")
            .upstream_session_strategy(SessionStrategy::Database)
            .upstream_retries(0)
            .upstream_fetch(router)
    }
}

/// The text of a time, as a date of JavaScript.
fn date(time: SystemTime) -> String {
    let mut session = SessionData::new(());
    session.expires = Some(time);
    serde_json::to_value(&session).unwrap()["expires"].as_str().unwrap().to_owned()
}

fn cookie() -> HeaderMap {
    HeaderMap::from_iter([("cookie".parse().unwrap(), format!("{COOKIE_NAME}=ada-token").parse().unwrap())])
}

async fn session(auth: &Auth) -> Session<Auth> {
    auth.session(&cookie()).await.unwrap().unwrap()
}

async fn sign_out(auth: &Auth) {
    let request =
        Request::post("/api/auth/signout").header("host", "localhost").header("cookie", &cookie()["cookie"]);
    let answer = auth.router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

/// Whether the future is ready within a second.
async fn within_a_second<T>(future: impl Future<Output = T>) -> Option<T> {
    timeout(Duration::from_secs(1), future).await.ok()
}

#[tokio::test]
async fn sign_out_at_this_or_another_instance_ends_a_waiting_handler() {
    for caches in [false, true] {
        let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
        let builder = || {
            let builder = upstream.auth().session_store(store.clone());
            if caches { builder.session_cache(HOUR) } else { builder }
        };
        let (first, second) = (builder().build().unwrap(), builder().build().unwrap());
        let session = session(&first).await;
        let waiting = tokio::spawn({
            let session = session.clone();
            async move { session.ended().await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        sign_out(if caches { &second } else { &first }).await;
        assert_eq!(within_a_second(waiting).await.unwrap().unwrap(), SessionEnd::SignedOut);
        // One that begins to wait only now is told at once.
        assert_eq!(within_a_second(session.ended()).await, Some(SessionEnd::SignedOut));
    }
}

#[tokio::test]
async fn outage_of_the_upstream_ends_no_session() {
    let upstream = Upstream::default();
    let auth = upstream.auth().session_cache(HOUR).build().unwrap();
    let session = session(&auth).await;
    upstream.state.store(DOWN, SeqCst);
    assert_eq!(within_a_second(session.ended()).await, None, "the upstream cannot tell");
}

#[tokio::test]
async fn expired_session_ends_a_waiting_handler() {
    let upstream = Upstream { lasts: 1, ..Upstream::default() };
    let session = session(&upstream.auth().build().unwrap()).await;
    let began = Instant::now();
    let end = timeout(Duration::from_secs(3), session.ended()).await.unwrap();
    assert_eq!(end, SessionEnd::Expired);
    assert!(began.elapsed() > Duration::from_millis(500), "{:?}", began.elapsed());
}

/// The session ends at another app, which tells nobody here: the next look at it finds that.
#[tokio::test]
async fn session_is_looked_up_again_from_time_to_time() {
    let upstream = Upstream::default();
    let session = session(&upstream.auth().build().unwrap()).await;
    let waiting = tokio::spawn(async move { session.ended().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let lookups = upstream.lookups.load(SeqCst);
    upstream.state.store(SIGNED_OUT, SeqCst);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    assert_eq!(within_a_second(waiting).await.unwrap().unwrap(), SessionEnd::SignedOut);
    assert_eq!(upstream.lookups.load(SeqCst), lookups + 1);
}

#[tokio::test]
async fn helpers_stop_a_future_and_a_stream() {
    /// A stream that always has an item.
    struct Endless;
    impl Stream for Endless {
        type Item = u8;
        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
            Poll::Ready(Some(1))
        }
    }
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let session = session(&auth).await;
    assert_eq!(session.until_ended(async { 7 }).await, Ok(7));
    let mut stream = Box::pin(session.stream_until_ended(Endless));
    let mut next = async || std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await;
    assert_eq!(next().await, Some(1));
    let forever = session.until_ended(std::future::pending::<()>());
    let (end, ()) = tokio::join!(within_a_second(forever), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sign_out(&auth).await;
    });
    assert_eq!(end, Some(Err(SessionEnd::SignedOut)));
    let drained = within_a_second(async {
        while next().await.is_some() {
            tokio::task::yield_now().await;
        }
    });
    assert!(drained.await.is_some(), "the stream goes on after the sign-out");
    assert_eq!(next().await, None, "a stream that ended stays ended");
}

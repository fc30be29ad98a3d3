//! What a sign-out, a sign-in or a change ends, and what it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::{CachedSession, SessionKey, SessionStore, StoreFuture, Strategy};
use auth_proxy_tests::App;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tower::ServiceExt as _;

use crate::cache::{HOUR, Upstream};
use crate::support::{Auth, app, app_of, routes, upstream};

use super::{PLAIN, cookie_of, oneshot, session_cookies};

/// A store that forgets nothing, as when it cannot be reached for the moment of the sign-out. It keeps what serde makes of
/// a session, as one outside of this process does.
#[derive(Default)]
struct Stubborn(std::sync::Mutex<std::collections::HashMap<SessionKey, String>>);

impl SessionStore for Stubborn {
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
        Box::pin(async move { serde_json::from_str(self.0.lock().unwrap().get(key)?).ok() })
    }
    fn put(&self, key: SessionKey, session: CachedSession, _: Duration) -> StoreFuture<'_, ()> {
        let text = serde_json::to_string(&session).unwrap();
        Box::pin(async move { drop(self.0.lock().unwrap().insert(key, text)) })
    }
    fn remove<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

/// A lookup with the token that the one before brought.
async fn upstream_renews(app: &Router, n: usize) {
    let token = format!("ada{}", "x".repeat(n));
    let answer = oneshot(app, "GET", "/api/auth/session", &format!("{PLAIN}={token}")).await;
    assert_eq!(session_cookies(answer.headers()), [format!("{PLAIN}={token}x")]);
}

/// README, "Answers on their way": a request that the browser sent before the sign-out and that arrives after it gives it
/// no session cookie. That holds for a lookup; the page's own `GET session`, the commonest of them, signs it in again.
#[tokio::test]
async fn a_forwarded_session_request_that_arrives_late_meets_the_end() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    let signed_in = browser.sign_in("demo", "demo").await;
    let cookie = session_cookies(&signed_in.headers).remove(0);
    let old = cookie.split(';').next().unwrap();
    assert_eq!(browser.get("/session").await.status, 200);
    browser.sign_out().await;
    assert_eq!(browser.get("/session").await.status, 401);
    for path in ["/session", "/api/auth/session"] {
        let late = browser.get_with(path, &[("cookie", old)]).await;
        assert_eq!(session_cookies(&late.headers), Vec::<String>::new(), "{path}");
    }
}

/// README, "What is remembered": a sign-out through this proxy is known at once on this instance. `SessionStore` says that
/// a removal that the store does not take in time is not known to the *other* instances.
#[tokio::test]
async fn a_sign_out_that_the_store_did_not_take_is_known_here() {
    let upstream = Upstream::default();
    let auth = upstream.auth().session_cache(HOUR).session_store(Stubborn::default());
    let app = routes(&auth.upstream_timeout(Duration::from_millis(400)).build().unwrap());
    let ada = format!("{PLAIN}=ada");
    for _ in 0..2 {
        oneshot(&app, "GET", "/session", &ada).await;
    }
    assert_eq!(upstream.lookups(), 1, "remembered");
    oneshot(&app, "POST", "/api/auth/signout", &ada).await;
    oneshot(&app, "GET", "/session", &ada).await;
    assert_eq!(upstream.lookups(), 2, "asked again after the sign-out");
}

/// README, "What ends a session here": it ends before the request goes up and again when it is answered, also when the
/// upstream fails meanwhile. A browser that leaves, as pages do at a sign-out, has it end before the upstream is done:
/// what another tab looks up in between stays remembered.
#[tokio::test]
async fn a_sign_out_whose_browser_left_is_known_when_it_is_done() {
    let gone = Arc::new(AtomicBool::new(false));
    let answer = move |request: Request| async move {
        if request.uri().path().ends_with("/signout") {
            let gone = Arc::clone(&gone);
            // A server goes on when its client leaves.
            let done = tokio::spawn(async move {
                sleep(Duration::from_millis(500)).await;
                gone.store(true, SeqCst);
            });
            done.await.unwrap();
        }
        if gone.load(SeqCst) {
            return ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "null");
        }
        ([("set-cookie", format!("{PLAIN}=ada"))], r#"{"user":{"name":"Ada"}}"#)
    };
    let upstream = App::start(Router::new().fallback(answer)).await;
    let builder =
        Auth::builder().upstream_base_url(upstream.url("")).upstream_session_strategy(Strategy::Database);
    let (app, browser) = app_of(builder.session_cache(HOUR)).await;
    let ada = format!("{PLAIN}=ada");
    let status = async || browser.get_with("/session", &[("cookie", &ada)]).await.status;
    let mut leaves = tokio::net::TcpStream::connect(app.addr).await.unwrap();
    let form = format!(
        "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nCookie: {ada}\r\nContent-Length: 0\r\n\r\n"
    );
    leaves.write_all(form.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    drop(leaves);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(status().await, 200, "not signed out yet");
    sleep(Duration::from_millis(600)).await;
    assert_eq!(status().await, 401, "signed out through this instance half a second ago");
}

/// README, "Answers on their way": for 2 minutes more no lookup gives the browser a cookie for a token of that session.
/// Every renewal of anybody's takes the place of such a mark: at 140 lookups a second the 2 minutes are over before.
#[tokio::test]
async fn renewals_of_others_do_not_shorten_what_is_known_of_an_end() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().build().unwrap());
    let late = async || {
        let answer = oneshot(&app, "GET", "/session", &format!("{PLAIN}=victim")).await;
        session_cookies(answer.headers())
    };
    oneshot(&app, "POST", "/api/auth/signout", &format!("{PLAIN}=victim")).await;
    assert_eq!(late().await, Vec::<String>::new());
    for n in 0..16_400 {
        oneshot(&app, "GET", "/session", &format!("{PLAIN}=other{n}")).await;
    }
    assert_eq!(late().await, Vec::<String>::new());
}

/// README, "What ends a session here": it ends under every token that it was renewed through. The renewal of a forwarded
/// `GET session` is noted with the first token of the request, and not with the one that was renewed: with a stray cookie
/// of the other name, the old token outlives the sign-out.
#[tokio::test]
async fn a_renewed_token_belongs_to_the_one_that_it_was_renewed_of() {
    for stray in ["", "__Secure-authjs.session-token=AAAA..AAAA.strayAAA.AAAA; "] {
        let gate = Arc::new(Semaphore::new(0));
        let waits = Arc::clone(&gate);
        let session = move |headers: HeaderMap| async move {
            let token = cookie_of(&headers, PLAIN).unwrap_or_default().to_owned();
            // A lookup, by a slow page of another tab: it has nothing but the token.
            if token.contains("first") && !headers.contains_key("x-from-page") {
                waits.acquire().await.unwrap().forget();
            }
            let next = token.replace("first", "next1");
            ([("set-cookie", format!("{PLAIN}={next}"))], r#"{"user":{"name":"Ada"}}"#).into_response()
        };
        let router = Router::new()
            .route("/api/auth/session", get(session))
            .fallback(|| async { ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "{}").into_response() });
        let auth = Auth::builder().upstream_base_url("http://auth").upstream_fetch(router).build().unwrap();
        let app = routes(&auth);
        // The upstream is seen to use the plain name.
        oneshot(&app, "GET", "/session", &format!("{PLAIN}=AAAA..AAAA.otherAAA.AAAA")).await;
        let cookies = |token: &str| format!("{stray}{PLAIN}=AAAA..AAAA.{token}AAA.AAAA");
        let slow = {
            let (app, cookies) = (app.clone(), cookies("first"));
            tokio::spawn(async move { oneshot(&app, "GET", "/session", &cookies).await })
        };
        sleep(Duration::from_millis(100)).await;
        let page = Request::get("/api/auth/session").header("host", "localhost").header("x-from-page", "1");
        let page = page.header("cookie", cookies("first")).body(Body::empty()).unwrap();
        let renewed = app.clone().oneshot(page).await.unwrap();
        assert!(session_cookies(renewed.headers())[0].contains("next1"));
        oneshot(&app, "POST", "/api/auth/signout", &cookies("next1")).await;
        gate.add_permits(1);
        let slow = slow.await.unwrap();
        assert_eq!(slow.status(), 200);
        assert_eq!(session_cookies(slow.headers()), Vec::<String>::new(), "signed in again, {stray:?}");
    }
}

/// README, "What ends a session here": it ends again when it is answered, also when the upstream fails meanwhile. One that
/// is late does what it was asked for after the proxy gave it up.
#[tokio::test]
async fn a_sign_out_that_is_late_is_known_when_it_is_done() {
    let gone = Arc::new(AtomicBool::new(false));
    let answer = move |request: Request| async move {
        if request.uri().path().ends_with("/signout") {
            let gone = Arc::clone(&gone);
            let done = tokio::spawn(async move {
                sleep(Duration::from_millis(700)).await;
                gone.store(true, SeqCst);
            });
            done.await.unwrap();
        }
        if gone.load(SeqCst) {
            return ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "null");
        }
        ([("set-cookie", format!("{PLAIN}=ada"))], r#"{"user":{"name":"Ada"}}"#)
    };
    let auth = Auth::builder().upstream_base_url("http://auth").upstream_session_strategy(Strategy::Database);
    let auth =
        auth.upstream_fetch(Router::new().fallback(answer)).upstream_timeout(Duration::from_millis(300));
    let app = routes(&auth.session_cache(HOUR).build().unwrap());
    let ada = format!("{PLAIN}=ada");
    assert_eq!(oneshot(&app, "POST", "/api/auth/signout", &ada).await.status(), 504);
    assert_eq!(oneshot(&app, "GET", "/session", &ada).await.status(), 200, "not signed out yet");
    sleep(Duration::from_millis(600)).await;
    assert_eq!(oneshot(&app, "GET", "/session", &ada).await.status(), 401, "signed out since");
}

/// README, "When the upstream is in trouble": everything is answered within `upstream.timeout`. A store that does not
/// answer is given up for each token of a session by itself, one after the other, before a sign-out and again after it.
#[tokio::test]
async fn a_sign_out_is_answered_in_time_whatever_the_store_does() {
    let upstream = Upstream::default();
    let auth = upstream.auth().session_cache(HOUR).session_store(Stubborn::default());
    let app = routes(&auth.upstream_timeout(Duration::from_millis(800)).build().unwrap());
    for n in 0..12 {
        // Renewed each time: in an hour of a visitor who comes every minute.
        upstream_renews(&app, n).await;
    }
    let began = std::time::Instant::now();
    oneshot(&app, "POST", "/api/auth/signout", &format!("{PLAIN}=ada")).await;
    assert!(began.elapsed() < Duration::from_millis(1600), "{:?}", began.elapsed());
}

/// README, "What ends a session here": also in the other spellings that a database may take for the same token. The
/// collations that MySQL and Prisma choose by themselves (`utf8mb4_0900_ai_ci`, `utf8mb4_unicode_ci`) tell no accents
/// apart: a thief who writes the token with one is known here after the sign-out.
#[tokio::test]
async fn a_spelling_with_accents_is_no_token() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().session_cache(HOUR).build().unwrap());
    let (own, spelt) = (format!("{PLAIN}=ade"), format!("{PLAIN}=ad%C3%A9"));
    oneshot(&app, "GET", "/session", &own).await;
    assert_eq!(upstream.lookups(), 1);
    // No token of Auth.js has such a character: it is refused, unasked.
    assert_eq!(oneshot(&app, "GET", "/session", &spelt).await.status(), 401);
    oneshot(&app, "POST", "/api/auth/signout", &own).await;
    assert_eq!(oneshot(&app, "GET", "/session", &spelt).await.status(), 401);
    assert_eq!(upstream.lookups(), 1);
}

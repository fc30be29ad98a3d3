//! Cache evictions by a sign-out, a sign-in or a session change, also when the store or the browser fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::options::SessionStrategy;
use auth_proxy_tests::{App, Ending, SharedStore};
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

use crate::support::renewing_upstream::{HOUR, Upstream};
use crate::support::{Auth, app, app_of, routes, upstream};

use super::{PLAIN, cookie_of, oneshot, session_cookies};

/// Forwards the n-th `GET session`, with the token that the previous response set.
async fn renew_nth_token(app: &Router, n: usize) {
    let token = format!("ada{}", "x".repeat(n));
    let answer = oneshot(app, "GET", "/api/auth/session", &format!("{PLAIN}={token}")).await;
    assert_eq!(session_cookies(answer.headers()), [format!("{PLAIN}={token}x")]);
}

/// guide::caching, "Requests under way": a request that the browser sent before the sign-out and that arrives after it
/// gets no session cookie. That holds for lookups and for the forwarded `GET session` of a page.
#[tokio::test]
async fn late_forwarded_session_request_gets_no_cookie() {
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

/// guide::caching: a sign-out takes effect on this instance at once, even if the store does not remove the
/// session in time. Only other instances may still find it (`SessionStore`).
#[tokio::test]
async fn sign_out_takes_effect_on_this_instance_when_the_store_hangs() {
    let upstream = Upstream::default();
    let auth = upstream.auth().session_cache(HOUR).session_store(SharedStore::ending(Ending::Hangs));
    let app = routes(&auth.upstream_timeout(Duration::from_millis(400)).build().unwrap());
    let ada = format!("{PLAIN}=ada");
    for _ in 0..2 {
        oneshot(&app, "GET", "/session", &ada).await;
    }
    assert_eq!(upstream.lookups(), 1, "the second request is served from the cache");
    oneshot(&app, "POST", "/api/auth/signout", &ada).await;
    oneshot(&app, "GET", "/session", &ada).await;
    assert_eq!(upstream.lookups(), 2, "the upstream is asked again after the sign-out");
}

/// guide::caching, "What ends a session": the session is evicted before the sign-out is forwarded and again after its
/// response. The second eviction must also happen if the browser disconnects, since another tab may have looked the
/// session up in between.
#[tokio::test]
async fn sign_out_evicts_again_after_the_browser_disconnects() {
    let signed_out = Arc::new(AtomicBool::new(false));
    let answer = move |request: Request| async move {
        if request.uri().path().ends_with("/signout") {
            let signed_out = Arc::clone(&signed_out);
            // A server finishes the sign-out although its client disconnects.
            let done = tokio::spawn(async move {
                sleep(Duration::from_millis(500)).await;
                signed_out.store(true, SeqCst);
            });
            done.await.unwrap();
        }
        if signed_out.load(SeqCst) {
            return ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "null");
        }
        ([("set-cookie", format!("{PLAIN}=ada"))], r#"{"user":{"name":"Ada"}}"#)
    };
    let upstream = App::start(Router::new().fallback(answer)).await;
    let builder = Auth::builder()
        .upstream_base_url(upstream.url(""))
        .upstream_session_strategy(SessionStrategy::Database);
    let (app, browser) = app_of(builder.session_cache(HOUR)).await;
    let ada = format!("{PLAIN}=ada");
    let status = async || browser.get_with("/session", &[("cookie", &ada)]).await.status;
    let mut aborted = tokio::net::TcpStream::connect(app.addr).await.unwrap();
    let form = format!(
        "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nCookie: {ada}\r\nContent-Length: 0\r\n\r\n"
    );
    aborted.write_all(form.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    drop(aborted);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(status().await, 200, "the upstream has not ended the session yet");
    sleep(Duration::from_millis(600)).await;
    assert_eq!(status().await, 401, "this instance ended the session half a second ago");
}

/// guide::caching, "Requests under way": for 2 minutes after a sign-out no lookup sets a cookie for a token of that
/// session. Renewals of other sessions must not evict the record of the sign-out: at 140 lookups a second they would do
/// so in less than 2 minutes.
#[tokio::test]
async fn renewals_of_other_sessions_do_not_evict_a_sign_out_record() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().build().unwrap());
    let late_cookies = async || {
        let answer = oneshot(&app, "GET", "/session", &format!("{PLAIN}=victim")).await;
        session_cookies(answer.headers())
    };
    oneshot(&app, "POST", "/api/auth/signout", &format!("{PLAIN}=victim")).await;
    assert_eq!(late_cookies().await, Vec::<String>::new());
    for n in 0..16_400 {
        oneshot(&app, "GET", "/session", &format!("{PLAIN}=other{n}")).await;
    }
    assert_eq!(late_cookies().await, Vec::<String>::new());
}

/// guide::caching, "What ends a session": a sign-out ends all earlier tokens of the session. When a forwarded `GET
/// session` renews a token, the app must record that token and not the first one of the request. A stray cookie under
/// the other name makes the two differ.
#[tokio::test]
async fn sign_out_also_ends_the_token_from_before_a_renewal() {
    for stray in ["", "__Secure-authjs.session-token=AAAA..AAAA.strayAAA.AAAA; "] {
        let gate = Arc::new(Semaphore::new(0));
        let waits = Arc::clone(&gate);
        let session = move |headers: HeaderMap| async move {
            let token = cookie_of(&headers, PLAIN).unwrap_or_default().to_owned();
            // The lookup of a slow page in another tab waits; `x-from-page` marks the forwarded request.
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
        // From this response the app learns that the upstream uses the plain name.
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
        assert_eq!(
            session_cookies(slow.headers()),
            Vec::<String>::new(),
            "the late response signs the browser in again, stray cookie {stray:?}"
        );
    }
}

/// guide::caching, "What ends a session": the session is evicted again after a failed sign-out, since the upstream may
/// complete the sign-out after the proxy's timeout.
#[tokio::test]
async fn timed_out_sign_out_evicts_the_session_again() {
    let signed_out = Arc::new(AtomicBool::new(false));
    let answer = move |request: Request| async move {
        if request.uri().path().ends_with("/signout") {
            let signed_out = Arc::clone(&signed_out);
            let done = tokio::spawn(async move {
                sleep(Duration::from_millis(700)).await;
                signed_out.store(true, SeqCst);
            });
            done.await.unwrap();
        }
        if signed_out.load(SeqCst) {
            return ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "null");
        }
        ([("set-cookie", format!("{PLAIN}=ada"))], r#"{"user":{"name":"Ada"}}"#)
    };
    let auth =
        Auth::builder().upstream_base_url("http://auth").upstream_session_strategy(SessionStrategy::Database);
    let auth =
        auth.upstream_fetch(Router::new().fallback(answer)).upstream_timeout(Duration::from_millis(300));
    let app = routes(&auth.session_cache(HOUR).build().unwrap());
    let ada = format!("{PLAIN}=ada");
    assert_eq!(oneshot(&app, "POST", "/api/auth/signout", &ada).await.status(), 504);
    assert_eq!(
        oneshot(&app, "GET", "/session", &ada).await.status(),
        200,
        "the upstream has not ended the session yet"
    );
    sleep(Duration::from_millis(600)).await;
    assert_eq!(
        oneshot(&app, "GET", "/session", &ada).await.status(),
        401,
        "the upstream has ended the session by now"
    );
}

/// guide::outages: every request is answered within `upstream.timeout`. The removals of all tokens
/// of a session must share one timeout, since sequential timeouts would add up.
#[tokio::test]
async fn sign_out_with_a_hanging_store_is_answered_in_time() {
    let upstream = Upstream::default();
    let auth = upstream.auth().session_cache(HOUR).session_store(SharedStore::ending(Ending::Hangs));
    let app = routes(&auth.upstream_timeout(Duration::from_millis(800)).build().unwrap());
    for n in 0..12 {
        // Each request renews the token, so the session has many tokens.
        renew_nth_token(&app, n).await;
    }
    let began = std::time::Instant::now();
    oneshot(&app, "POST", "/api/auth/signout", &format!("{PLAIN}=ada")).await;
    assert!(began.elapsed() < Duration::from_millis(1600), "{:?}", began.elapsed());
}

/// guide::caching, "What ends a session": a sign-out covers the other spellings that a database may accept for the
/// token. The default collations of MySQL and Prisma (`utf8mb4_0900_ai_ci`, `utf8mb4_unicode_ci`) ignore accents, so a
/// token with an accent could stay cached after the sign-out. Such a token is rejected.
#[tokio::test]
async fn session_cookie_with_non_ascii_text_is_rejected() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().session_cache(HOUR).build().unwrap());
    let (plain, accented) = (format!("{PLAIN}=ade"), format!("{PLAIN}=ad%C3%A9"));
    oneshot(&app, "GET", "/session", &plain).await;
    assert_eq!(upstream.lookups(), 1);
    // No token of Auth.js contains an accent, so the token is rejected without a lookup.
    assert_eq!(oneshot(&app, "GET", "/session", &accented).await.status(), 401);
    oneshot(&app, "POST", "/api/auth/signout", &plain).await;
    assert_eq!(oneshot(&app, "GET", "/session", &accented).await.status(), 401);
    assert_eq!(upstream.lookups(), 1);
}

//! The session cache: shared lookups of concurrent requests, expiry, and eviction by auth routes.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use tokio::sync::Semaphore;
use tokio::task::unconstrained;
use tower::ServiceExt as _;

use crate::support::renewing_upstream::{COOKIE, HOUR, Upstream, ask, name};
use crate::support::{Auth, app_of, routes, upstream};

#[tokio::test]
async fn concurrent_requests_with_one_cookie_share_one_lookup() {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = Upstream { gate: Some(Arc::clone(&gate)), ..Upstream::default() };
    let app = routes(&upstream.auth().build().unwrap());
    let mut requests: Vec<_> =
        (0..10_000).map(|_| Box::pin(unconstrained(ask(app.clone(), "ada".to_owned())))).collect();
    // Polls each request once. Afterwards all of them wait for the same lookup.
    let mut context = Context::from_waker(Waker::noop());
    assert!(requests.iter_mut().all(|request| request.as_mut().poll(&mut context).is_pending()));
    gate.add_permits(10_000);
    for name in requests {
        assert_eq!(name.await, "ada");
    }
    assert_eq!(upstream.lookups(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_with_different_cookies_get_their_own_session() {
    let upstream = Upstream::default();
    // The timeout is long because all requests wait in the queue, which takes a while on a slow machine.
    let auth = upstream
        .auth()
        .upstream_concurrency(64)
        .upstream_queue(10_000)
        .upstream_timeout(Duration::from_secs(120))
        .build()
        .unwrap();
    let app = routes(&auth);
    let requests: Vec<_> =
        (0..10_000).map(|n| (n, tokio::spawn(ask(app.clone(), format!("user{n}"))))).collect();
    for (n, name) in requests {
        assert_eq!(name.await.unwrap(), format!("user{n}"));
    }
    assert_eq!(upstream.lookups(), 10_000);
    assert!(upstream.max_concurrent.load(SeqCst) <= 64);
}

/// Two callers share a lookup. When the first one is cancelled, the second must still get the session.
#[tokio::test]
async fn cancelled_request_does_not_cancel_a_shared_lookup() {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = Upstream { gate: Some(Arc::clone(&gate)), ..Upstream::default() };
    let app = routes(&upstream.auth().build().unwrap());
    let first = tokio::spawn(ask(app.clone(), "ada".to_owned()));
    upstream.lookup_started.notified().await;
    let second = tokio::spawn(ask(app.clone(), "ada".to_owned()));
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    gate.add_permits(1);
    assert_eq!(second.await.unwrap(), "ada");
    assert_eq!(upstream.lookups(), 1);
}

#[tokio::test]
async fn session_is_cached_under_its_renewed_token_too() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().session_cache(HOUR)).await;
    let first = browser.get_with("/session", &[("cookie", &format!("{COOKIE}=ada"))]).await;
    // Only the request that waited for the lookup gets the renewed cookie.
    assert_eq!(first.cookies(), [format!("{COOKIE}=adax")]);
    for token in ["ada", "adax"] {
        let again = browser.get_with("/session", &[("cookie", &format!("{COOKIE}={token}"))]).await;
        assert_eq!(
            (again.json()["user"]["name"].as_str(), again.cookies().len()),
            (Some("ada"), 0),
            "{token}"
        );
    }
    assert_eq!(upstream.lookups(), 1);
    // A percent-encoded token is the same token. A different token needs its own lookup.
    let escaped = format!("{COOKIE}=%61da");
    assert_eq!(browser.get_with("/session", &[("cookie", &escaped)]).await.json()["user"]["name"], "ada");
    assert_eq!(upstream.lookups(), 1);
    assert_eq!(name(&browser, "bob").await, "bob");
    assert_eq!(upstream.lookups(), 2);
}

#[tokio::test]
async fn sessions_are_not_cached_by_default() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    for _ in 0..3 {
        assert_eq!(name(&browser, "ada").await, "ada");
        assert_eq!(name(&browser, "refused").await, "session_refused");
    }
    assert_eq!(upstream.lookups(), 6);
}

#[tokio::test]
async fn cached_session_expires_after_session_cache() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().session_cache(Duration::from_millis(10))).await;
    name(&browser, "ada").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    name(&browser, "ada").await;
    assert_eq!(upstream.lookups(), 2);
}

#[tokio::test]
async fn refused_token_is_cached_and_its_cookie_cleared_each_time() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().session_cache(HOUR)).await;
    for _ in 0..3 {
        let answer = browser.get_with("/session", &[("cookie", &format!("{COOKIE}=refused"))]).await;
        assert_eq!((answer.code().as_str(), answer.cookies().len()), ("session_refused", 1));
    }
    assert_eq!(upstream.lookups(), 1);
}

/// A sign-in, sign-out, callback or session change evicts the cached session under its old and its renewed token.
#[tokio::test]
async fn mutating_auth_routes_evict_the_cached_session() {
    let upstream = Upstream::default();
    let (app, browser) = app_of(upstream.auth().session_cache(HOUR)).await;
    let client = reqwest::Client::new();
    // A lookup of `ada` renews the token to `adax` and caches the session under both.
    let ask_with_both = async || {
        for token in ["ada", "adax"] {
            name(&browser, token).await;
        }
    };
    ask_with_both().await;
    for (method, path) in [
        ("POST", "signout"),
        ("POST", "signin/credentials"),
        ("POST", "session"),
        ("POST", "callback/credentials"),
        ("GET", "callback/github"),
        ("PUT", "account"),
        ("PATCH", "account"),
        ("DELETE", "account"),
        ("GET", "verify-email/confirm?token=x"),
        ("GET", "password/reset/confirm?token=x"),
        ("GET", "signs-out"),
        ("GET", "signs-in"),
    ] {
        let before = upstream.lookups();
        ask_with_both().await;
        assert_eq!(upstream.lookups(), before, "the session is cached before {method} {path}");
        // The request carries the renewed token. The session is evicted under the older token too.
        let request = client.request(method.parse().unwrap(), app.url(&format!("/api/auth/{path}")));
        request.header("cookie", format!("{COOKIE}=adax")).send().await.unwrap();
        let before = upstream.lookups();
        ask_with_both().await;
        assert_eq!(upstream.lookups(), before + 1, "{method} {path}");
    }
    // A read-only route evicts nothing.
    name(&browser, "ada").await;
    let before = upstream.lookups();
    browser.get_with("/api/auth/providers", &[("cookie", &format!("{COOKIE}=ada"))]).await;
    name(&browser, "ada").await;
    assert_eq!(upstream.lookups(), before);
}

/// Some databases, such as MySQL, compare tokens case-insensitively, so one session may be cached under several
/// spellings. A sign-out must evict all of them.
#[tokio::test]
async fn sign_out_evicts_every_letter_case_of_a_token() {
    let upstream = Upstream::default();
    let (app, browser) = app_of(upstream.auth().session_cache(HOUR)).await;
    for spelling in ["ada", "ADA", "Ada"] {
        let other = name(&browser, spelling).await;
        // Before the sign-out each spelling has its own cache entry.
        assert_eq!(other, spelling);
        let lookups = upstream.lookups();
        let request = reqwest::Client::new().post(app.url("/api/auth/signout"));
        request.header("cookie", format!("{COOKIE}=ada")).send().await.unwrap();
        name(&browser, spelling).await;
        assert_eq!(upstream.lookups(), lookups + 1, "{spelling}");
    }
}

/// A session that was found in memory is found by a fingerprint from then on. A sign-out by another spelling ends it too.
#[tokio::test]
async fn sign_out_by_another_spelling_ends_a_session_that_is_found_by_its_fingerprint() {
    let upstream = Upstream::default();
    let (app, browser) = app_of(upstream.auth().session_cache(HOUR)).await;
    for signed_out in ["ADA", "a-d-a", "%61da"] {
        for _ in 0..4 {
            assert_eq!(name(&browser, "ada").await, "ada");
        }
        let lookups = upstream.lookups();
        let request = reqwest::Client::new().post(app.url("/api/auth/signout"));
        request.header("cookie", format!("{COOKIE}={signed_out}")).send().await.unwrap();
        name(&browser, "ada").await;
        assert_eq!(upstream.lookups(), lookups + 1, "{signed_out}");
    }
}

/// Each host and each cookie name has its own answer, however often another one was found.
#[tokio::test]
async fn session_that_is_found_by_its_fingerprint_is_not_that_of_another_host_or_name() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().session_cache(HOUR).hosts(["a.example", "b.example"])).await;
    let ask = async |host: &str, cookie: String| {
        let answer = browser.get_with("/session", &[("host", host), ("cookie", &cookie)]).await;
        answer.json()["user"]["name"].as_str().map(str::to_owned)
    };
    for _ in 0..4 {
        assert_eq!(ask("a.example", format!("{COOKIE}=ada")).await.as_deref(), Some("ada"));
    }
    assert_eq!(upstream.lookups(), 1);
    ask("b.example", format!("{COOKIE}=ada")).await;
    assert_eq!(upstream.lookups(), 2, "another host");
    for _ in 0..4 {
        ask("b.example", format!("{COOKIE}=ada")).await;
    }
    assert_eq!(upstream.lookups(), 2);
    assert_eq!(ask("b.example", format!("{COOKIE}=adb")).await.as_deref(), Some("adb"));
    assert_eq!(upstream.lookups(), 3, "another token");
}

/// The browser gets a renewed token only when its own is older than `session.renew`.
#[tokio::test]
async fn renewed_cookie_is_relayed_only_after_session_renew() {
    for (older_than, relayed) in [(Duration::ZERO, 3), (HOUR, 1)] {
        let upstream = Upstream::default();
        let (_app, browser) = app_of(upstream.auth().session_renew(older_than)).await;
        let mut token = "ada".to_owned();
        let mut seen = 0;
        for _ in 0..3 {
            let cookie = format!("{COOKIE}={token}");
            let answer = browser.get_with("/session", &[("cookie", &cookie)]).await;
            assert_eq!(answer.status, 200);
            if let Some(renewed) = answer.cookies().first() {
                token = renewed.split(['=', ';']).nth(1).unwrap().to_owned();
                seen += 1;
            }
        }
        assert_eq!((seen, upstream.lookups()), (relayed, 3), "{older_than:?}");
        // A cleared cookie is always relayed.
        let refused = browser.get_with("/session", &[("cookie", &format!("{COOKIE}=refused"))]).await;
        assert_eq!(refused.cookies().len(), 1);
    }
}

/// A lookup that started before a sign-out may still find the session. Its result must not be cached or renew the
/// cookie.
#[tokio::test]
async fn lookup_started_before_a_sign_out_sets_no_cookie() {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = Upstream { gate: Some(Arc::clone(&gate)), ..Upstream::default() };
    let app = routes(&upstream.auth().session_cache(HOUR).build().unwrap());
    let cookie = format!("{COOKIE}=ada");
    let request = Request::get("/session").header("cookie", &cookie).body(Body::empty()).unwrap();
    let early = tokio::spawn(app.clone().oneshot(request));
    upstream.lookup_started.notified().await;
    let request = Request::post("/api/auth/signout")
        .header("host", "localhost")
        .header("cookie", format!("{COOKIE}=ada"));
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let late = tokio::spawn(ask(app.clone(), "ada".to_owned()));
    upstream.lookup_started.notified().await;
    gate.add_permits(2);
    let early = early.await.unwrap().unwrap();
    // A renewed cookie here would sign the visitor in again.
    assert_eq!((early.status().as_u16(), early.headers().get("set-cookie")), (200, None));
    assert_eq!(late.await.unwrap(), "ada");
    assert_eq!(upstream.lookups(), 2);
    // The lookup that started after the sign-out is cached.
    assert_eq!(ask(app, "ada".to_owned()).await, "ada");
    assert_eq!(upstream.lookups(), 2);
}

#[tokio::test]
async fn outage_serves_an_expired_session_only_with_stale_if_error() {
    for (stale, expected) in [(HOUR, "ada"), (Duration::ZERO, "upstream_failed")] {
        let upstream = Upstream::default();
        let builder = upstream.auth().session_cache(Duration::from_millis(10)).session_stale_if_error(stale);
        let (_app, browser) = app_of(builder).await;
        name(&browser, "ada").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        *upstream.down.lock().unwrap() = true;
        assert_eq!(name(&browser, "ada").await, expected);
        // A session that is not cached is neither accepted nor refused.
        assert_eq!(name(&browser, "bob").await, "upstream_failed");
        *upstream.down.lock().unwrap() = false;
        assert_eq!(name(&browser, "bob").await, "bob");
    }
}

/// The stale session is still valid when the request arrives, but expires while the request waits for the upstream.
#[tokio::test]
async fn session_that_expires_while_the_upstream_hangs_is_not_served() {
    let gate = Arc::new(Semaphore::new(1));
    let upstream = Upstream { gate: Some(Arc::clone(&gate)), ..Upstream::default() };
    let builder = upstream.auth().session_cache(Duration::from_millis(10));
    let builder = builder
        .session_stale_if_error(Duration::from_millis(300))
        .upstream_timeout(Duration::from_millis(600));
    let (_app, browser) = app_of(builder).await;
    assert_eq!(name(&browser, "ada").await, "ada");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(name(&browser, "ada").await, "upstream_timeout");
}

/// With a cookie jar and the fake upstream: the session is served from the cache until the sign-out.
#[tokio::test]
async fn sign_out_ends_the_cached_session_at_once() {
    let upstream = upstream().await;
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url()).session_cache(HOUR)).await;
    browser.sign_in("demo", "demo").await;
    for _ in 0..5 {
        assert_eq!(browser.get("/session").await.json()["user"]["name"], "Demo");
    }
    assert_eq!(upstream.lookups(), 1);
    browser.sign_out().await;
    assert_eq!(browser.get("/session").await.code(), "session_absent");
    browser.sign_in("admin", "admin").await;
    assert_eq!(browser.get("/session").await.json()["user"]["name"], "Ada");
}

//! The upstream renews the cookie and extends the session, so it is asked before either expires.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::options::{AnswerSession, SessionSource, UpstreamKind};
use auth_proxy_tests::{App, Browser, SharedStore};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use serde_json::json;

use super::upstream::{OF_BROWSER, Upstream, cookie, poll};
use crate::support::renewing_upstream::HOUR;
use crate::support::{Auth, app_of, upstream};

/// An app with a route whose lookups give the browser no cookie.
async fn app_with_silent_lookups(auth: &Auth) -> (App, Browser) {
    let own = auth.clone();
    let silent = move |headers: HeaderMap| {
        let own = own.clone();
        async move { own.session(&headers).await.unwrap().unwrap().user.name.clone().unwrap() }
    };
    let app =
        App::start(auth.attach(Router::new()).route("/silent", get(silent)).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    (app, browser)
}

/// Lets time pass for the renewals. The cached session does not become older.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Lookups for other routes may have renewed the cookie, and a proxy on the way may have dropped it.
#[tokio::test]
async fn page_gets_the_answer_of_the_upstream_once_in_each_interval() {
    for (renew, interval) in [(Duration::ZERO, HOUR), (HOUR / 2, HOUR / 2)] {
        let upstream = Upstream::default();
        let auth = upstream.auth().session_renew(renew).build().unwrap();
        let (_app, browser) = app_with_silent_lookups(&auth).await;
        assert_eq!(browser.get_with("/silent", &[("cookie", &cookie("keptada"))]).await.status, 200);
        assert_eq!(upstream.asked(), (1, 0));
        for _ in 0..3 {
            let renewed = poll(&browser, &cookie("keptada")).await;
            assert_eq!(renewed.cookies(), ["authjs.session-token=keptada; Path=/; HttpOnly"]);
            assert_eq!(upstream.asked(), (0, 1), "{renew:?}");
            for _ in 0..3 {
                assert!(poll(&browser, &cookie("keptada")).await.cookies().is_empty());
            }
            pass(interval - Duration::from_secs(2)).await;
            assert!(poll(&browser, &cookie("keptada")).await.cookies().is_empty());
            assert_eq!(upstream.asked(), (0, 0), "{renew:?}");
            pass(Duration::from_secs(2)).await;
        }
    }
}

/// A browser that sends the renewed token has got it, whatever route gave it.
#[tokio::test]
async fn token_that_the_browser_got_from_another_route_is_answered() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    let page = browser.get_with("/session", &[("cookie", &cookie("ada"))]).await;
    assert_eq!(page.cookies(), ["authjs.session-token=adax; Path=/; HttpOnly"]);
    for _ in 0..3 {
        assert_eq!(poll(&browser, &cookie("adax")).await.status, 200);
    }
    assert_eq!(upstream.asked(), (1, 0));
    pass(HOUR).await;
    assert_eq!(poll(&browser, &cookie("adax")).await.cookies().len(), 1);
}

/// A proxy that asks the verdict endpoint, such as Caddy with `forward_auth`, may drop the cookies of the answer.
#[tokio::test]
async fn cookies_in_a_verdict_do_not_count_as_received() {
    let upstream = Upstream::default();
    let auth = upstream.auth().trusted_proxies(["127.0.0.1"]).build().unwrap();
    let routes = auth.attach(Router::new()).merge(auth.verdict().router());
    let app = App::start(routes.with_state(auth)).await;
    let browser = Browser::of(&app);
    let sent = cookie("keptada");
    let question = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/a"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "localhost"),
        ("cookie", &*sent),
    ];
    assert_eq!(browser.get_with("/_auth/verdict", &question).await.status, 200);
    assert_eq!(upstream.asked(), (1, 0));
    let answer =
        browser.get_with("/api/auth/session", &[question[2], question[3], question[4], OF_BROWSER]).await;
    assert_eq!((answer.cookies().len(), upstream.asked()), (1, (0, 1)), "{answer:?}");
}

/// Another instance looked the session up, perhaps without giving the browser its cookie.
#[tokio::test]
async fn session_of_the_store_is_renewed_in_time_too() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let auth = || upstream.auth().public_url("http://app.test").session_store(store.clone()).build().unwrap();
    let (first, second) = (auth(), auth());
    let ((_a, first), (_b, second)) =
        (app_with_silent_lookups(&first).await, app_with_silent_lookups(&second).await);
    first.get_with("/silent", &[("cookie", &cookie("keptada"))]).await;
    assert_eq!(upstream.asked(), (1, 0));
    for forwarded in [1, 0, 0] {
        assert_eq!(poll(&second, &cookie("keptada")).await.cookies().len(), forwarded);
        assert_eq!(upstream.asked(), (0, forwarded));
    }
}

/// A session that the upstream extends with each answer must not expire while a page polls.
#[tokio::test]
async fn poll_is_forwarded_in_the_second_half_of_the_life_of_a_session() {
    let upstream = Upstream::default();
    upstream.state().max_age = Duration::from_secs(2);
    let (_app, browser) = app_of(upstream.auth()).await;
    let began = SystemTime::now();
    poll(&browser, &cookie("keptada")).await;
    poll(&browser, &cookie("keptada")).await;
    assert!(began.elapsed().unwrap() > Duration::from_secs(1) || upstream.asked() == (1, 0));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    upstream.asked();
    assert_eq!(poll(&browser, &cookie("keptada")).await.cookies().len(), 1);
    assert_eq!(upstream.asked().1, 1);
}

/// `deferSessionRefresh` of Better Auth: its client extends the session when the answer says so.
#[tokio::test]
async fn answer_that_asks_the_client_for_a_refresh_is_the_upstreams() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().upstream_kind(UpstreamKind::BetterAuth)).await;
    let ask = async |token: &str| {
        let cookie = format!("better-auth.session_token={token}.sig");
        browser.get_with("/api/auth/get-session", &[("cookie", &cookie), OF_BROWSER]).await.json()
    };
    for (token, needs, forwarded) in [("ada", true, 2), ("bob", false, 0)] {
        upstream.state().extra = json!({ "needsRefresh": needs });
        for _ in 0..2 {
            assert_eq!(ask(token).await["needsRefresh"].as_bool().unwrap_or_default(), needs);
        }
        assert_eq!(upstream.asked(), (1, forwarded), "{needs}");
    }
}

/// Better Auth sets a cookie once in each `updateAge`. Forwarding could give the page nothing that its lookup did not.
#[tokio::test]
async fn poll_that_is_looked_up_is_not_forwarded_too() {
    let upstream = Upstream::default();
    let (kind, cache) = (UpstreamKind::BetterAuth, Duration::from_millis(20));
    let (_app, browser) = app_of(upstream.auth().upstream_kind(kind).session_cache(cache)).await;
    for _ in 0..3 {
        let sent = "better-auth.session_token=ada.sig";
        browser.get_with("/api/auth/get-session", &[("cookie", sent), OF_BROWSER]).await;
        tokio::time::sleep(cache * 2).await;
    }
    assert_eq!(upstream.asked(), (3, 0));
}

/// Nothing renews a token that is decoded here but the answers of the upstream.
#[tokio::test]
async fn token_that_is_decoded_here_is_answered_until_its_renewal_is_due() {
    let upstream = upstream().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let clock = Arc::new(AtomicU64::new(now));
    let own = Arc::clone(&clock);
    let builder = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .session_source(SessionSource::Local)
        .session_renew(HOUR)
        .session_answer_session(AnswerSession::Cached)
        .clock(move || own.load(SeqCst));
    let (_app, browser) = app_of(builder).await;
    browser.sign_in("demo", "demo").await;
    let asked = || {
        let seen = upstream.lookups();
        upstream.forget_seen();
        seen
    };
    asked();
    for _ in 0..20 {
        let answer = browser.get("/api/auth/session").await;
        let body = answer.json();
        assert_eq!(body["user"], json!({ "id": "1", "name": "Demo", "email": "demo@example.com" }));
        humantime::parse_rfc3339(body["expires"].as_str().unwrap()).unwrap();
        assert!(answer.cookies().is_empty());
    }
    assert_eq!(asked(), 0);
    clock.store(now + 3590, SeqCst);
    browser.get("/api/auth/session").await;
    assert_eq!(asked(), 0);
    clock.store(now + 3610, SeqCst);
    let answer = browser.get("/api/auth/session").await;
    assert!(answer.cookies().iter().any(|cookie| cookie.starts_with("authjs.session-token=")));
    assert_eq!(asked(), 1);
}

//! `session.answer_session: cached`: this app answers `GET session` where it knows the session.

mod changes;
mod forwarded;
mod outage;
mod renewal;
mod upstream;

use std::time::Duration;

use auth_proxy::auth_proxy;
use auth_proxy::options::{AnswerSession, UpstreamKind};
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::extract::Request;
use serde_json::json;
use tower::ServiceExt as _;

use self::upstream::{OF_BROWSER, Upstream, cookie, poll};
use crate::metrics::{recorder, samples, sum};
use crate::support::{app_of, routes};

#[tokio::test]
async fn polling_page_costs_no_request_after_the_first_lookup() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    let first = poll(&browser, &cookie("ada")).await;
    assert_eq!(upstream.asked(), (1, 0));
    assert_eq!(first.cookies(), ["authjs.session-token=adax; Path=/; HttpOnly"]);
    for token in ["ada", "adax"] {
        for _ in 0..50 {
            let answer = poll(&browser, &cookie(token)).await;
            assert_eq!((answer.status, answer.cookies()), (200, vec![]));
            assert_eq!(answer.body, first.body);
        }
    }
    assert_eq!(upstream.asked(), (0, 0), "100 polls");
}

#[tokio::test]
async fn every_request_is_forwarded_by_default() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().session_answer_session(AnswerSession::Upstream)).await;
    assert_eq!(browser.get_with("/session", &[("cookie", &cookie("ada"))]).await.status, 200);
    for _ in 0..5 {
        poll(&browser, &cookie("ada")).await;
    }
    assert_eq!(upstream.asked(), (1, 5));
}

/// The answer has every field of the upstream's answer, also those that the app's type does not know, and no token.
#[tokio::test]
async fn answer_has_the_body_and_the_headers_of_a_forwarded_one() {
    for kind in [UpstreamKind::Authjs, UpstreamKind::BetterAuth] {
        let upstream = Upstream::default();
        let builder = upstream.auth().upstream_kind(kind);
        let (_app, browser) = app_of(builder).await;
        let (path, cookie) = match kind {
            UpstreamKind::BetterAuth => ("/api/auth/get-session", "better-auth.session_token=keptada.sig"),
            _ => ("/api/auth/session", "authjs.session-token=keptada"),
        };
        let ask = |path: String| {
            let browser = browser.clone();
            async move { browser.get_with(&path, &[("cookie", cookie), OF_BROWSER]).await }
        };
        ask(path.to_owned()).await;
        upstream.asked();
        let (cached, forwarded) = (ask(path.to_owned()).await, ask(format!("{path}?a")).await);
        assert_eq!(upstream.asked(), (0, 1), "{kind}");
        let without_time = |answer: &auth_proxy_tests::Answer| {
            let mut body = answer.json();
            assert!(body["user"]["name"].as_str().unwrap().contains("keptada"), "{body}");
            let place = if body["session"].is_null() { "/expires" } else { "/session/expiresAt" };
            let time = body.pointer_mut(place).unwrap();
            humantime::parse_rfc3339(time.as_str().unwrap()).unwrap();
            *time = json!(null);
            body
        };
        assert_eq!(without_time(&cached), without_time(&forwarded), "{kind}");
        assert!(!cached.body.contains("oken"), "{}", cached.body);
        for name in ["content-type", "vary"] {
            assert_eq!(cached.header(name), forwarded.header(name), "{name}");
        }
        assert!(cached.header("cache-control").contains("no-store"));
        assert_eq!(cached.header("pragma"), "no-cache");
        assert_eq!(cached.header("content-length"), cached.body.len().to_string());
    }
}

#[tokio::test]
async fn visitors_and_hosts_never_share_an_answer() {
    let upstream = Upstream::default();
    let (app, browser) = app_of(upstream.auth().hosts(["a.test", "b.test"])).await;
    for _ in 0..3 {
        for name in ["keptada", "keptbob"] {
            assert_eq!(poll(&browser, &cookie(name)).await.json()["user"]["name"], name);
        }
    }
    assert_eq!(upstream.asked(), (2, 0));
    let of_host = async |host: &str| {
        let headers = format!("Cookie: {}\r\nX-Of-Browser: 1\r\nConnection: close", cookie("keptada"));
        let answer =
            app.raw(format!("GET /api/auth/session HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n")).await;
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    for host in ["a.test", "a.test", "b.test", "b.test"] {
        assert_eq!(of_host(host).await, "200", "{host}");
    }
    assert_eq!(upstream.asked(), (2, 0), "an answer for one host counted for the other");
    assert_eq!(of_host("evil.test").await, "421");
    assert_eq!(of_host("").await, "400");
    assert_eq!(upstream.asked(), (0, 0));
}

#[tokio::test]
async fn concurrent_polls_share_one_lookup_with_extractors() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().build().unwrap());
    let ask = |path: &'static str| {
        let request = Request::get(path).header("cookie", cookie("ada")).header("host", "localhost");
        app.clone().oneshot(request.body(axum::body::Body::empty()).unwrap())
    };
    let mut all = tokio::task::JoinSet::new();
    for n in 0..500 {
        all.spawn(ask(if n % 2 == 0 { "/api/auth/session" } else { "/session" }));
    }
    while let Some(answer) = all.join_next().await {
        assert_eq!(answer.unwrap().unwrap().status(), 200);
    }
    assert_eq!(upstream.asked(), (1, 0));
}

#[tokio::test]
async fn answers_are_counted_as_cached() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    for _ in 0..3 {
        poll(&browser, &cookie("ada")).await;
    }
    poll(&browser, "theme=dark").await;
    let seen = samples(&handle);
    for (series, expected) in [
        ("forwarded_requests_total{outcome=\"cached\",code=\"none\"}", 3.0),
        ("forwarded_requests_total{outcome=\"answered\",code=\"none\"}", 1.0),
        ("forwarded_requests_total", 4.0),
        ("session_lookups_total{outcome=\"present\",code=\"none\",source=\"memory\"}", 2.0),
        ("session_lookups_total{outcome=\"present\",code=\"none\",source=\"upstream\"}", 1.0),
        ("upstream_requests_total{request=\"forward\"", 1.0),
    ] {
        assert!((sum(&seen, series) - expected).abs() < 0.1, "{series}: {seen:#?}");
    }
}

auth_proxy! {
    struct Moved {
        base_path: "/login",
        upstream: { base_url: env("AUTH_UPSTREAM_URL"), session_strategy: database, base_path: "/api/auth" },
        session: { cache: 1h, answer_session: cached },
    }
}

#[tokio::test]
async fn other_base_paths_and_nested_routers_answer_too() {
    let upstream = Upstream::default();
    let auth =
        Moved::builder().upstream_base_url("http://auth").upstream_fetch(upstream.router()).build().unwrap();
    let own = auth.attach(Router::new()).merge(auth.upstream_routes());
    let app = App::start(Router::new().nest("/x", own.clone()).merge(own).with_state(auth)).await;
    for path in ["/login/session", "/api/auth/session", "/x/login/session"] {
        let answer =
            Browser::of(&app).get_with(path, &[("cookie", "authjs.session-token=keptada"), OF_BROWSER]).await;
        assert_eq!(answer.json()["user"]["name"], "keptada", "{path}");
    }
    assert_eq!(upstream.asked(), (1, 0));
}

#[derive(serde::Deserialize)]
struct Strict {
    #[expect(dead_code, reason = "the upstream does not send it")]
    age: u32,
}

auth_proxy! {
    struct Typed<User = Strict> {
        upstream: { base_url: env("AUTH_UPSTREAM_URL"), session_strategy: database },
        session: { cache: 1h, answer_session: cached },
    }
}

/// `Session` refuses it, and the page has its own type. The cookies of the lookup reach the page.
#[tokio::test]
async fn session_that_does_not_fit_the_type_of_the_app_is_answered() {
    let upstream = Upstream::default();
    let auth =
        Typed::builder().upstream_base_url("http://auth").upstream_fetch(upstream.router()).build().unwrap();
    let app = App::start(auth.attach(Router::new()).with_state(auth)).await;
    let answer = poll(&Browser::of(&app), &cookie("ada")).await;
    assert_eq!((answer.status, answer.cookies().len(), upstream.asked()), (200, 1, (1, 0)));
}

#[tokio::test]
async fn pages_of_other_origins_get_no_more_than_from_the_upstream() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().cors_origins(["https://www.example.com"])).await;
    for (origin, allowed) in
        [("https://www.example.com", "https://www.example.com"), ("https://evil.test", "")]
    {
        for path in ["/api/auth/session", "/api/auth/session?a"] {
            let headers = [("cookie", &*cookie("ada")), ("origin", origin), OF_BROWSER];
            let answer = browser.get_with(path, &headers).await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{path} {origin}");
        }
    }
    assert_eq!(upstream.asked(), (1, 2));
}

#[tokio::test]
async fn expired_cache_is_looked_up_again() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().session_cache(Duration::from_millis(20))).await;
    poll(&browser, &cookie("ada")).await;
    upstream.state().version = 2;
    tokio::time::sleep(Duration::from_millis(40)).await;
    let answer = poll(&browser, &cookie("adax")).await;
    assert_eq!((answer.json()["version"].as_u64(), upstream.asked()), (Some(2), (2, 0)));
    assert_eq!(answer.cookies(), ["authjs.session-token=adaxx; Path=/; HttpOnly"]);
}

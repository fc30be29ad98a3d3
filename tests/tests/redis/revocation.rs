//! Revoked tokens over real Redis servers. Sessions are JWTs, which each instance decodes itself, and which the upstream
//! accepts also after the sign-out.

use std::time::{Duration, Instant};

use auth_proxy::options::{RevocationList, RevocationUnavailable, SessionSource};
use auth_proxy::store::{Redis, RedisOptions};
use auth_proxy::testing::FakeUpstream;
use auth_proxy::{RawToken, Session, auth_proxy};
use auth_proxy_tests::redis::{Sentinel, Server};
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::routing::get;
use serde_json::json;
use tokio::time::sleep;

auth_proxy! {
    pub(crate) struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

async fn me(session: Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

async fn raw(token: RawToken<Auth>) -> String {
    token.as_str().to_owned()
}

async fn upstream() -> FakeUpstream {
    auth_proxy_tests::watch::start();
    let upstream = FakeUpstream::builder().user("demo", "demo", json!({ "sub": "1", "name": "Demo" }));
    upstream.start().await.unwrap()
}

async fn instance_with(upstream: &FakeUpstream, redis: &str, choice: RevocationUnavailable) -> App {
    let auth = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .session_source(SessionSource::Local)
        .public_url("http://app.test")
        .session_revocation(RevocationList::Store)
        .session_revocation_unavailable(choice)
        .session_store(Redis::new(RedisOptions::new(redis)).unwrap())
        .build()
        .unwrap();
    let routes = Router::new().route("/me", get(me)).route("/token", get(raw));
    App::start(auth.attach(routes).with_state(auth.clone())).await
}

async fn instance(upstream: &FakeUpstream, redis: &str) -> App {
    instance_with(upstream, redis, RevocationUnavailable::Refuse).await
}

/// Signs in, and returns the session cookie.
async fn sign_in(browser: &Browser) -> String {
    browser.sign_in("demo", "demo").await;
    format!("authjs.session-token={}", browser.get("/token").await.body)
}

/// The code of the error with which an instance refuses a cookie. Empty if it accepts the cookie.
async fn refusal(app: &App, cookie: &str) -> String {
    let answer = Browser::of(app).get_with("/me", &[("cookie", cookie)]).await;
    if answer.status == 200 { String::new() } else { answer.code() }
}

/// Waits until an instance that refuses tokens while its list may be incomplete answers something else.
async fn answer(app: &App, cookie: &str) -> String {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let code = refusal(app, cookie).await;
        if code != "revocation_unknown" {
            return code;
        }
        assert!(Instant::now() < until, "the list stays incomplete");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Three instances that know the whole list, and the cookie of a visitor.
async fn three(upstream: &FakeUpstream, redis: &str) -> ([App; 3], String) {
    let apps =
        [instance(upstream, redis).await, instance(upstream, redis).await, instance(upstream, redis).await];
    let cookie = upstream.cookie(&json!({ "sub": "9", "name": "Other" }));
    for app in &apps {
        assert_eq!(answer(app, &cookie).await, "");
    }
    (apps, cookie)
}

#[tokio::test]
async fn sign_outs_are_known_at_all_instances() {
    let (upstream, redis) = (upstream().await, Server::start());
    let began = Instant::now();
    let (apps, other) = three(&upstream, &redis.url()).await;
    println!("the first instances know the whole list after {:?}", began.elapsed());
    let (mut answered, mut refused, mut cookies) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..50 {
        let browser = Browser::of(&apps[number % 3]);
        let cookie = sign_in(&browser).await;
        for app in &apps {
            assert_eq!(refusal(app, &cookie).await, "");
        }
        let began = Instant::now();
        browser.sign_out().await;
        answered.push(began.elapsed());
        let began = Instant::now();
        for app in &apps {
            assert_eq!(refusal(app, &cookie).await, "session_revoked", "sign-out {number}");
        }
        refused.push(began.elapsed());
        cookies.push(cookie);
    }
    for (what, times) in [("sign-out", &mut answered), ("then three refusals", &mut refused)] {
        times.sort();
        println!("{what}: median {:?}, slowest {:?}", times[25], times[49]);
        assert!(times[49] < Duration::from_secs(1), "{what}: {times:?}");
    }
    // An instance that starts later. It need not wait for its grace period.
    let began = Instant::now();
    let restarted = instance(&upstream, &redis.url()).await;
    assert_eq!(answer(&restarted, &other).await, "");
    println!("a new instance knows the whole list after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    for cookie in &cookies {
        assert_eq!(refusal(&restarted, cookie).await, "session_revoked");
    }
}

#[tokio::test]
async fn the_list_survives_a_redis_that_loses_its_data() {
    let (upstream, mut redis) = (upstream().await, Server::start());
    let (apps, other) = three(&upstream, &redis.url()).await;
    let browser = Browser::of(&apps[0]);
    let cookie = sign_in(&browser).await;
    browser.sign_out().await;
    redis.kill();
    redis.restart();
    // It starts together with Redis, perhaps before the others have given back what they know.
    let restarted = instance(&upstream, &redis.url()).await;
    assert_eq!(answer(&restarted, &cookie).await, "session_revoked");
    assert_eq!(answer(&restarted, &other).await, "");
    redis.run("FLUSHALL");
    let restarted = instance(&upstream, &redis.url()).await;
    assert_eq!(answer(&restarted, &cookie).await, "session_revoked");
    for app in &apps {
        assert_eq!(answer(app, &cookie).await, "session_revoked");
        assert_eq!(answer(app, &other).await, "");
    }
    // The next sign-out is told as before.
    let browser = Browser::of(&apps[1]);
    let cookie = sign_in(&browser).await;
    browser.sign_out().await;
    assert_eq!(answer(&restarted, &cookie).await, "session_revoked");
}

#[tokio::test]
async fn a_sign_out_while_redis_is_down_is_told_when_it_is_back() {
    let (upstream, mut redis) = (upstream().await, Server::start());
    let (apps, other) = three(&upstream, &redis.url()).await;
    let browser = Browser::of(&apps[0]);
    let cookie = sign_in(&browser).await;
    redis.kill();
    browser.sign_out().await;
    assert_eq!(refusal(&apps[0], &cookie).await, "session_revoked");
    assert_eq!(refusal(&apps[1], &cookie).await, "revocation_unknown");
    redis.restart();
    for app in &apps {
        assert_eq!(answer(app, &cookie).await, "session_revoked");
        assert_eq!(answer(app, &other).await, "");
    }
}

/// The replica that becomes the primary does not have the last sign-out.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_survives_a_failover() {
    let upstream = upstream().await;
    let mut servers = tokio::task::block_in_place(Sentinel::start);
    let (apps, other) = three(&upstream, &servers.url()).await;
    let mut cookies = Vec::new();
    for is_replicated in [true, false] {
        if !is_replicated {
            servers.replica.pause();
        }
        let browser = Browser::of(&apps[0]);
        cookies.push(sign_in(&browser).await);
        browser.sign_out().await;
    }
    servers.primary.kill();
    servers.replica.resume();
    tokio::task::block_in_place(|| servers.wait_for_failover());
    let restarted = instance(&upstream, &servers.url()).await;
    for app in apps.iter().chain([&restarted]) {
        for cookie in &cookies {
            assert_eq!(answer(app, cookie).await, "session_revoked");
        }
        assert_eq!(answer(app, &other).await, "");
    }
}

#[tokio::test]
async fn an_instance_that_starts_without_redis_does_what_the_option_says() {
    let upstream = upstream().await;
    let cookie = upstream.cookie(&json!({ "sub": "9", "name": "Other" }));
    for (choice, code, is_asked) in [
        (RevocationUnavailable::AskUpstream, "", true),
        (RevocationUnavailable::Allow, "", false),
        (RevocationUnavailable::Refuse, "revocation_unknown", false),
    ] {
        let mut redis = Server::stopped(&[]);
        let app = instance_with(&upstream, &redis.url(), choice).await;
        for _ in 0..2 {
            upstream.forget_seen();
            let began = Instant::now();
            assert_eq!(refusal(&app, &cookie).await, code, "{choice:?}");
            assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
            assert_eq!(upstream.lookups() > 0, is_asked, "{choice:?}");
            sleep(Duration::from_millis(300)).await;
        }
        redis.restart();
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            upstream.forget_seen();
            if refusal(&app, &cookie).await.is_empty() && upstream.lookups() == 0 {
                break;
            }
            assert!(Instant::now() < until, "{choice:?}: the list stays incomplete");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The proxy is often built before the runtime that serves it.
#[test]
fn an_instance_that_was_built_outside_of_a_runtime_connects() {
    let redis = Server::start();
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (serving, short) = (runtime(), runtime());
    let upstream = serving.block_on(upstream());
    let cookie = upstream.cookie(&json!({ "sub": "9", "name": "Other" }));
    let auth = |short: Option<&tokio::runtime::Runtime>| {
        let _guard = short.map(|runtime| runtime.enter());
        Auth::builder()
            .upstream_base_url(upstream.url())
            .upstream_secret([upstream.secret()])
            .session_source(SessionSource::Local)
            .session_revocation(RevocationList::Store)
            .session_revocation_unavailable(RevocationUnavailable::Refuse)
            .session_store(Redis::new(RedisOptions::new(redis.url())).unwrap())
            .build()
            .unwrap()
    };
    let all = [auth(None), auth(Some(&short))];
    drop(short);
    serving.block_on(async {
        for auth in all {
            let routes = Router::new().route("/me", get(me));
            let app = App::start(auth.attach(routes).with_state(auth.clone())).await;
            assert_eq!(answer(&app, &cookie).await, "");
        }
    });
}

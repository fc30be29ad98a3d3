//! After a change of the session, no page gets the session of before.

use std::time::Duration;

use auth_proxy_tests::{App, Browser, SharedStore};

use super::upstream::{OF_BROWSER, Upstream, cookie, poll};
use crate::support::renewing_upstream::HOUR;
use crate::support::{Auth, app_of};

async fn post(browser: &Browser, path: &str, token: &str) {
    let headers = [("cookie", &*cookie(token)), OF_BROWSER];
    assert_eq!(browser.post_with(path, &[("a", "b")], &headers).await.status, 200, "{path}");
}

#[tokio::test]
async fn change_through_this_proxy_is_in_the_next_answer() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    for path in ["/api/auth/session", "/api/auth/callback/credentials", "/api/auth/signout"] {
        for token in ["keptada", "ada", "adax"] {
            poll(&browser, &cookie(token)).await;
            poll(&browser, &cookie(token)).await;
            post(&browser, path, token).await;
            let version = upstream.state().version;
            let answer = poll(&browser, &cookie(token)).await;
            assert_eq!(answer.json()["version"], version, "{path} {token}");
        }
    }
    // The callback of a provider is a GET.
    poll(&browser, &cookie("keptada")).await;
    browser.get_with("/api/auth/callback/github?code=1", &[("cookie", &cookie("keptada"))]).await;
    let version = upstream.state().version;
    assert_eq!(poll(&browser, &cookie("keptada")).await.json()["version"], version);
}

/// A poll that was under way during a sign-out gives the browser no cookie, and later polls get another answer.
#[tokio::test]
async fn sign_out_during_a_poll_leaves_nothing_in_the_cache() {
    let upstream = Upstream::default();
    let (app, browser) = app_of(upstream.auth()).await;
    for n in 0..20 {
        let token = format!("visitor{n}");
        let sent = cookie(&token);
        let (answer, ()) = tokio::join!(poll(&browser, &sent), post(&browser, "/api/auth/signout", &token));
        assert_eq!(answer.status, 200);
        let version = upstream.state().version;
        assert_eq!(poll(&Browser::of(&app), &cookie(&token)).await.json()["version"], version);
    }
}

async fn two(
    of: impl Fn(auth_proxy::options::Builder<Auth>) -> auth_proxy::options::Builder<Auth>,
    upstream: &Upstream,
) -> [(App, Browser); 2] {
    let instance = || app_of(of(upstream.auth().public_url("http://app.test")));
    [instance().await, instance().await]
}

/// As for `Session`: without a store, after `session.cache`.
#[tokio::test]
async fn sign_out_at_another_instance_is_known_after_the_cache_time() {
    let (upstream, age) = (Upstream::default(), Duration::from_millis(400));
    let [(_a, first), (_b, second)] = two(|builder| builder.session_cache(age), &upstream).await;
    let version =
        async |browser: &Browser| poll(browser, &cookie("keptada")).await.json()["version"].as_u64();
    let (before, at) = (version(&second).await, std::time::Instant::now());
    assert_eq!(version(&first).await, before);
    post(&first, "/api/auth/signout", "keptada").await;
    assert_eq!(version(&first).await, Some(upstream.state().version as u64), "at once here");
    let known = version(&second).await;
    if at.elapsed() < age {
        assert_eq!(known, before);
    }
    tokio::time::sleep(age).await;
    assert_eq!(version(&second).await, Some(upstream.state().version as u64));
}

#[tokio::test]
async fn sign_out_at_another_instance_is_known_at_once_with_a_store() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let of_store = |builder: auth_proxy::options::Builder<Auth>| {
        builder.session_cache(HOUR).session_store(store.clone())
    };
    let [(_a, first), (_b, second)] = two(of_store, &upstream).await;
    for browser in [&first, &second, &first, &second] {
        assert_eq!(poll(browser, &cookie("keptada")).await.json()["version"], 1);
    }
    // The second instance does not know what the first one gave the page.
    assert_eq!(upstream.asked(), (1, 1));
    post(&first, "/api/auth/signout", "keptada").await;
    let version = upstream.state().version;
    for browser in [&first, &second] {
        assert_eq!(poll(browser, &cookie("keptada")).await.json()["version"], version);
    }
}

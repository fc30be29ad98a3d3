//! `session.revocation: store`: a sign-out ends tokens that are decoded here, at every instance.

use std::time::Duration;

use auth_proxy::options::{
    Builder, RevocationList, RevocationUnavailable, SessionSource, TokenFormat, UpstreamKind,
};
use auth_proxy::sessions::SessionEnd;
use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::{App, Browser, SharedStore, clears_the_session, loopback_client};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::support::{Auth, app_of, upstream};

/// An instance that decodes tokens itself.
fn decoding(upstream: &FakeUpstream) -> Builder<Auth> {
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    builder.session_source(SessionSource::Local).public_url("http://app.test")
}

fn revoking(upstream: &FakeUpstream, store: &SharedStore) -> Builder<Auth> {
    decoding(upstream).session_revocation(RevocationList::Store).session_store(store.clone())
}

/// Signs in, and returns the session cookie.
async fn sign_in(browser: &Browser) -> String {
    browser.sign_in("demo", "demo").await;
    let token = browser.get("/token/raw").await.body;
    format!("authjs.session-token={token}")
}

/// The code of the error with which an instance refuses a cookie. Empty if it accepts the cookie.
async fn refusal(app: &App, path: &str, cookie: &str) -> String {
    let answer = Browser::of(app).get_with(path, &[("cookie", cookie)]).await;
    if answer.status == 200 { String::new() } else { answer.code() }
}

#[tokio::test]
async fn sign_out_ends_the_token_at_every_instance_and_after_a_restart() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let instance = async || app_of(revoking(&upstream, &store)).await;
    let ((first, browser), (second, _)) = (instance().await, instance().await);
    let cookie = sign_in(&browser).await;
    for path in ["/session", "/token", "/protected", "/group/a"] {
        assert_eq!(refusal(&second, path, &cookie).await, "", "{path}");
    }
    browser.sign_out().await;
    let (restarted, _) = instance().await;
    for path in ["/session", "/token", "/protected", "/group/a"] {
        for app in [&first, &second, &restarted] {
            assert_eq!(refusal(app, path, &cookie).await, "session_revoked", "{path}");
        }
    }
    assert_eq!(refusal(&second, "/session/optional", &cookie).await, "", "a visitor who is signed out");
    let bearer = cookie.replace("authjs.session-token=", "Bearer ");
    let answer = Browser::of(&second).get_with("/session/optional", &[("authorization", &bearer)]).await;
    assert_eq!(answer.code(), "session_revoked");
    // The next sign-in is not concerned.
    assert_eq!(refusal(&second, "/session", &sign_in(&browser).await).await, "");
}

/// The upstream does not know of the revocation, and would renew the token.
#[tokio::test]
async fn revoked_token_is_not_renewed_through_the_proxy() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, browser) = app_of(revoking(&upstream, &store)).await;
    let cookie = sign_in(&browser).await;
    browser.sign_out().await;
    let bearer = cookie.replace("authjs.session-token=", "Bearer ");
    let https = cookie.replace("authjs.", "__Secure-authjs.");
    for header in [("cookie", &cookie), ("cookie", &https), ("authorization", &bearer)] {
        let answer = Browser::of(&app).get_with("/api/auth/session", &[(header.0, header.1)]).await;
        assert_eq!((answer.status, answer.json()), (200, Value::Null), "{header:?}");
        let renewed = answer.cookies().into_iter().any(|line| line.contains("session-token=ey"));
        assert!(!renewed, "{:?}", answer.cookies());
    }
}

#[tokio::test]
async fn renewed_token_and_the_one_before_are_revoked_together() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let ((first, browser), (second, _)) =
        (app_of(revoking(&upstream, &store)).await, app_of(revoking(&upstream, &store)).await);
    let before = sign_in(&browser).await;
    browser.get("/api/auth/session").await;
    let token = browser.get("/token/raw").await.body;
    assert_ne!(before, format!("authjs.session-token={token}"), "the token was renewed");
    browser.sign_out().await;
    for app in [&first, &second] {
        assert_eq!(refusal(app, "/session", &before).await, "session_revoked");
    }
}

/// Anyone can send a sign-out with invented tokens. They must not fill the list.
#[tokio::test]
async fn token_that_does_not_verify_is_not_listed() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, browser) = app_of(revoking(&upstream, &store)).await;
    let cookie = sign_in(&browser).await;
    for invented in
        ["authjs.session-token=a.b.c.d.e".to_owned(), format!("{}x", cookie.trim_end_matches('x'))]
    {
        let client = Browser::of(&app);
        let issued = client.get("/api/auth/csrf").await;
        let csrf = issued.json()["csrfToken"].as_str().unwrap().to_owned();
        let csrf_cookie = issued.cookies()[0].split(';').next().unwrap().to_owned();
        let headers = [("cookie", &*format!("{csrf_cookie}; {invented}"))];
        let answer = client.post_with("/api/auth/signout", &[("csrfToken", &csrf)], &headers).await;
        assert!(answer.cookies().iter().any(|cookie| clears_the_session(cookie)), "{answer:?}");
    }
    assert_eq!(store.revocations(), 0);
    browser.sign_out().await;
    assert!(store.revocations() > 0);
}

#[tokio::test]
async fn option_says_what_happens_while_the_list_may_be_incomplete() {
    for (choice, code, is_asked) in [
        (None, "", true),
        (Some(RevocationUnavailable::AskUpstream), "", true),
        (Some(RevocationUnavailable::Allow), "", false),
        (Some(RevocationUnavailable::Refuse), "revocation_unknown", false),
    ] {
        let (upstream, store) = (upstream().await, SharedStore::telling_ends());
        let builder = || match choice {
            Some(choice) => revoking(&upstream, &store).session_revocation_unavailable(choice),
            None => revoking(&upstream, &store),
        };
        let (app, browser) = app_of(builder()).await;
        let revoked = sign_in(&browser).await;
        browser.sign_out().await;
        let cookie = sign_in(&browser).await;
        store.go_down();
        let (started_later, _) = app_of(builder()).await;
        for app in [&app, &started_later] {
            upstream.forget_seen();
            assert_eq!(refusal(app, "/session", &cookie).await, code, "{choice:?}");
            assert_eq!(upstream.lookups() > 0, is_asked, "{choice:?}");
            // The upstream would renew a token that may be revoked, and no revocation would match the new one.
            let page = Browser::of(app).get_with("/api/auth/session", &[("cookie", &cookie)]).await;
            let is_renewed =
                page.cookies().iter().any(|cookie| cookie.starts_with("authjs.session-token=ey"));
            let is_refused = code == "revocation_unknown";
            assert_eq!((is_renewed, page.status == 503), (!is_refused, is_refused), "{choice:?} {page:?}");
        }
        assert_eq!(refusal(&app, "/session", &revoked).await, "session_revoked", "{choice:?}: it is known");
        store.come_back();
        for app in [&app, &started_later] {
            assert_eq!(refusal(app, "/session", &cookie).await, "", "{choice:?}");
            assert_eq!(refusal(app, "/session", &revoked).await, "session_revoked", "{choice:?}");
        }
    }
}

/// While the list may be incomplete, the upstream decides. Its outage signs nobody out, and lets nobody in.
#[tokio::test]
async fn upstream_that_fails_while_the_list_may_be_incomplete_is_an_outage() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, browser) = app_of(revoking(&upstream, &store).upstream_retries(0)).await;
    let cookie = sign_in(&browser).await;
    store.go_down();
    upstream.set_fault(Some(auth_proxy::testing::Fault::Refused)).await.unwrap();
    assert_eq!(refusal(&app, "/session", &cookie).await, "upstream_unreachable");
}

/// Without the option, a token that is decoded here is good until its `exp`.
#[tokio::test]
async fn without_revocation_a_token_outlives_the_sign_out() {
    let upstream = upstream().await;
    let (app, browser) = app_of(decoding(&upstream)).await;
    let cookie = sign_in(&browser).await;
    browser.sign_out().await;
    assert_eq!(refusal(&app, "/session", &cookie).await, "");
}

#[test]
fn revocation_needs_a_store_that_keeps_the_list() {
    let builder =
        || Auth::builder().upstream_base_url("http://auth").session_revocation(RevocationList::Store);
    let message = builder().build().unwrap_err().to_string();
    assert!(message.contains("write `session: { store: redis("), "{message}");
    let message = builder().session_store(SharedStore::default()).build().unwrap_err().to_string();
    assert!(message.contains("keeps no revoked tokens"), "{message}");
}

/// A handler that runs long, with a session that was decoded here.
#[tokio::test]
async fn sign_out_at_another_instance_ends_a_waiting_handler() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (_app, browser) = app_of(revoking(&upstream, &store)).await;
    let cookie = sign_in(&browser).await;
    let other = revoking(&upstream, &store).build().unwrap();
    let headers = HeaderMap::from_iter([("cookie".parse().unwrap(), cookie.parse().unwrap())]);
    let session = other.session(&headers).await.unwrap().unwrap();
    let waiting = tokio::spawn(async move { session.ended().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    browser.sign_out().await;
    let end = tokio::time::timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
    assert_eq!(end, SessionEnd::SignedOut);
}

/// Better Auth answers a request for the session from the cookie cache alone, also for a session that has ended.
#[tokio::test]
async fn option_holds_for_a_cookie_cache_that_a_page_sends() {
    for (choice, status, is_signed_in) in [
        (RevocationUnavailable::Allow, 200, true),
        (RevocationUnavailable::AskUpstream, 200, false),
        (RevocationUnavailable::Refuse, 503, false),
    ] {
        let fake = FakeUpstream::builder().better_auth();
        let upstream =
            fake.cookie_cache(TokenFormat::Compact, Duration::from_secs(300)).start().await.unwrap();
        let store = SharedStore::telling_ends();
        let builder =
            Auth::builder().upstream_kind(UpstreamKind::BetterAuth).upstream_base_url(upstream.url());
        let builder = builder.upstream_secret([upstream.secret()]).public_url("http://app.test");
        let builder = builder.session_revocation(RevocationList::Store).session_store(store.clone());
        let (app, browser) = app_of(builder.session_revocation_unavailable(choice)).await;
        let cookie = upstream.visitor(&json!({ "sub": "1", "name": "Ada" })).cookie();
        let url = format!("{}/api/auth/sign-out", upstream.url());
        let sign_out = loopback_client().post(url).header("cookie", &cookie).header("origin", upstream.url());
        assert_eq!(sign_out.send().await.unwrap().status(), 200);
        let page = async || browser.get_with("/api/auth/get-session", &[("cookie", &cookie)]).await;
        let answer = page().await;
        assert!(answer.status == 200 && answer.body.contains("Ada"), "as at the upstream itself: {answer:?}");
        store.go_down();
        let answer = page().await;
        assert_eq!(
            (answer.status, answer.body.contains("Ada")),
            (status, is_signed_in),
            "{choice:?} {answer:?}"
        );
        let refused = refusal(&app, "/session", &cookie).await;
        assert_eq!(refused.is_empty(), is_signed_in, "handlers say the same: {choice:?} {refused}");
    }
}

/// The cookie cache of Better Auth is decoded here too. At the upstream, and without this option, it outlives the
/// sign-out.
#[tokio::test]
async fn sign_out_ends_the_cookie_cache() {
    let fake = FakeUpstream::builder().better_auth();
    let upstream = fake.cookie_cache(TokenFormat::Compact, Duration::from_secs(300)).start().await.unwrap();
    let store = SharedStore::telling_ends();
    let builder = || {
        let builder =
            Auth::builder().upstream_kind(UpstreamKind::BetterAuth).upstream_base_url(upstream.url());
        builder.upstream_secret([upstream.secret()]).public_url("http://app.test")
    };
    let with_list = || builder().session_revocation(RevocationList::Store).session_store(store.clone());
    let ((first, _), (second, _), (without, _)) =
        (app_of(with_list()).await, app_of(with_list()).await, app_of(builder()).await);
    let cookie = upstream.visitor(&json!({ "sub": "1", "name": "Ada" })).cookie();
    assert!(cookie.contains("session_data"), "{cookie}");
    for app in [&first, &second, &without] {
        assert_eq!(refusal(app, "/session", &cookie).await, "");
    }
    assert_eq!(upstream.lookups(), 0, "the cookie cache was read");
    let headers = [("cookie", cookie.as_str()), ("origin", "http://app.test")];
    let answer = Browser::of(&first).post_with("/api/auth/sign-out", &[], &headers).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for app in [&first, &second] {
        assert_eq!(refusal(app, "/session", &cookie).await, "session_revoked");
    }
    assert_eq!(refusal(&without, "/session", &cookie).await, "", "the upstream would accept it too");
}

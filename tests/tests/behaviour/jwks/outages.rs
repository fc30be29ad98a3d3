//! A key endpoint that fails: an outage is 503 and never 401, and known keys go on for `jwks.stale`.

use std::time::{Duration, Instant};

use auth_proxy_tests::LogCapture;
use http::StatusCode;

use super::endpoint::{KeyEndpoint, Mode};
use super::signer::{Signer, key_set};
use super::{Machines, app, app_of, ask, assert_accepted, assert_refused, builder, outcome};

const DEAD: Mode = Mode::Status(StatusCode::SERVICE_UNAVAILABLE);

fn unavailable() -> (u16, String) {
    (503, "keys_unavailable".to_owned())
}

#[tokio::test]
async fn dead_endpoint_loses_nobody_until_the_bound() {
    let log = LogCapture::start();
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let auth = builder(&endpoint)
        .jwks_max_age(Duration::from_millis(100))
        .jwks_stale(Duration::from_secs(2))
        .jwks_cooldown(Duration::from_millis(50));
    let (_app, browser) = app_of(auth).await;
    let start = Instant::now();
    assert_accepted(&browser, &signer.token("first"), "first").await;
    endpoint.set(DEAD);
    let mut count = 0;
    while start.elapsed() < Duration::from_millis(1900) {
        let user = count.to_string();
        let found = outcome(&browser, &signer.token(&user)).await;
        // A slow machine may reach the bound in the middle of a request.
        if start.elapsed() < Duration::from_millis(2050) {
            assert_eq!(found, (200, user), "after {:?}", start.elapsed());
        }
        count += 1;
    }
    assert!(count > 10, "{count}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(outcome(&browser, &signer.token("late")).await, unavailable());
    assert!(log.times("the keys of the issuer cannot be fetched") > 0, "{}", log.text());
    endpoint.set(Mode::Keys(key_set(&[&signer])));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_accepted(&browser, &signer.token("back"), "back").await;
    assert_eq!(log.times("the keys of the issuer can be fetched again"), 1);
}

#[tokio::test]
async fn stale_keys_are_refused_if_stale_is_off() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let auth = builder(&endpoint).jwks_max_age(Duration::from_millis(100)).jwks_stale(Duration::ZERO);
    let (_app, browser) = app_of(auth).await;
    assert_accepted(&browser, &signer.token("ada"), "ada").await;
    endpoint.set(DEAD);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(outcome(&browser, &signer.token("ada")).await, unavailable());
}

#[tokio::test]
async fn unreachable_endpoint_is_an_outage_with_retry_after() {
    let signer = Signer::ed25519("a");
    let port = auth_proxy_tests::free_port();
    let (_app, browser) = app_of(Machines::builder().jwks_url(format!("http://127.0.0.1:{port}/keys"))).await;
    for path in ["/token", "/session", "/protected", "/token/optional"] {
        let answer = ask(&browser, path, &signer.token("ada")).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "keys_unavailable"), "{path}");
        assert!((1..=30).contains(&answer.header("retry-after").parse::<u64>().unwrap()), "{answer:?}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
    assert_eq!(browser.get("/token").await.code(), "session_absent");
}

/// While the endpoint is down, a key that is not known may be a new one, so its token is not refused.
#[tokio::test]
async fn unknown_key_is_an_outage_while_the_endpoint_is_down() {
    let (old, new) = (Signer::ed25519("old"), Signer::ed25519("new"));
    let endpoint = KeyEndpoint::of(key_set(&[&old])).await;
    let (_app, browser) = app_of(builder(&endpoint).jwks_cooldown(Duration::from_secs(1))).await;
    assert_accepted(&browser, &old.token("ada"), "ada").await;
    endpoint.set(DEAD);
    let token = new.token("bob");
    for _ in 0..3 {
        let answer = ask(&browser, "/token", &token).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "keys_unavailable"));
        assert_eq!(answer.header("retry-after"), "1");
        assert_accepted(&browser, &old.token("ada"), "ada").await;
    }
    let count = endpoint.count();
    assert!(count <= 4, "one fetch with its two retries, not {count}");
    endpoint.set(Mode::Keys(key_set(&[&old, &new])));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_accepted(&browser, &token, "bob").await;
}

/// Each fetch ends after `upstream.timeout`, however many requests wait for it.
#[tokio::test]
async fn slow_endpoint_is_given_up_after_the_timeout() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::start(Mode::Hang).await;
    let auth = builder(&endpoint).upstream_timeout(Duration::from_millis(500));
    let (_app, browser) = app_of(auth).await;
    let start = Instant::now();
    let requests: Vec<_> = (0..50)
        .map(|n| {
            let (browser, token) = (browser.clone(), signer.token(&n.to_string()));
            tokio::spawn(async move { outcome(&browser, &token).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), unavailable());
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(endpoint.count(), 1);
}

/// A request with a known key does not wait while the keys are fetched anew.
#[tokio::test]
async fn slow_refresh_delays_nobody() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (_app, browser) = app_of(builder(&endpoint).jwks_max_age(Duration::from_secs(2))).await;
    assert_accepted(&browser, &signer.token("ada"), "ada").await;
    endpoint.set(Mode::Late(Duration::from_secs(1), key_set(&[&signer])));
    // After four fifths of `max_age` the next request starts a fetch.
    tokio::time::sleep(Duration::from_millis(1650)).await;
    let start = Instant::now();
    assert_accepted(&browser, &signer.token("bob"), "bob").await;
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(endpoint.count(), 2);
}

#[tokio::test]
async fn answer_that_is_no_key_set_is_an_outage() {
    let signer = Signer::ed25519("a");
    let good = key_set(&[&signer]);
    let other = KeyEndpoint::of(good.clone()).await;
    let mut many = good.clone();
    many["keys"] = (0..65).map(|n| Signer::ed25519(&n.to_string()).jwk()).collect();
    let mut long = good.clone();
    long["filler"] = "x".repeat(64 * 1024).into();
    let symmetric =
        serde_json::json!({ "keys": [{ "kty": "oct", "k": "AAAA", "alg": "HS256", "kid": "a" }] });
    let no_alg = serde_json::json!({ "keys": [signer.jwk_with(serde_json::json!({ "kid": "a" }))] });
    for mode in [
        Mode::Keys(many),
        Mode::Keys(long),
        Mode::Keys(serde_json::json!({ "keys": [] })),
        Mode::Keys(serde_json::json!({})),
        Mode::Keys(serde_json::json!([signer.jwk()])),
        Mode::Keys(symmetric),
        Mode::Keys(no_alg),
        Mode::Body(String::new()),
        Mode::Body("<!doctype html><title>Sign in</title>".to_owned()),
        Mode::Body(good.to_string().replace("\"keys\"", "\"keys\":[],\"keys\"")),
        Mode::Status(StatusCode::NOT_FOUND),
        Mode::Status(StatusCode::NO_CONTENT),
        Mode::Redirect(other.url()),
    ] {
        let endpoint = KeyEndpoint::start(mode).await;
        let (_app, browser) = app_of(builder(&endpoint).jwks_cooldown(Duration::from_millis(10))).await;
        assert_eq!(outcome(&browser, &signer.token("ada")).await, unavailable());
        // The answer decides nothing, so a good one counts later.
        endpoint.set(Mode::Keys(good.clone()));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_accepted(&browser, &signer.token("ada"), "ada").await;
        // A bad answer does not replace good keys.
        endpoint.set(Mode::Body("{}".to_owned()));
        let unknown = Signer::ed25519("unknown").token("eve");
        assert_eq!(outcome(&browser, &unknown).await, unavailable());
        assert_accepted(&browser, &signer.token("ada"), "ada").await;
    }
    assert_eq!(other.count(), 0);
}

#[tokio::test]
async fn unknown_key_is_401_once_the_keys_were_fetched_again() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (_app, browser) = app(&endpoint).await;
    let unknown = Signer::ed25519("unknown").token("eve");
    assert_refused(&browser, &unknown, "token_unknown_key").await;
    assert_eq!(endpoint.count(), 2);
    assert_refused(&browser, &unknown, "token_unknown_key").await;
    assert_eq!(endpoint.count(), 2);
}

//! How often the keys are fetched, and what is sent.

use std::time::Duration;

use auth_proxy_tests::App;
use serde_json::json;

use super::endpoint::{KeyEndpoint, Mode};
use super::signer::{Signer, claims, key_set};
use super::{app, app_of, assert_accepted, assert_refused, builder, outcome};
use crate::support::http1::exchange;

/// A token that names a key which does not exist.
fn made_up(signer: &Signer, n: usize) -> String {
    signer.token_with(&json!({ "alg": "EdDSA", "kid": format!("made-up-{n}") }), &claims("eve"))
}

/// Sends tokens over several connections, and expects 401 for each.
async fn flood(app: &App, tokens: Vec<String>) {
    let addr = app.addr;
    let mut tasks = Vec::new();
    for batch in tokens.chunks(tokens.len().div_ceil(16)) {
        let batch = batch.to_vec();
        tasks.push(tokio::spawn(async move {
            for batch in batch.chunks(64) {
                let mut requests = String::new();
                for (n, token) in batch.iter().enumerate() {
                    let connection = if n + 1 == batch.len() { "close" } else { "keep-alive" };
                    requests.push_str(&format!(
                        "GET /token HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\nAuthorization: Bearer {token}\r\n\r\n"
                    ));
                }
                let answers = exchange(addr, requests.as_bytes()).await;
                assert_eq!(answers.len(), batch.len());
                for answer in answers {
                    assert_eq!(answer.status(), 401, "{answer:?}");
                    assert!(answer.body.contains("token_unknown_key"), "{answer:?}");
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_made_up_keys_cost_one_fetch_in_a_cool_down() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, browser) = app_of(builder(&endpoint).jwks_cooldown(Duration::from_secs(3600))).await;
    assert_accepted(&browser, &signer.token("ada"), "ada").await;
    assert_eq!(endpoint.count(), 1);
    flood(&app, (0..10_000).map(|n| made_up(&signer, n)).collect()).await;
    assert_eq!(endpoint.count(), 2);
    assert_accepted(&browser, &signer.token("bob"), "bob").await;
}

#[tokio::test]
async fn each_cool_down_allows_one_more_fetch() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, browser) = app_of(builder(&endpoint).jwks_cooldown(Duration::from_secs(2))).await;
    assert_accepted(&browser, &signer.token("ada"), "ada").await;
    for wave in 1..=3 {
        flood(&app, (0..20).map(|n| made_up(&signer, n)).collect()).await;
        assert_eq!(endpoint.count(), 1 + wave);
        tokio::time::sleep(Duration::from_millis(2100)).await;
    }
}

#[tokio::test]
async fn requests_at_the_same_time_share_one_fetch() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::start(Mode::Late(Duration::from_millis(300), key_set(&[&signer]))).await;
    let (_app, browser) = app(&endpoint).await;
    let requests: Vec<_> = (0..100)
        .map(|n| {
            let (browser, token) = (browser.clone(), signer.token(&n.to_string()));
            tokio::spawn(async move { outcome(&browser, &token).await })
        })
        .collect();
    for (n, request) in requests.into_iter().enumerate() {
        assert_eq!(request.await.unwrap(), (200, n.to_string()));
    }
    assert_eq!(endpoint.count(), 1);
}

/// The request that started a fetch is dropped, and the others still get the keys.
#[tokio::test]
async fn dropped_request_does_not_end_the_fetch() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::start(Mode::Late(Duration::from_millis(500), key_set(&[&signer]))).await;
    let (_app, browser) = app(&endpoint).await;
    let token = signer.token("ada");
    let first = tokio::time::timeout(Duration::from_millis(200), outcome(&browser, &token)).await;
    assert!(first.is_err(), "{first:?}");
    assert_accepted(&browser, &token, "ada").await;
    assert_eq!(endpoint.count(), 1);
}

#[tokio::test]
async fn request_for_keys_carries_nothing_of_a_client_or_of_the_upstream() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let auth = builder(&endpoint).upstream_headers([("x-api-key", "the key of the upstream")]);
    let (_app, browser) = app_of(auth).await;
    let token = signer.token("ada");
    let headers = [
        ("authorization", &*format!("Bearer {token}")),
        ("cookie", "theme=dark"),
        ("x-forwarded-for", "1.2.3.4"),
    ];
    assert_eq!(browser.get_with("/token", &headers).await.status, 200);
    let [(uri, headers)] = &endpoint.requests()[..] else { panic!("one request") };
    assert_eq!(uri, "/keys?app=1");
    let names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["host", "accept"], "{headers:?}");
}

/// A new key signs at once, the old one stays in the key set for a while, and is then withdrawn.
#[tokio::test]
async fn rotation_loses_nobody() {
    let signers: Vec<_> = (0..5).map(|n| Signer::es256(&n.to_string())).collect();
    let endpoint = KeyEndpoint::of(key_set(&[&signers[0]])).await;
    let auth =
        builder(&endpoint).jwks_cooldown(Duration::from_millis(200)).jwks_max_age(Duration::from_millis(400));
    let (_app, browser) = app_of(auth).await;
    assert_accepted(&browser, &signers[0].token("ada"), "ada").await;
    for pair in signers.windows(2) {
        let [old, new] = pair else { unreachable!() };
        tokio::time::sleep(Duration::from_millis(250)).await;
        endpoint.set(Mode::Keys(key_set(&[old, new])));
        for n in 0..10 {
            assert_accepted(&browser, &new.token(&n.to_string()), &n.to_string()).await;
            assert_accepted(&browser, &old.token(&n.to_string()), &n.to_string()).await;
        }
        endpoint.set(Mode::Keys(key_set(&[new])));
        for n in 0..10 {
            assert_accepted(&browser, &new.token(&n.to_string()), &n.to_string()).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A token must not outlive its key in the cache of verified tokens.
#[tokio::test]
async fn withdrawn_key_ends_the_tokens_that_it_verified() {
    let (old, new) = (Signer::ed25519("old"), Signer::ed25519("new"));
    let endpoint = KeyEndpoint::of(key_set(&[&old, &new])).await;
    let (_app, browser) = app_of(builder(&endpoint).jwks_max_age(Duration::from_millis(200))).await;
    let token = old.token("ada");
    for _ in 0..3 {
        assert_accepted(&browser, &token, "ada").await;
    }
    endpoint.set(Mode::Keys(key_set(&[&new])));
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_refused(&browser, &token, "token_unknown_key").await;
    assert_accepted(&browser, &new.token("ada"), "ada").await;
}

//! Which keys of a key set are used.

use auth_proxy_tests::LogCapture;
use serde_json::{Value, json};

use super::endpoint::KeyEndpoint;
use super::signer::{Signer, claims, key_set};
use super::{app, app_of, assert_accepted, assert_refused, builder};

#[tokio::test]
async fn key_that_is_not_for_signatures_is_left_out() {
    let log = LogCapture::start();
    let (good, bad) = (Signer::ed25519("good"), Signer::ed25519("bad"));
    let members = |changed: Value| {
        let mut members = json!({ "kid": "bad", "alg": "EdDSA", "use": "sig" });
        changed.as_object().unwrap().iter().for_each(|(name, value)| members[name] = value.clone());
        bad.jwk_with(members)
    };
    for changed in [
        json!({ "use": "enc" }),
        json!({ "use": "" }),
        json!({ "key_ops": ["sign"] }),
        json!({ "key_ops": [] }),
        json!({ "alg": null }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "none" }),
        json!({ "crv": "X25519" }),
        json!({ "crv": "P-256" }),
        json!({ "kty": "EC" }),
        json!({ "kty": "oct" }),
        json!({ "k": "AAAA" }),
        json!({ "d": "AAAA" }),
        json!({ "x": "AAAA" }),
        json!({ "kid": 1 }),
    ] {
        let endpoint = KeyEndpoint::of(json!({ "keys": [members(changed.clone()), good.jwk()] })).await;
        let (_app, browser) = app(&endpoint).await;
        assert_accepted(&browser, &good.token("ada"), "ada").await;
        assert_refused(&browser, &bad.token("eve"), "token_unknown_key").await;
    }
    // The same key counts without a change, so the changes above were what left it out.
    for unchanged in
        [json!({}), json!({ "use": null }), json!({ "key_ops": ["verify"] }), json!({ "x5c": ["AAAA"] })]
    {
        let endpoint = KeyEndpoint::of(json!({ "keys": [members(unchanged), good.jwk()] })).await;
        let (_app, browser) = app(&endpoint).await;
        assert_accepted(&browser, &bad.token("ada"), "ada").await;
    }
    assert!(log.text().contains("Private") && log.text().contains("NoAlgorithm"), "{}", log.text());
}

#[tokio::test]
async fn key_of_an_algorithm_that_is_not_configured_is_left_out() {
    let (es384, eddsa) = (Signer::es384("a"), Signer::ed25519("b"));
    let endpoint = KeyEndpoint::of(key_set(&[&es384, &eddsa])).await;
    let (_app, browser) = app(&endpoint).await;
    assert_refused(&browser, &es384.token("ada"), "token_unknown_key").await;
    assert_accepted(&browser, &eddsa.token("ada"), "ada").await;
    let (_app, browser) = app_of(builder(&endpoint).jwks_algorithms(["es384"])).await;
    assert_accepted(&browser, &es384.token("ada"), "ada").await;
    assert_refused(&browser, &eddsa.token("ada"), "token_unknown_key").await;
}

#[tokio::test]
async fn keys_of_one_name_and_algorithm_are_left_out() {
    let (one, two, other) = (Signer::ed25519("same"), Signer::ed25519("same"), Signer::es256("same"));
    let good = Signer::ed25519("good");
    let endpoint = KeyEndpoint::of(key_set(&[&one, &two, &other, &good])).await;
    let (_app, browser) = app(&endpoint).await;
    for ambiguous in [&one, &two] {
        // The name is that of the key with the other algorithm.
        assert_refused(&browser, &ambiguous.token("eve"), "token_unsupported").await;
    }
    // The algorithm tells this key from the others of its name.
    assert_accepted(&browser, &other.token("ada"), "ada").await;
    assert_accepted(&browser, &good.token("ada"), "ada").await;
}

/// A token without `kid` is verified only with the one key that there is.
#[tokio::test]
async fn token_without_a_key_name_needs_a_single_key() {
    let (one, two) = (Signer::ed25519("1"), Signer::ed25519("2"));
    let unnamed = |signer: &Signer| signer.token_with(&json!({ "alg": "EdDSA" }), &claims("ada"));
    let endpoint = KeyEndpoint::of(key_set(&[&one])).await;
    let (_app, browser) = app(&endpoint).await;
    assert_accepted(&browser, &unnamed(&one), "ada").await;
    // The single key may have been replaced, so the keys are fetched once more.
    assert_refused(&browser, &unnamed(&two), "token_tampered").await;
    assert_eq!(endpoint.count(), 2);
    endpoint.set(super::endpoint::Mode::Keys(key_set(&[&two])));
    let (_app, browser) = app(&endpoint).await;
    assert_accepted(&browser, &unnamed(&two), "ada").await;
    let endpoint = KeyEndpoint::of(key_set(&[&one, &two])).await;
    let (_app, browser) = app(&endpoint).await;
    assert_refused(&browser, &unnamed(&one), "token_unknown_key").await;
}

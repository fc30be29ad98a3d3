//! Which keys sign logout tokens, and what happens without them.

use std::time::{Duration, Instant};

use auth_proxy_tests::SharedStore;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::StatusCode;
use serde_json::{Value, json};

use super::super::endpoint::{KeyEndpoint, Mode};
use super::super::signer::{Signer, compact, key_set};
use super::super::{app_of, assert_accepted, assert_refused};
use super::{FORM, accepted, app, assert_ended, builder, logout, logout_token, post, refused, session, tell};

#[tokio::test]
async fn algorithms_are_those_of_the_configuration() {
    let signers = [Signer::ed25519("a"), Signer::es256("b"), Signer::rs256("c"), Signer::es384("d")];
    let all = signers.each_ref();
    let endpoint = KeyEndpoint::of(key_set(&all)).await;
    for (algorithms, accepts) in [
        (&["eddsa", "es256", "rs256"][..], [true, true, true, false]),
        (&["es384"], [false, false, false, true]),
        (&["rs256", "es384"], [false, false, true, true]),
    ] {
        let store = SharedStore::telling_ends();
        let (app, browser) = app_of(builder(&endpoint, &store).jwks_algorithms(algorithms)).await;
        let mut has_searched = false;
        for (number, (signer, accepts)) in all.into_iter().zip(accepts).enumerate() {
            let user = format!("user-{number}");
            let token = logout_token(signer, &logout(&user, json!({ "sid": user })));
            let expected = if accepts {
                accepted()
            } else if std::mem::replace(&mut has_searched, true) {
                // A key that is not used is unknown, and the fetch of `jwks.cooldown` is used up.
                (503, "keys_unavailable".to_owned())
            } else {
                refused("logout_token_untrusted")
            };
            assert_eq!(tell(&app, &token).await, expected, "{algorithms:?} {number}");
            if accepts {
                assert_ended(&browser, &session(signer, "ada", &user, 0)).await;
            }
        }
        assert_eq!(store.revocations(), accepts.iter().filter(|accepts| **accepts).count());
    }
}

/// The header of a token never decides how it is verified.
#[tokio::test]
async fn token_without_the_signature_of_a_published_key_ends_nothing() {
    let (signer, other) = (Signer::rs256("a"), Signer::rs256("a"));
    let store = SharedStore::telling_ends();
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, browser) = app(&endpoint, &store).await;
    let claims = logout("1", json!({}));
    let header = |alg: &str| json!({ "alg": alg, "kid": "a", "typ": "logout+jwt" });
    // The key of an HMAC would be the public key, which everyone has.
    let hmac = |key: &[u8]| {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key);
        move |message: &[u8]| aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec()
    };
    let jwk = signer.jwk();
    let modulus = BASE64.decode(jwk["n"].as_str().unwrap()).unwrap();
    let mut embedded = header("RS256");
    embedded["jwk"] = other.jwk();
    let good = logout_token(&signer, &claims);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let mut later = claims.clone();
    later["sid"] = json!("bob-1");
    let payload = |claims: &Value| BASE64.encode(claims.to_string());
    let swapped = format!("{}.{}.{signature}", message.split_once('.').unwrap().0, payload(&later));
    for (token, code) in [
        (compact(&header("none"), &claims, |_| Vec::new()), "logout_token_unsupported"),
        (compact(&header("None"), &claims, |_| Vec::new()), "logout_token_unsupported"),
        (compact(&header("HS256"), &claims, hmac(jwk.to_string().as_bytes())), "logout_token_unsupported"),
        (compact(&header("HS256"), &claims, hmac(&modulus)), "logout_token_unsupported"),
        (compact(&header("RS256"), &claims, |_| Vec::new()), "logout_token_untrusted"),
        (compact(&header("PS256"), &claims, |_| vec![0; 256]), "logout_token_unsupported"),
        (other.token_with(&embedded, &claims), "logout_token_untrusted"),
        (logout_token(&other, &claims), "logout_token_untrusted"),
        (format!("{message}."), "logout_token_untrusted"),
        (swapped, "logout_token_untrusted"),
        (message.to_owned(), "logout_token_malformed"),
    ] {
        assert_eq!(tell(&app, &token).await, refused(code), "{token:.200}");
    }
    assert_eq!(store.revocations(), 0);
    assert_accepted(&browser, &session(&signer, "ada", "ada-1", 0), "ada").await;
    assert_eq!(tell(&app, &good).await, accepted(), "the refused ones have not used up its `jti`");
}

#[tokio::test]
async fn key_that_was_published_since_leads_to_one_fetch() {
    let (old, new) = (Signer::ed25519("old"), Signer::ed25519("new"));
    let store = SharedStore::telling_ends();
    let endpoint = KeyEndpoint::of(key_set(&[&old])).await;
    let (app, browser) = app(&endpoint, &store).await;
    let token = session(&old, "ada", "ada-1", 0);
    assert_accepted(&browser, &token, "ada").await;
    endpoint.set(Mode::Keys(key_set(&[&old, &new])));
    assert_eq!(tell(&app, &logout_token(&new, &logout("1", json!({})))).await, accepted());
    assert_ended(&browser, &token).await;
    let unknown = logout_token(&Signer::ed25519("unknown"), &logout("2", json!({})));
    for _ in 0..3 {
        assert_eq!(tell(&app, &unknown).await, (503, "keys_unavailable".to_owned()));
    }
    assert_eq!(endpoint.count(), 2, "no other fetch within `jwks.cooldown`");
}

/// Anyone can use up the one fetch in `jwks.cooldown`. An issuer that gets 400 does not send its logout token again.
#[tokio::test]
async fn logout_under_a_new_key_can_be_sent_again_after_a_made_up_key() {
    let (old, new, made_up) = (Signer::ed25519("old"), Signer::ed25519("new"), Signer::ed25519("made-up"));
    let store = SharedStore::telling_ends();
    let endpoint = KeyEndpoint::of(key_set(&[&old])).await;
    let cooldown = Duration::from_secs(2);
    let (app, browser) = app_of(builder(&endpoint, &store).jwks_cooldown(cooldown)).await;
    let token = session(&old, "ada", "ada-1", 0);
    assert_accepted(&browser, &token, "ada").await;
    assert_refused(&browser, &session(&made_up, "ada", "ada-1", 0), "token_unknown_key").await;
    endpoint.set(Mode::Keys(key_set(&[&old, &new])));
    let logout = logout_token(&new, &logout("1", json!({})));
    let told = post(&app, FORM, format!("logout_token={logout}")).await;
    assert_eq!((told.status, told.code.as_str()), (503, "keys_unavailable"));
    let retry_after: u64 = told.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&retry_after), "{retry_after}");
    let begun = Instant::now();
    while tell(&app, &logout).await != accepted() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the cooldown is over");
        tokio::task::yield_now().await;
    }
    assert_ended(&browser, &token).await;
    assert_eq!(endpoint.count(), 3);
}

#[tokio::test]
async fn logout_that_cannot_be_verified_is_not_accepted_and_can_be_sent_again() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::start(Mode::Status(StatusCode::SERVICE_UNAVAILABLE)).await;
    let cooldown = Duration::from_millis(10);
    let (app, browser) = app_of(builder(&endpoint, &store).jwks_cooldown(cooldown)).await;
    let token = logout_token(&signer, &logout("1", json!({})));
    let told = post(&app, FORM, format!("logout_token={token}")).await;
    assert_eq!((told.status, told.code.as_str()), (503, "keys_unavailable"));
    assert!(told.headers.contains_key("retry-after"));
    assert_eq!(store.revocations(), 0);
    endpoint.set(Mode::Keys(key_set(&[&signer])));
    // The next fetch comes after a pause of a second at most.
    let begun = Instant::now();
    while tell(&app, &token).await != accepted() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the keys are published again");
        tokio::task::yield_now().await;
    }
    assert_ended(&browser, &session(&signer, "ada", "ada-1", 0)).await;
}

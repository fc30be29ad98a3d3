//! What a logout token ends.

use auth_proxy::options::Expected;
use auth_proxy_tests::SharedStore;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::super::endpoint::KeyEndpoint;
use super::super::signer::{Signer, claims, key_set};
use super::super::{app_of, assert_accepted, assert_refused};
use super::{accepted, app, assert_ended, builder, logout, logout_token, now, session, tell};

#[tokio::test]
async fn logout_with_a_sid_ends_that_session_at_every_instance_and_after_a_restart() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let ((first, one), (_second, two)) = (app(&endpoint, &store).await, app(&endpoint, &store).await);
    let (ended, older) = (session(&signer, "ada", "ada-1", 0), session(&signer, "ada", "ada-1", 1000));
    // The `sub` of the logout token is theirs too. Its `sid` is not.
    let stays = [session(&signer, "ada", "ada-2", 1000), session(&signer, "bob", "bob-1", 0)];
    for browser in [&one, &two] {
        for token in [&ended, &older] {
            assert_accepted(browser, token, "ada").await;
        }
    }
    assert_eq!(tell(&first, &logout_token(&signer, &logout("1", json!({})))).await, accepted());
    let (_restarted, three) = app(&endpoint, &store).await;
    for browser in [&one, &two, &three] {
        for token in [&ended, &older] {
            assert_ended(browser, token).await;
        }
        assert_accepted(browser, &stays[0], "ada").await;
        assert_accepted(browser, &stays[1], "bob").await;
    }
    // A `sid` alone will do.
    let alone = logout_token(&signer, &logout("2", json!({ "sid": "bob-1", "sub": null })));
    assert_eq!(tell(&first, &alone).await, accepted());
    assert_ended(&two, &stays[1]).await;
    assert_accepted(&two, &stays[0], "ada").await;
}

#[tokio::test]
async fn logout_without_a_sid_ends_the_tokens_of_the_user_until_then() {
    let (signer, store) = (Signer::es256("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let ((first, one), (_second, two)) = (app(&endpoint, &store).await, app(&endpoint, &store).await);
    let at = now();
    let issued = |user: &str, iat: Value| {
        let mut all = claims(user);
        all["iat"] = iat;
        signer.token_of(&all)
    };
    let before = [issued("ada", json!(at - 1)), issued("ada", json!(at - 1000)), signer.token("ada")];
    // A sign-in in the same second may be a new one.
    let after = [issued("ada", json!(at)), issued("ada", json!(at + 1)), issued("bob", json!(at - 1))];
    let all = logout("1", json!({ "sid": null, "iat": at }));
    assert_eq!(tell(&first, &logout_token(&signer, &all)).await, accepted());
    for browser in [&one, &two] {
        for token in &before {
            assert_ended(browser, token).await;
        }
        assert_accepted(browser, &after[0], "ada").await;
        assert_accepted(browser, &after[1], "ada").await;
        assert_accepted(browser, &after[2], "bob").await;
    }
}

/// Sent late, it ends what it meant: not the sign-ins between.
#[tokio::test]
async fn logout_that_comes_late_leaves_the_sign_ins_between() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, browser) = app(&endpoint, &store).await;
    let late = logout("1", json!({ "sid": null, "iat": now() - 200 }));
    assert_eq!(tell(&app, &logout_token(&signer, &late)).await, accepted());
    assert_accepted(&browser, &session(&signer, "ada", "ada-2", 100), "ada").await;
    assert_ended(&browser, &session(&signer, "ada", "ada-1", 300)).await;
}

/// One address may publish the keys of several issuers. Each has its own user "ada".
#[tokio::test]
async fn logout_at_one_issuer_ends_nothing_of_another() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let realm = |name: &str| format!("https://issuer.example/{name}");
    let mut apps = Vec::new();
    for name in ["a", "b"] {
        apps.push(app_of(builder(&endpoint, &store).upstream_issuer(Expected::Is(realm(name)))).await);
    }
    let token = |name: &str| {
        let mut all = claims("ada");
        (all["iss"], all["sid"], all["iat"]) = (json!(realm(name)), json!("ada-1"), json!(now() - 10));
        signer.token_of(&all)
    };
    let [(first, one), (_second, two)] = &apps[..] else { unreachable!() };
    for (jti, changes) in [("1", json!({ "sid": null })), ("2", json!({}))] {
        let mut all = logout(jti, changes);
        all["iss"] = json!(realm("a"));
        assert_eq!(tell(first, &logout_token(&signer, &all)).await, accepted());
    }
    assert_eq!(store.revocations(), 2);
    assert_ended(one, &token("a")).await;
    assert_accepted(two, &token("b"), "ada").await;
}

/// The list knows a token by its `sid`, `jti` and `sub`. One that cannot be read there would outlive every logout.
#[tokio::test]
async fn token_whose_names_cannot_be_read_is_no_session() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, browser) = app(&endpoint, &store).await;
    let mut claims = claims("ada");
    (claims["sid"], claims["iat"]) = (json!("ada-1"), json!(now() - 10));
    let with = |inserted: &str| {
        let claims = claims.to_string().replacen('{', &format!("{{{inserted},"), 1);
        signer.signed(&format!("{}.{}", BASE64.encode(signer.header().to_string()), BASE64.encode(claims)))
    };
    for (jti, sid) in [("1", json!("ada-1")), ("2", Value::Null)] {
        assert_eq!(tell(&app, &logout_token(&signer, &logout(jti, json!({ "sid": sid })))).await, accepted());
    }
    // A name that is no text is no name. The others count all the same.
    for inserted in [r#""jti":"a""#, r#""jti":{"a":1e999}"#, r#""jti":{"$serde_json::private::RawValue":1}"#]
    {
        assert_ended(&browser, &with(inserted)).await;
    }
    for inserted in [r#""sid":"ada-1""#, r#""sid":"other""#, r#""jti":1,"jti":2"#, r#""jti":1e999"#] {
        assert_refused(&browser, &with(inserted), "token_malformed").await;
    }
}

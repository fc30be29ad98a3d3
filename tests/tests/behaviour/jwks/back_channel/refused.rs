//! Logout tokens that break a rule of section 2.6, and those that were accepted before.

use auth_proxy_tests::SharedStore;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::super::assert_accepted;
use super::super::endpoint::KeyEndpoint;
use super::super::signer::{AUDIENCE, FAR, ISSUER, Signer, key_set};
use super::{EVENT, accepted, app, assert_ended, logout, logout_token, now, refused, session, tell};

#[tokio::test]
async fn token_that_breaks_a_rule_ends_nothing() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, browser) = app(&endpoint, &store).await;
    let other_event = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    let invalid = "logout_token_invalid";
    for (changes, code) in [
        (json!({ "iss": "https://evil.example" }), "logout_token_wrong_issuer"),
        (json!({ "iss": format!("{ISSUER}/") }), "logout_token_wrong_issuer"),
        (json!({ "iss": [ISSUER] }), "logout_token_wrong_issuer"),
        (json!({ "iss": null }), "logout_token_wrong_issuer"),
        (json!({ "aud": "other" }), "logout_token_wrong_audience"),
        (json!({ "aud": ["other"] }), "logout_token_wrong_audience"),
        (json!({ "aud": [] }), "logout_token_wrong_audience"),
        (json!({ "aud": null }), "logout_token_wrong_audience"),
        (json!({ "exp": now() - 20 }), "logout_token_expired"),
        (json!({ "exp": null }), invalid),
        (json!({ "exp": FAR.to_string() }), "logout_token_malformed"),
        (json!({ "iat": now() - 310 }), "logout_token_late"),
        (json!({ "iat": now() + 400 }), "logout_token_late"),
        (json!({ "iat": 0 }), "logout_token_late"),
        (json!({ "iat": null }), invalid),
        (json!({ "iat": now().to_string() }), "logout_token_malformed"),
        (json!({ "nbf": now() + 100 }), "logout_token_late"),
        (json!({ "events": null }), invalid),
        (json!({ "events": {} }), invalid),
        (json!({ "events": [] }), invalid),
        (json!({ "events": EVENT }), invalid),
        (json!({ "events": [EVENT] }), invalid),
        (json!({ "events": { EVENT: null } }), invalid),
        (json!({ "events": { EVENT: true } }), invalid),
        (json!({ "events": { EVENT: [] } }), invalid),
        (json!({ "events": { EVENT: "{}" } }), invalid),
        (json!({ "events": { other_event: {} } }), invalid),
        (json!({ "events": { (EVENT.to_uppercase()): {} } }), invalid),
        (json!({ "nonce": "n" }), invalid),
        (json!({ "nonce": "" }), invalid),
        (json!({ "jti": null }), invalid),
        (json!({ "jti": "" }), invalid),
        (json!({ "jti": 1 }), "logout_token_malformed"),
        (json!({ "sub": null, "sid": null }), invalid),
        (json!({ "sub": "", "sid": null }), invalid),
        (json!({ "sid": "" }), invalid),
        (json!({ "sid": 1 }), "logout_token_malformed"),
        (json!({ "sid": ["ada-1"] }), "logout_token_malformed"),
        (json!({ "sub": 1, "sid": null }), "logout_token_malformed"),
    ] {
        let token = logout_token(&signer, &logout("1", changes.clone()));
        assert_eq!(tell(&app, &token).await, refused(code), "{changes}");
    }
    // A claim of null is there (RFC 8259, section 3), and what is there twice is not decided.
    let whole = logout("1", json!({})).to_string();
    let text = |inserted: &str| whole.replacen('{', &format!("{{{inserted},"), 1);
    let header = BASE64.encode(json!({ "alg": "EdDSA", "kid": "a", "typ": "logout+jwt" }).to_string());
    for (claims, code) in [
        (text(r#""nonce":null"#), invalid),
        (text(r#""sid":"bob-1""#), "logout_token_malformed"),
        (text(r#""iss":"https://evil.example""#), "logout_token_malformed"),
        (text(r#""jti":"2""#), "logout_token_malformed"),
        (text(r#""events":{}"#), "logout_token_malformed"),
        (format!("[{whole}]"), "logout_token_malformed"),
        ("not JSON".to_owned(), "logout_token_malformed"),
    ] {
        let token = signer.signed(&format!("{header}.{}", BASE64.encode(&claims)));
        assert_eq!(tell(&app, &token).await, refused(code), "{claims}");
    }
    for token in ["a", "a.b", "..", "a.b.c", "a.b.c.d.e", "e30.e30.AA"] {
        assert_eq!(tell(&app, token).await, refused("logout_token_malformed"), "{token}");
    }
    assert_eq!(store.revocations(), 0);
    assert_accepted(&browser, &session(&signer, "ada", "ada-1", 0), "ada").await;
    for (jti, changes) in [
        ("1", json!({ "aud": ["other", AUDIENCE], "iat": now() - 200, "exp": FAR, "extra": 1 })),
        ("2", json!({ "events": { EVENT: { "a": 1 }, other_event: {} }, "iat": now() + 290 })),
        ("3", json!({ "exp": now() - 5 })),
    ] {
        let token = logout_token(&signer, &logout(jti, changes.clone()));
        assert_eq!(tell(&app, &token).await, accepted(), "{changes}");
    }
    assert_ended(&browser, &session(&signer, "ada", "ada-1", 0)).await;
}

/// Section 2.4 recommends `typ` and does not demand it.
#[tokio::test]
async fn type_of_another_token_is_refused() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, _browser) = app(&endpoint, &store).await;
    let with = |changes: Value, jti: &str| {
        let mut header = signer.header();
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        header.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        signer.token_with(&header, &logout(jti, json!({})))
    };
    for typ in ["at+jwt", "secevent+jwt", "logout", "", "application/", "text/logout+jwt"] {
        let token = with(json!({ "typ": typ }), "1");
        assert_eq!(tell(&app, &token).await, refused("logout_token_unsupported"), "{typ}");
    }
    for header in
        [json!({ "typ": "logout+jwt", "crit": ["x"], "x": 1 }), json!({ "typ": null, "b64": false })]
    {
        let token = with(header.clone(), "1");
        assert_eq!(tell(&app, &token).await, refused("logout_token_unsupported"), "{header}");
    }
    assert_eq!(tell(&app, &with(json!({ "typ": 1 }), "1")).await, refused("logout_token_malformed"));
    assert_eq!(store.revocations(), 0);
    let good = [
        json!(null),
        json!("logout+jwt"),
        json!("Logout+JWT"),
        json!("application/LOGOUT+jwt"),
        json!("JWT"),
    ];
    for (jti, typ) in good.into_iter().enumerate() {
        assert_eq!(tell(&app, &with(json!({ "typ": typ }), &jti.to_string())).await, accepted(), "{typ}");
    }
}

#[tokio::test]
async fn token_is_accepted_once_by_an_instance() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let ((first, one), (second, _two)) = (app(&endpoint, &store).await, app(&endpoint, &store).await);
    let at = now() - 100;
    let token = |jti: &str| logout_token(&signer, &logout(jti, json!({ "sid": null, "iat": at })));
    assert_eq!(tell(&first, &token("1")).await, accepted());
    for _ in 0..2 {
        assert_eq!(tell(&first, &token("1")).await, refused("logout_token_replayed"));
    }
    // The name counts, not the text of the token.
    let changed = logout_token(&signer, &logout("1", json!({ "sid": "other" })));
    assert_eq!(tell(&first, &changed).await, refused("logout_token_replayed"));
    assert_eq!(tell(&first, &token("2")).await, accepted());
    // Another instance accepts it. That ends the same tokens and no later ones.
    assert_eq!(tell(&second, &token("1")).await, accepted());
    assert_ended(&one, &session(&signer, "ada", "ada-1", 150)).await;
    assert_accepted(&one, &session(&signer, "ada", "ada-2", 50), "ada").await;
}

#[tokio::test]
async fn token_that_is_sent_at_once_many_times_is_accepted_once() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, _browser) = app(&endpoint, &store).await;
    let app = std::sync::Arc::new(app);
    let token = logout_token(&signer, &logout("1", json!({})));
    let sent: Vec<_> = (0..20)
        .map(|_| {
            let (app, token) = (std::sync::Arc::clone(&app), token.clone());
            tokio::spawn(async move { tell(&app, &token).await })
        })
        .collect();
    let mut count = 0;
    for answer in sent {
        let answer = answer.await.unwrap();
        assert!(answer == accepted() || answer == refused("logout_token_replayed"), "{answer:?}");
        count += usize::from(answer == accepted());
    }
    assert_eq!((count, store.revocations()), (1, 1));
}

/// The issuer is told, and may send it again: the token is not used up.
#[tokio::test]
async fn token_whose_revocation_is_not_stored_can_be_sent_again() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, _browser) = app(&endpoint, &store).await;
    let token = logout_token(&signer, &logout("1", json!({})));
    store.go_down();
    for _ in 0..2 {
        assert_eq!(tell(&app, &token).await, (503, "revocation_not_stored".to_owned()));
    }
    store.come_back();
    assert_eq!(tell(&app, &token).await, accepted());
    assert_eq!(tell(&app, &token).await, refused("logout_token_replayed"));
}

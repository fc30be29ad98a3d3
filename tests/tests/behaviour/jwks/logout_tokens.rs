//! A logout token, or another security event of the issuer, is signed with the keys of its access tokens. It is no session.

use auth_proxy::options::{Expected, TokenFormat};
use serde_json::{Value, json};

use super::endpoint::KeyEndpoint;
use super::signer::{AUDIENCE, ISSUER, Signer, claims, key_set};
use super::{app, assert_accepted, assert_refused};
use crate::support::Auth;

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The claims of a session token with this claim `events`.
fn with_events(events: Value) -> Value {
    let mut all = claims("ada");
    all["events"] = events;
    all
}

#[tokio::test]
async fn logout_token_is_no_session() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (_app, browser) = app(&endpoint).await;
    let logout = with_events(json!({ LOGOUT: {} }));
    // Accepted as a session once, it must not be found in the cache of verified tokens either.
    for _ in 0..2 {
        for typ in [json!(null), json!("JWT"), json!("at+jwt")] {
            let mut header = signer.header();
            header["typ"] = typ;
            header.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            assert_refused(&browser, &signer.token_with(&header, &logout), "token_not_a_session").await;
        }
        for typ in ["logout+jwt", "LOGOUT+JWT", "application/logout+jwt", "secevent+jwt"] {
            let mut header = signer.header();
            header["typ"] = json!(typ);
            for claims in [&logout, &claims("ada")] {
                assert_refused(&browser, &signer.token_with(&header, claims), "token_unsupported").await;
            }
        }
    }
    for events in [
        json!({ LOGOUT: null }),
        json!({ "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} }),
        json!({}),
        json!([]),
        json!([LOGOUT]),
        json!(LOGOUT),
        json!(null),
    ] {
        assert_refused(&browser, &signer.token_of(&with_events(events)), "token_not_a_session").await;
    }
    assert_accepted(&browser, &signer.token("ada"), "ada").await;
}

/// A key in `upstream.secret` may be the one that an issuer signs its logout tokens with.
#[tokio::test]
async fn logout_token_under_a_key_of_the_configuration_is_no_session() {
    const SECRET: &str = "a secret that tokens are signed with, 32 bytes";
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let token = |typ: &str, claims: &Value| {
        let sign = |message: &[u8]| aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec();
        super::signer::compact(&json!({ "alg": "HS256", "typ": typ }), claims, sign)
    };
    let builder = Auth::builder()
        .upstream_base_url("http://127.0.0.1:9")
        .upstream_secret([SECRET])
        .upstream_token(TokenFormat::Hs256)
        .upstream_audience(Expected::Is(AUDIENCE.to_owned()))
        .upstream_issuer(Expected::Is(ISSUER.to_owned()));
    let (_app, browser) = crate::support::app_of(builder).await;
    let logout = with_events(json!({ LOGOUT: {} }));
    assert_accepted(&browser, &token("JWT", &claims("ada")), "ada").await;
    for (typ, claims, code) in [
        ("JWT", &logout, "token_not_a_session"),
        ("logout+jwt", &logout, "token_unsupported"),
        ("logout+jwt", &claims("ada"), "token_unsupported"),
        ("Application/Logout+JWT", &claims("ada"), "token_unsupported"),
        ("secevent+jwt", &claims("ada"), "token_unsupported"),
    ] {
        assert_refused(&browser, &token(typ, claims), code).await;
    }
}

//! Tokens that an attacker makes of what is public.

use auth_proxy_tests::Browser;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use super::endpoint::KeyEndpoint;
use super::signer::{Signer, claims, compact, key_set};
use super::{app, assert_accepted, assert_refused};

fn hmac_token(header: &Value, key: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    compact(header, &claims("eve"), |message| hmac::sign(&key, message).as_ref().to_vec())
}

/// Everything that an attacker may take for the shared secret of a verifier that trusts `alg`.
fn public_bytes(jwk: &Value) -> Vec<Vec<u8>> {
    let mut found = vec![jwk.to_string().into_bytes(), Vec::new(), b"secret".to_vec()];
    for value in jwk.as_object().unwrap().values().filter_map(Value::as_str) {
        found.push(value.as_bytes().to_vec());
        found.extend(BASE64.decode(value));
    }
    if let Ok(x) = BASE64.decode(jwk["x"].as_str().unwrap_or_default()) {
        let der = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &x].concat();
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
        found.extend([der, pem.clone().into_bytes(), pem.trim_end().as_bytes().to_vec()]);
    }
    found
}

#[tokio::test]
async fn public_key_is_no_shared_secret() {
    for signer in [Signer::ed25519("a"), Signer::es256("a"), Signer::rs256("a")] {
        let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
        let (_app, browser) = app(&endpoint).await;
        for key in public_bytes(&signer.jwk()) {
            for alg in ["HS256", "HS384", "HS512"] {
                let token = hmac_token(&json!({ "alg": alg, "kid": "a" }), &key);
                assert_refused(&browser, &token, "token_unsupported").await;
            }
            assert_refused(&browser, &hmac_token(&signer.header(), &key), "token_tampered").await;
        }
        assert_accepted(&browser, &signer.token("ada"), "ada").await;
    }
}

async fn refuse_header(browser: &Browser, signer: &Signer, changed: Value, code: &str) {
    let mut header = signer.header();
    for (name, value) in changed.as_object().unwrap() {
        header[name] = value.clone();
    }
    assert_refused(browser, &signer.token_with(&header, &claims("ada")), code).await;
}

#[tokio::test]
async fn algorithm_is_that_of_the_key() {
    let (eddsa, es256) = (Signer::ed25519("a"), Signer::es256("b"));
    let endpoint = KeyEndpoint::of(key_set(&[&eddsa, &es256])).await;
    let (_app, browser) = app(&endpoint).await;
    for alg in ["none", "None", "", "ES256", "RS256", "HS256", "eddsa", "ES512", "RSA-OAEP", "dir"] {
        refuse_header(&browser, &eddsa, json!({ "alg": alg }), "token_unsupported").await;
    }
    for alg in [json!(null), json!(["EdDSA"]), json!(1)] {
        refuse_header(&browser, &eddsa, json!({ "alg": alg }), "token_malformed").await;
    }
    let unsigned = compact(&json!({ "alg": "none", "kid": "a" }), &claims("eve"), |_| Vec::new());
    assert_refused(&browser, &unsigned, "token_unsupported").await;
    let empty = compact(&eddsa.header(), &claims("eve"), |_| Vec::new());
    assert_refused(&browser, &empty, "token_tampered").await;
    // Signed with another published key than the named one.
    refuse_header(&browser, &es256, json!({ "alg": "EdDSA", "kid": "a" }), "token_tampered").await;
    // RFC 9864 names the algorithm of this key so.
    let renamed = eddsa.token_with(&json!({ "alg": "Ed25519", "kid": "a" }), &claims("ada"));
    assert_accepted(&browser, &renamed, "ada").await;
}

/// The key of an attacker in the header of the token, or at an address in it.
#[tokio::test]
async fn key_in_the_token_is_never_read() {
    let (signer, eve) = (Signer::ed25519("a"), Signer::ed25519("a"));
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let evil = KeyEndpoint::of(key_set(&[&eve])).await;
    let (_app, browser) = app(&endpoint).await;
    for changed in [
        json!({ "jwk": eve.jwk() }),
        json!({ "jku": evil.url() }),
        json!({ "x5u": evil.url() }),
        json!({ "x5c": ["AAAA"] }),
        json!({ "kid": evil.url() }),
        json!({ "kid": "../../../dev/null" }),
        json!({ "kid": "unknown", "jwk": eve.jwk(), "jku": evil.url() }),
    ] {
        let code = if changed.get("kid").is_some() { "token_unknown_key" } else { "token_tampered" };
        refuse_header(&browser, &eve, changed, code).await;
    }
    assert_eq!(evil.count(), 0);
    // The issuer's own tokens may have them.
    let header = json!({ "alg": "EdDSA", "kid": "a", "x5t": "AAAA", "jku": evil.url() });
    assert_accepted(&browser, &signer.token_with(&header, &claims("ada")), "ada").await;
    assert_eq!(evil.count(), 0);
}

#[tokio::test]
async fn token_with_another_purpose_is_no_session() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (_app, browser) = app(&endpoint).await;
    for typ in
        ["logout+jwt", "application/secevent+jwt", "dpop+jwt", "better-auth.session-cache+jwt", "", "JOSE"]
    {
        refuse_header(&browser, &signer, json!({ "typ": typ }), "token_unsupported").await;
    }
    for changed in
        [json!({ "crit": ["exp"] }), json!({ "crit": [] }), json!({ "b64": true }), json!({ "crit": null })]
    {
        refuse_header(&browser, &signer, changed, "token_unsupported").await;
    }
    for changed in
        [json!({ "typ": null }), json!({ "kid": null }), json!({ "kid": ["a"] }), json!({ "kid": 1 })]
    {
        refuse_header(&browser, &signer, changed, "token_malformed").await;
    }
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt", "Application/AT+JWT"] {
        let header = json!({ "alg": "EdDSA", "kid": "a", "typ": typ });
        assert_accepted(&browser, &signer.token_with(&header, &claims("ada")), "ada").await;
    }
}

#[tokio::test]
async fn changed_or_malformed_token_is_refused() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (_app, browser) = app(&endpoint).await;
    let good = signer.token("ada");
    for at in (0..good.len()).step_by(7) {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let answer = super::ask(&browser, "/token", std::str::from_utf8(&changed).unwrap()).await;
        assert_eq!(answer.status, 401, "byte {at}");
    }
    for bad in
        ["a", "a.b", "a.b.c", "a.b.c.d", "....", "e30.e30.e30", &format!("{good}.e30"), &format!("{good}=")]
    {
        assert_eq!(super::ask(&browser, "/token", bad).await.code(), "token_malformed", "{bad}");
    }
    assert_accepted(&browser, &good, "ada").await;
}

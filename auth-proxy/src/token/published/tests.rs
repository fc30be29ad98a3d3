//! What counts in the header of a token, and that the tokens in the cache belong to their keys.

use auth_proxy_rules::{Expected, TokenFormat};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_800_000_000;

fn keys(pairs: &[(&str, &Ed25519KeyPair)]) -> PublishedKeys {
    let jwk = |(kid, pair): &(&str, &Ed25519KeyPair)| {
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": x })
    };
    let document = json!({ "keys": pairs.iter().map(jwk).collect::<Vec<_>>() }).to_string();
    let set = KeySet::read(document.as_bytes(), &[TokenFormat::Eddsa]).unwrap();
    let is = |text: &str| Expected::Is(text.to_owned());
    let demands = Demands { audience: is("api"), issuer: is("issuer"), must_expire: true, ..Demands::NONE };
    PublishedKeys::new(set, demands, 64).unwrap()
}

fn token(pair: &Ed25519KeyPair, header: &Value, claims: &Value) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encoded(header), encoded(claims));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())))
}

fn claims() -> Value {
    json!({ "sub": "ada", "iss": "issuer", "aud": "api", "exp": NOW + 60 })
}

/// `Ok`, or the code of the error and whether a newer key may verify the token.
fn verify(keys: &PublishedKeys, token: &str, now: u64) -> Result<(), (&'static str, bool)> {
    let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    let headers: HeaderMap = [(AUTHORIZATION, value)].into_iter().collect();
    let candidate = Candidate::of::<&str, 0>(&headers, &[], false).unwrap().unwrap();
    keys.verify(&candidate, now)
        .map(drop)
        .map_err(|refusal| (refusal.error.code(), refusal.may_have_newer_key))
}

#[test]
fn newer_keys_may_verify_only_a_token_of_an_unknown_key() {
    let (a, b) = (Ed25519KeyPair::generate().unwrap(), Ed25519KeyPair::generate().unwrap());
    let (one, two) = (keys(&[("a", &a)]), keys(&[("a", &a), ("b", &b)]));
    let named = |kid: &str| json!({ "alg": "EdDSA", "kid": kid });
    let unnamed = json!({ "alg": "EdDSA" });
    for (set, pair, header, found) in [
        (&one, &a, named("a"), Ok(())),
        (&one, &b, named("a"), Err(("token_tampered", false))),
        (&one, &b, named("b"), Err(("token_unknown_key", true))),
        (&two, &b, named("b"), Ok(())),
        (&one, &a, unnamed.clone(), Ok(())),
        (&one, &b, unnamed.clone(), Err(("token_tampered", true))),
        (&two, &a, unnamed, Err(("token_unknown_key", true))),
        (&one, &a, json!({ "alg": "RS256", "kid": "a" }), Err(("token_unsupported", false))),
        (&one, &a, json!({ "alg": "none", "kid": "b" }), Err(("token_unsupported", false))),
        (&one, &a, json!({ "alg": "EdDSA", "kid": "b", "crit": ["x"] }), Err(("token_unsupported", false))),
        (&one, &a, json!({ "kid": "b" }), Err(("token_malformed", false))),
    ] {
        assert_eq!(verify(set, &token(pair, &header, &claims()), NOW), found, "{header}");
    }
}

#[test]
fn verified_token_is_checked_again_in_the_cache() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let header = json!({ "alg": "EdDSA", "kid": "a" });
    let (good, keys) = (token(&pair, &header, &claims()), keys(&[("a", &pair)]));
    assert_eq!(verify(&keys, &good, NOW), Ok(()));
    assert_eq!(verify(&keys, &good, NOW + 74), Ok(()));
    assert_eq!(verify(&keys, &good, NOW + 75), Err(("token_expired", false)));
    assert_eq!(verify(&keys, &good, NOW), Ok(()));
}

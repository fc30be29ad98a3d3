//! Reading key sets, and finding the key of a token.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const ALGORITHMS: [TokenFormat; 2] = [TokenFormat::Eddsa, TokenFormat::Es256];

fn ed25519(kid: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

fn p256(kid: &str) -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": kid, "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

fn read(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::read(json!({ "keys": keys }).to_string().as_bytes(), &ALGORITHMS)
}

fn find(set: &KeySet, kid: Option<&str>, algorithm: Algorithm) -> Result<Algorithm, TokenError> {
    set.find(kid, algorithm).map(PublicKey::algorithm)
}

#[test]
fn key_is_found_by_its_name_and_algorithm() {
    let set = read(&[ed25519("a"), p256("b"), p256("a")]).unwrap();
    for (kid, algorithm, found) in [
        (Some("a"), Algorithm::EdDSA, Ok(Algorithm::EdDSA)),
        (Some("a"), Algorithm::ES256, Ok(Algorithm::ES256)),
        (Some("b"), Algorithm::ES256, Ok(Algorithm::ES256)),
        (Some("b"), Algorithm::EdDSA, Err(TokenError::Unsupported)),
        (Some("b"), Algorithm::HS256, Err(TokenError::Unsupported)),
        (Some("c"), Algorithm::ES256, Err(TokenError::UnknownKey)),
        (Some("A"), Algorithm::EdDSA, Err(TokenError::UnknownKey)),
        (Some(""), Algorithm::EdDSA, Err(TokenError::UnknownKey)),
        (None, Algorithm::EdDSA, Err(TokenError::UnknownKey)),
    ] {
        assert_eq!(find(&set, kid, algorithm), found, "{kid:?} {algorithm:?}");
    }
}

#[test]
fn token_without_a_key_name_gets_the_only_key() {
    let set = read(&[p256("a")]).unwrap();
    assert_eq!(find(&set, None, Algorithm::ES256), Ok(Algorithm::ES256));
    assert_eq!(find(&set, None, Algorithm::EdDSA), Err(TokenError::Unsupported));
    // A key without a name is for tokens without one.
    let mut unnamed = p256("a");
    unnamed.as_object_mut().unwrap().remove("kid");
    let set = read(&[unnamed]).unwrap();
    assert_eq!(find(&set, None, Algorithm::ES256), Ok(Algorithm::ES256));
    assert_eq!(find(&set, Some("a"), Algorithm::ES256), Err(TokenError::UnknownKey));
}

#[test]
fn keys_that_cannot_be_told_apart_are_left_out() {
    let set = read(&[ed25519("a"), ed25519("a"), p256("a"), ed25519("b"), json!({})]).unwrap();
    assert_eq!(
        (set.len(), set.unused()),
        (2, &[Unused::Malformed, Unused::Ambiguous, Unused::Ambiguous][..])
    );
    assert_eq!(find(&set, Some("a"), Algorithm::EdDSA), Err(TokenError::Unsupported));
    assert_eq!(find(&set, Some("a"), Algorithm::ES256), Ok(Algorithm::ES256));
}

#[test]
fn documents_without_a_usable_key_are_refused() {
    let too_many: Vec<_> = (0..=MOST_KEYS).map(|n| ed25519(&n.to_string())).collect();
    assert_eq!(read(&too_many).err(), Some(KeySetError::TooMany));
    assert_eq!(read(&too_many[1..]).unwrap().len(), 64);
    assert_eq!(read(&[]).err(), Some(KeySetError::NoKey(None)));
    assert_eq!(read(&[json!(1), json!({})]).err(), Some(KeySetError::NoKey(Some(Unused::Malformed))));
    let document = json!({ "keys": [ed25519("a")], "next": null }).to_string();
    assert!(KeySet::read(document.as_bytes(), &ALGORITHMS).is_ok());
    let long = format!("{document}{}", " ".repeat(KEY_SET_LIMIT - document.len()));
    assert!(KeySet::read(long.as_bytes(), &ALGORITHMS).is_ok());
    assert_eq!(KeySet::read(format!("{long} ").as_bytes(), &ALGORITHMS).err(), Some(KeySetError::TooLong));
    for text in
        ["", "null", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"keys":[],"keys":[]}"#, "<html>"]
    {
        assert_eq!(KeySet::read(text.as_bytes(), &ALGORITHMS).err(), Some(KeySetError::Malformed), "{text}");
    }
    assert_eq!(KeySet::read(b"{\"keys\":[\xff]}", &ALGORITHMS).err(), Some(KeySetError::Malformed));
    let nested = format!(r#"{{"keys":[{}{}]}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert!(KeySet::read(nested.as_bytes(), &ALGORITHMS).is_err());
}

#[test]
fn error_says_why_the_first_key_is_not_used() {
    let mut encryption = ed25519("a");
    encryption["use"] = json!("enc");
    let error = read(&[encryption, json!({})]).unwrap_err().to_string();
    assert_eq!(
        error,
        "no key of the key set can be used: the first one is not for signatures, by its `use` or `key_ops`"
    );
}

proptest! {
    #[test]
    fn every_key_of_a_set_is_allowed_and_can_be_found(document in "\\{\"keys\":\\[(\\{(\"(kty|kid|alg|use|x)\":\"(OKP|a|EdDSA|sig|11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo)\",?){0,6}\\},?){0,3}\\]\\}") {
        if let Ok(set) = KeySet::read(document.as_bytes(), &ALGORITHMS) {
            for key in &set.keys {
                prop_assert_eq!(key.key.algorithm(), Algorithm::EdDSA);
                prop_assert!(key.kid.is_none() || set.find(key.kid.as_deref(), key.key.algorithm()).is_ok());
            }
        }
    }
}

//! The form that is signed with a private key. The keys are generated here.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::token::jws::public_key;
use crate::token::public_key::PublicKey;
use auth_proxy_rules::Expected;

const TYP: &str = "better-auth.session-cache+jwt";
const ISSUER: &str = "https://app.example.com";

/// The upstream's keys: `ed` is an Ed25519 key, `ec` one on P-256.
struct Keys {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    public: Vec<(&'static str, PublicKey)>,
}

impl Keys {
    fn generate() -> Self {
        let ed = Ed25519KeyPair::generate().unwrap();
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pem = |prefix: &[u8], key: &[u8]| {
            format!(
                "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
                STANDARD.encode([prefix, key].concat())
            )
        };
        // The algorithm identifiers of RFC 8410 and RFC 5480.
        let ed_prefix = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        let ec_prefix = [
            0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
            0x3d, 3, 1, 7, 3, 0x42, 0,
        ];
        let public = vec![
            ("ed", public_key(TokenFormat::Eddsa, &pem(&ed_prefix, ed.public_key().as_ref())).unwrap()),
            ("ec", public_key(TokenFormat::Es256, &pem(&ec_prefix, ec.public_key().as_ref())).unwrap()),
        ];
        Self { ed, ec, public }
    }

    fn sign(&self, header: &str, claims: &Value) -> String {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = if header.contains("ES256") {
            self.ec.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
        } else {
            self.ed.sign(message.as_bytes()).as_ref().to_vec()
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.public.iter().find(|(name, _)| *name == kid).map(|(_, key)| key)
    }

    fn open(&self, cookie: &str, cache: &str) -> Option<NotUsable> {
        let reader = PublicCookieCache::new(Expected::Is(ISSUER.to_owned()));
        reader.open(cookie, cache, NOW, |kid| self.find(kid)).err()
    }

    /// Opens a cache with these claims beside those of the data.
    fn open_claims(&self, claims: &Value) -> Option<NotUsable> {
        self.open(&cookie(), &self.sign(&header("EdDSA", "ed"), claims))
    }
}

fn header(alg: &str, kid: &str) -> String {
    json!({ "alg": alg, "kid": kid, "typ": TYP }).to_string()
}

fn claims() -> Value {
    let mut claims = payload();
    let more = json!({
        "sid": TOKEN, "sub": "u1", "iss": ISSUER, "aud": "better-auth:session-cache", "iat": NOW / 1000,
        "exp": EXPIRES / 1000,
    });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

fn with(name: &str, value: Option<Value>) -> Value {
    let mut claims = claims();
    match value {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    claims
}

#[test]
fn cache_is_verified_with_the_public_key_that_it_names() {
    let keys = Keys::generate();
    let reader = PublicCookieCache::new(Expected::Any);
    for (alg, kid) in [("EdDSA", "ed"), ("ES256", "ec")] {
        let cache = keys.sign(&header(alg, kid), &claims());
        let cached = reader.open(&cookie(), &cache, NOW, |kid| keys.find(kid)).unwrap();
        assert_eq!((cached.user["name"].as_str(), cached.expires_ms), (Some("Ada"), EXPIRES));
        assert!(!cached.session.contains_key("token"));
        assert_eq!(keys.open(&cookie(), &cache), None);
        assert_eq!(Keys::generate().open(&cookie(), &cache), Some(NotUsable::Tampered), "{alg}");
    }
    assert_eq!(format!("{reader:?}"), "PublicCookieCache(..)");
}

#[test]
fn header_must_name_the_type_a_known_key_and_the_algorithm_of_that_key() {
    let keys = Keys::generate();
    for (header, expected) in [
        (header("EdDSA", "new"), NotUsable::UnknownKey),
        (header("ES256", "ed"), NotUsable::Unsupported),
        (header("EdDSA", "ec"), NotUsable::Unsupported),
        (header("none", "ed"), NotUsable::Unsupported),
        (header("HS256", "ed"), NotUsable::Unsupported),
        (r#"{"alg":"EdDSA","kid":"ed","typ":"JWT"}"#.to_owned(), NotUsable::Unsupported),
        (header("EdDSA", "ed").replace("better-auth", "Better-Auth"), NotUsable::Unsupported),
        (r#"{"alg":"EdDSA","kid":"ed"}"#.to_owned(), NotUsable::Malformed),
        (format!(r#"{{"alg":"EdDSA","typ":"{TYP}"}}"#), NotUsable::Malformed),
        (format!(r#"{{"alg":"EdDSA","typ":"{TYP}","kid":1}}"#), NotUsable::Malformed),
        (format!(r#"{{"alg":"EdDSA","typ":"{TYP}","kid":"x","kid":"ed"}}"#), NotUsable::Malformed),
        (format!(r#"{{"alg":"EdDSA","typ":"{TYP}","kid":"ed","crit":[]}}"#), NotUsable::Unsupported),
    ] {
        assert_eq!(keys.open(&cookie(), &keys.sign(&header, &claims())), Some(expected), "{header}");
    }
}

#[test]
fn claims_must_name_the_upstream_the_session_and_the_user() {
    let keys = Keys::generate();
    let (fields, app) = (NotUsable::Malformed, NotUsable::OtherApp);
    for (name, value, expected) in [
        ("aud", Some(json!("another")), app),
        ("aud", None, app),
        ("aud", Some(json!([])), app),
        ("iss", Some(json!("https://other.example.com")), app),
        ("iss", Some(json!([ISSUER])), app),
        ("iss", None, app),
        ("sid", Some(json!("another")), NotUsable::OtherSession),
        ("sid", None, fields),
        ("sub", Some(json!("u2")), NotUsable::OtherUser),
        ("sub", Some(json!(1)), fields),
        ("exp", None, fields),
        ("exp", Some(json!(NOW / 1000)), NotUsable::Expired),
        ("nbf", Some(json!(NOW / 1000 + 1)), NotUsable::NotYetValid),
        ("version", Some(json!("2")), NotUsable::Version),
        ("user", None, fields),
    ] {
        assert_eq!(keys.open_claims(&with(name, value.clone())), Some(expected), "{name} {value:?}");
    }
    assert_eq!(keys.open_claims(&with("aud", Some(json!(["x", "better-auth:session-cache"])))), None);
    // Without a configured issuer, there must still be one.
    let reader = PublicCookieCache::new(Expected::Any);
    for iss in [None, Some(json!("")), Some(json!(1))] {
        let cache = keys.sign(&header("EdDSA", "ed"), &with("iss", iss.clone()));
        assert!(reader.open(&cookie(), &cache, NOW, |kid| keys.find(kid)).is_err(), "{iss:?}");
    }
    // A token of the jwt plugin for another purpose.
    let token = json!({ "sub": "u1", "id": "u1", "iss": ISSUER, "aud": ISSUER, "exp": EXPIRES / 1000 });
    assert_eq!(keys.open_claims(&token), Some(app));
}

#[test]
fn session_cookie_must_have_the_token_of_the_cache_and_the_form_of_a_signed_cookie() {
    let keys = Keys::generate();
    let cache = keys.sign(&header("EdDSA", "ed"), &claims());
    // The app has no secret, so any signature passes here. The cache is what proves the session.
    assert_eq!(keys.open(&mint::signed_cookie(TOKEN, "unknown here"), &cache), None);
    let other = mint::signed_cookie("another token", SECRET);
    assert_eq!(keys.open(&other, &cache), Some(NotUsable::OtherSession));
    for cookie in [TOKEN, "", &format!("{TOKEN}.x"), &format!("{TOKEN}.{}", "A".repeat(44))] {
        assert_eq!(keys.open(cookie, &cache), Some(NotUsable::SessionCookie), "{cookie}");
    }
}

#[test]
fn no_changed_byte_of_a_public_cache_is_accepted() {
    let keys = Keys::generate();
    let good = keys.sign(&header("EdDSA", "ed"), &claims());
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(keys.open(&cookie(), &String::from_utf8(changed).unwrap()).is_some(), "byte {at}");
        assert!(keys.open(&cookie(), &good[..at]).is_some(), "cut at {at}");
    }
    let long = format!("{good}{}", "A".repeat(LIMIT));
    assert_eq!(keys.open(&cookie(), &long), Some(NotUsable::TooLong));
}

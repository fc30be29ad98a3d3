//! Tests of JWS verification with every algorithm, with keys that the tests generate.

mod vectors;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::engine::general_purpose::STANDARD;

use super::*;

const PLAIN: &[u8] = br#"{"sub":"1"}"#;

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    Zeroizing::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")))
}

fn token(header: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(PLAIN));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// Checks that a signed token is verified, and that other headers, other algorithms and changed bytes are refused.
fn assert_verifies(format: TokenFormat, public: &Zeroizing<String>, sign: &dyn Fn(&[u8]) -> Vec<u8>) {
    let name =
        if format == TokenFormat::Eddsa { "EdDSA".to_owned() } else { format.to_string().to_uppercase() };
    let decoder = JwsDecoder::new(format, std::slice::from_ref(public)).unwrap();
    let good = token(&format!(r#"{{"alg":"{name}","typ":"JWT","kid":"x"}}"#), sign);
    assert_eq!(decoder.verify(&good), Ok(PLAIN.to_vec()), "{name}");
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256"}"#,
        &format!(r#"{{"alg":"{name}","crit":[]}}"#),
        &format!(r#"{{"alg":"{name}","crit":null}}"#),
        &format!(r#"{{"alg":"{name}","b64":true}}"#),
    ] {
        assert_eq!(decoder.verify(&token(header, sign)), Err(TokenError::Unsupported), "{name} {header}");
    }
    for header in [&format!(r#"["{name}"]"#), "{}", "", &format!(r#"{{"alg":"{name}","alg":"none"}}"#)] {
        assert_eq!(decoder.verify(&token(header, sign)), Err(TokenError::Malformed), "{name} {header}");
    }
    // Algorithm confusion: the public key used as a shared secret.
    let hmac = |message: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
        hmac::sign(&key, message).as_ref().to_vec()
    };
    let confused = token(r#"{"alg":"HS256"}"#, &hmac);
    assert_eq!(decoder.verify(&confused), Err(TokenError::Unsupported));
    let renamed = token(&format!(r#"{{"alg":"{name}"}}"#), &hmac);
    assert_eq!(decoder.verify(&renamed), Err(TokenError::Tampered));
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(decoder.verify(&changed).is_err(), "{name}, byte {at}");
    }
}

#[test]
fn hmac_needs_the_whole_mac_and_the_right_secret() {
    let secret = |bytes: usize| Zeroizing::new("x".repeat(bytes));
    for (format, algorithm) in [
        (TokenFormat::Hs256, hmac::HMAC_SHA256),
        (TokenFormat::Hs384, hmac::HMAC_SHA384),
        (TokenFormat::Hs512, hmac::HMAC_SHA512),
    ] {
        // A secret shorter than a hash block, one longer than a block, and one of a single byte.
        for bytes in [32, 200, 1] {
            let key = hmac::Key::new(algorithm, secret(bytes).as_bytes());
            let sign = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
            let name = format.to_string().to_uppercase();
            let header = format!(r#"{{"alg":"{name}"}}"#);
            let good = token(&header, &sign);
            let decoder = JwsDecoder::new(format, &[secret(7), secret(bytes)]).unwrap();
            assert_eq!(decoder.verify(&good), Ok(PLAIN.to_vec()), "{name} {bytes}");
            let other = JwsDecoder::new(format, &[secret(bytes + 1)]).unwrap();
            assert_eq!(other.verify(&good), Err(TokenError::Tampered), "{name} {bytes}");
            let cut = token(&header, &|message| sign(message)[..16].to_vec());
            let none = token(&header, &|_| Vec::new());
            let more = token(&header, &|message| [sign(message), vec![0]].concat());
            for bad in [cut, none, more] {
                assert_eq!(decoder.verify(&bad), Err(TokenError::Tampered), "{name} {bytes}");
            }
            for other in [r#"{"alg":"none"}"#, r#"{"alg":"RS256"}"#, r#"{"alg":"hs256"}"#] {
                assert_eq!(decoder.verify(&token(other, &sign)), Err(TokenError::Unsupported));
            }
        }
    }
}

#[test]
fn ecdsa_signatures_verify_and_other_algorithms_refuse_the_key() {
    let random = SystemRandom::new();
    let p256 = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let p384 = EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let spki = |pair: &EcdsaKeyPair| pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
    for (format, other, pair) in
        [(TokenFormat::Es256, TokenFormat::Es384, &p256), (TokenFormat::Es384, TokenFormat::Es256, &p384)]
    {
        assert_verifies(format, &spki(pair), &|message| {
            pair.sign(&random, message).unwrap().as_ref().to_vec()
        });
        for wrong in [other, TokenFormat::Rs256, TokenFormat::Eddsa] {
            assert_eq!(JwsDecoder::new(wrong, &[spki(pair)]).err(), Some(KeyError::Pem), "{wrong:?}");
        }
    }
}

#[test]
fn ed25519_signatures_verify_and_other_algorithms_refuse_the_key() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let public = pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
    assert_verifies(TokenFormat::Eddsa, &public, &|message| pair.sign(message).as_ref().to_vec());
    for wrong in [TokenFormat::Es256, TokenFormat::Ps256] {
        assert_eq!(JwsDecoder::new(wrong, std::slice::from_ref(&public)).err(), Some(KeyError::Pem));
    }
}

#[test]
fn rsa_signatures_verify_in_both_paddings() {
    let pair = RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let public = pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
    let own = pem("RSA PUBLIC KEY", pair.public_key().as_ref());
    assert!(JwsDecoder::new(TokenFormat::Ps512, &[own]).is_ok());
    for (format, padding) in [
        (TokenFormat::Rs256, &signature::RSA_PKCS1_SHA256 as &dyn signature::RsaEncoding),
        (TokenFormat::Rs512, &signature::RSA_PKCS1_SHA512),
        (TokenFormat::Ps256, &signature::RSA_PSS_SHA256),
        (TokenFormat::Ps384, &signature::RSA_PSS_SHA384),
    ] {
        assert_verifies(format, &public, &|message| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        });
    }
    let private = pair.as_der().unwrap();
    for label in ["PRIVATE KEY", "PUBLIC KEY", "RSA PUBLIC KEY"] {
        let wrong = [pem(label, private.as_ref())];
        assert_eq!(JwsDecoder::new(TokenFormat::Rs256, &wrong).err(), Some(KeyError::Pem), "{label}");
    }
}

#[test]
fn signature_of_any_configured_key_is_accepted() {
    let pairs: Vec<_> = (0..2).map(|_| Ed25519KeyPair::generate().unwrap()).collect();
    let keys: Vec<_> =
        pairs.iter().map(|p| pem("PUBLIC KEY", p.public_key().as_der().unwrap().as_ref())).collect();
    let token = token(r#"{"alg":"EdDSA"}"#, &|message| pairs[1].sign(message).as_ref().to_vec());
    assert_eq!(JwsDecoder::new(TokenFormat::Eddsa, &keys).unwrap().verify(&token), Ok(PLAIN.to_vec()));
    let other = JwsDecoder::new(TokenFormat::Eddsa, &keys[..1]).unwrap();
    assert_eq!(other.verify(&token), Err(TokenError::Tampered));
}

/// Another crate can enable jsonwebtoken's second provider, after which the process-wide default panics. Every JWS
/// verifier must come from the aws-lc provider, by name.
#[test]
fn default_crypto_provider_of_jsonwebtoken_is_not_used() {
    static PANICKING: jsonwebtoken::crypto::CryptoProvider = jsonwebtoken::crypto::CryptoProvider {
        signer_factory: |_, _| panic!("the default provider was used"),
        verifier_factory: |_, _| panic!("the default provider was used"),
        key_utils: jsonwebtoken::crypto::KeyUtils::new_unimplemented(),
    };
    let _ = PANICKING.install_default();
    let pair = Ed25519KeyPair::generate().unwrap();
    let public = pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
    assert_verifies(TokenFormat::Eddsa, &public, &|message| pair.sign(message).as_ref().to_vec());
}

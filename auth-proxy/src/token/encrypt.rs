//! Encrypts session tokens as Auth.js and next-auth do. For tests only: this crate never issues a session.

use auth_proxy_rules::TokenFormat;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::error::KeyError;
use super::keys;
use crate::dialect::token_key;

/// The content encryptions of Auth.js (RFC 7518, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enc {
    A256CbcHs512,
    #[cfg_attr(not(test), expect(dead_code, reason = "used by the tests of the decoder only"))]
    A256Gcm,
}

/// A token as Auth.js v5 issues it (`docs/authjs.md#token-issue`). Its header names the key if `kid` is true.
///
/// # Panics
/// If the encryption fails. An empty token could make a test pass for the wrong reason.
#[track_caller]
pub(crate) fn encrypt_v5(
    claims: &Map<String, Value>,
    secret: &str,
    cookie_name: &str,
    enc: Enc,
    kid: bool,
) -> String {
    let (name, bytes) = match enc {
        Enc::A256CbcHs512 => ("A256CBC-HS512", 64),
        Enc::A256Gcm => ("A256GCM", 32),
    };
    let key = derived(TokenFormat::Encrypted, secret, cookie_name, bytes);
    let header = if kid {
        json!({ "alg": "dir", "enc": name, "kid": keys::thumbprint(&key) })
    } else {
        json!({ "alg": "dir", "enc": name })
    };
    seal_claims(&header, claims, &key)
}

/// A token as next-auth v4 issues it (`docs/authjs.md#token-v4`).
///
/// # Panics
/// If the encryption fails.
#[track_caller]
pub(crate) fn encrypt_v4(claims: &Map<String, Value>, secret: &str) -> String {
    let key = derived(TokenFormat::EncryptedV4, secret, "", 32);
    seal_claims(&json!({ "alg": "dir", "enc": "A256GCM" }), claims, &key)
}

#[track_caller]
#[expect(clippy::panic, reason = "a tool for tests; the panic is documented")]
fn derived(format: TokenFormat, secret: &str, cookie_name: &str, bytes: usize) -> keys::Material {
    let source = token_key(format, cookie_name).ok_or(KeyError::Derivation);
    let key = source.and_then(|source| keys::derive_key(secret, &source, bytes));
    key.unwrap_or_else(|error| panic!("the token cannot be encrypted: {error}"))
}

#[track_caller]
#[expect(clippy::panic, reason = "a tool for tests; the panic is documented")]
fn seal_claims(header: &Value, claims: &Map<String, Value>, key: &[u8]) -> String {
    let plain = serde_json::to_vec(claims).ok();
    match plain.and_then(|plain| seal(header, &plain, key)) {
        Some(token) => token,
        None => panic!("the token cannot be encrypted: the cryptography failed"),
    }
}

/// Encrypts a token with this header. The length of the key selects the cipher. `None` if the key has a wrong length or
/// the crypto library fails.
pub(crate) fn seal(header: &Value, plain: &[u8], key: &[u8]) -> Option<String> {
    seal_with_header(&header.to_string(), plain, key)
}

/// Like [`seal`], but the header need not be JSON.
pub(crate) fn seal_with_header(header: &str, plain: &[u8], key: &[u8]) -> Option<String> {
    let header = URL_SAFE_NO_PAD.encode(header);
    let (iv, ciphertext, tag) =
        if key.len() == 64 { cbc(&header, plain, key)? } else { gcm(&header, plain, key)? };
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Some(format!("{header}..{}.{}.{}", encode(&iv), encode(&ciphertext), encode(&tag)))
}

/// The IV, the ciphertext and the tag.
type Sealed = (Vec<u8>, Vec<u8>, Vec<u8>);

fn cbc(aad: &str, plain: &[u8], key: &[u8]) -> Option<Sealed> {
    let (mac, cipher) = key.split_at_checked(32)?;
    let mut iv = [0; 16];
    rand::fill(&mut iv).ok()?;
    let mut text = plain.to_vec();
    let key = UnboundCipherKey::new(&AES_256, cipher).and_then(PaddedBlockEncryptingKey::cbc_pkcs7).ok()?;
    let _: DecryptionContext =
        key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    let bits = u64::try_from(aad.len()).ok()? * 8;
    let input = [aad.as_bytes(), &iv, &text, &bits.to_be_bytes()].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, mac), &input);
    Some((iv.to_vec(), text, tag.as_ref().get(..32)?.to_vec()))
}

fn gcm(aad: &str, plain: &[u8], key: &[u8]) -> Option<Sealed> {
    let mut iv = [0; 12];
    rand::fill(&mut iv).ok()?;
    let mut text = plain.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::from(aad.as_bytes()), &mut text)
        .ok()?;
    Some((iv.to_vec(), text, tag.as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "the token cannot be encrypted")]
    fn encryption_with_a_key_of_wrong_length_panics() {
        let _ = seal_claims(&json!({}), &Map::new(), &[0; 7]);
    }
}

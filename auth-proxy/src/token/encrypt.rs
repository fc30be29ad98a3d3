//! Makes tokens as the upstreams do. For tests only: this crate never issues a session.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::keys;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enc {
    A256CbcHs512,
    #[cfg_attr(not(test), expect(dead_code, reason = "minted by the tests of the decoder only"))]
    A256Gcm,
}

pub(crate) fn encrypt_v5(
    claims: &Map<String, Value>,
    secret: &str,
    cookie_name: &str,
    enc: Enc,
    kid: bool,
) -> String {
    let bytes = if enc == Enc::A256CbcHs512 { 64 } else { 32 };
    let key = keys::derive_v5(secret, cookie_name, bytes).unwrap_or_default();
    let enc = if bytes == 64 { "A256CBC-HS512" } else { "A256GCM" };
    let header = if kid {
        json!({ "alg": "dir", "enc": enc, "kid": keys::thumbprint(&key) })
    } else {
        json!({ "alg": "dir", "enc": enc })
    };
    seal(&header, &claims_text(claims), &key).unwrap_or_default()
}

pub(crate) fn encrypt_v4(claims: &Map<String, Value>, secret: &str) -> String {
    let key = keys::derive_v4(secret).unwrap_or_default();
    seal(&json!({ "alg": "dir", "enc": "A256GCM" }), &claims_text(claims), &key).unwrap_or_default()
}

fn claims_text(claims: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(claims).unwrap_or_default()
}

/// Encrypts under a header that may say anything; the length of the key decides the cipher. `None`
/// only when the crypto library fails.
pub(crate) fn seal(header: &Value, plain: &[u8], key: &[u8]) -> Option<String> {
    seal_under(&header.to_string(), plain, key)
}

/// Encrypts under a header that may be any text.
pub(crate) fn seal_under(header: &str, plain: &[u8], key: &[u8]) -> Option<String> {
    let header = URL_SAFE_NO_PAD.encode(header);
    let (iv, ciphertext, tag) =
        if key.len() == 64 { cbc(&header, plain, key)? } else { gcm(&header, plain, key)? };
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Some(format!("{header}..{}.{}.{}", encode(&iv), encode(&ciphertext), encode(&tag)))
}

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

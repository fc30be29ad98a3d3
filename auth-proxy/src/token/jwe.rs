//! Decrypts JWE, the token format of Auth.js v5 and next-auth v4.

mod header;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use aws_lc_rs::cipher::DecryptionContext;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memchr;
use zeroize::Zeroizing;

use self::header::{Enc, read_header};
use super::base64url;
use super::error::{KeyError, TokenError};
use super::keys::{self, CbcHmac};
use crate::dialect::TokenKeySource;

/// Decrypts compact JWE (RFC 7516) with a direct key (`dir`), in the two encryptions of Auth.js. An encryption is
/// accepted only if there is a key for it.
pub(super) struct JweDecoder {
    keys: Vec<Key>,
    /// The encoded header of next-auth v4. It is the same for every token and names no key.
    v4_header: Option<String>,
}

struct Key {
    kid: String,
    /// The encoded header that the upstream puts on every token under this key. A token with exactly these bytes needs no
    /// header parsing.
    usual_header: String,
    /// The state of the MAC after hashing `usual_header`. It is computed once, not for each token.
    mac_prefix: Option<Box<hmac::Context>>,
    cipher: Cipher,
}

enum Cipher {
    /// Boxed, because a prepared MAC key takes a kilobyte.
    CbcHmac(Box<CbcHmac>),
    Gcm(LessSafeKey),
}

/// The keys that are tried on a token.
enum Choice<'k> {
    /// The key that the header names.
    Named(&'k Key),
    /// Every key of this encryption, because the header names no key.
    Each(Enc),
}

impl JweDecoder {
    /// A decoder for the format `encrypted`, newest secret first. Each secret gives one key for each encryption.
    pub(super) fn v5(secrets: &[Zeroizing<String>], source: &TokenKeySource) -> Result<Self, KeyError> {
        let mut keys = Vec::with_capacity(2 * secrets.len());
        for secret in secrets {
            let long = keys::derive_key(secret, source, 64)?;
            let short = keys::derive_key(secret, source, 32)?;
            keys.push(Key::new(keys::thumbprint(&long), Cipher::CbcHmac(Box::new(CbcHmac::new(&long)?))));
            keys.push(Key::new(keys::thumbprint(&short), Cipher::Gcm(keys::gcm(&short)?)));
        }
        Ok(Self { keys, v4_header: None })
    }

    /// A decoder for the format `encrypted_v4`.
    pub(super) fn v4(secrets: &[Zeroizing<String>], source: &TokenKeySource) -> Result<Self, KeyError> {
        let mut keys = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let key = keys::derive_key(secret, source, 32)?;
            keys.push(Key::new(keys::thumbprint(&key), Cipher::Gcm(keys::gcm(&key)?)));
        }
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
        Ok(Self { keys, v4_header: Some(header) })
    }

    /// A decoder for an encrypted cookie cache: A256CBC-HS512 only, and a `kid` with SHA-256.
    pub(super) fn cookie_cache(
        secrets: &[Zeroizing<String>],
        source: &TokenKeySource,
    ) -> Result<Self, KeyError> {
        let mut keys = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let key = keys::derive_key(secret, source, 64)?;
            let cipher = Cipher::CbcHmac(Box::new(CbcHmac::new(&key)?));
            keys.push(Key::new(keys::sha256_thumbprint(&key), cipher));
        }
        Ok(Self { keys, v4_header: None })
    }

    /// Decrypts a token to its plaintext.
    pub(super) fn decrypt(&self, token: &str) -> Result<Vec<u8>, TokenError> {
        let Some(parts) = Parts::split(token) else { return Err(self.shape_error(token)) };
        let enc = match self.choose(parts.header)? {
            Choice::Named(key) => return key.open(&parts),
            Choice::Each(enc) => enc,
        };
        // Auth.js tries only the first secret on a token without `kid` (`docs/authjs.md#token-first-secret`), so a new
        // secret signs out every user with such a token. Here every secret is tried.
        let mut result = Err(TokenError::Unsupported);
        for key in self.keys_for(enc) {
            result = key.open(&parts);
            if result != Err(TokenError::Tampered) {
                break;
            }
        }
        result
    }

    /// The error for a token that does not have the parts of a JWE with a direct key. Other algorithms have an
    /// encrypted key in the second part, so such a token may be a valid JWE of an unsupported algorithm.
    fn shape_error(&self, token: &str) -> TokenError {
        let mut parts = token.split('.');
        match parts.next().map(|header| self.choose(header)) {
            Some(Err(TokenError::Unsupported)) if parts.count() == 4 => TokenError::Unsupported,
            _ => TokenError::Malformed,
        }
    }

    fn keys_for(&self, enc: Enc) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.cipher.enc() == enc)
    }

    /// The keys that are tried on a token with this encoded header.
    fn choose(&self, encoded: &str) -> Result<Choice<'_>, TokenError> {
        // The headers that the upstream writes are known byte for byte and need not be parsed. A header is public, so an
        // ordinary comparison is safe.
        if let Some(key) = self.keys.iter().find(|key| key.usual_header == encoded) {
            return Ok(Choice::Named(key));
        }
        if self.v4_header.as_deref() == Some(encoded) {
            return Ok(Choice::Each(Enc::Gcm));
        }
        let (enc, kid) = read_header(encoded)?;
        self.select(enc, kid.as_deref())
    }

    /// The keys that are tried for this encryption and this `kid`.
    fn select(&self, enc: Enc, kid: Option<&str>) -> Result<Choice<'_>, TokenError> {
        if self.keys_for(enc).next().is_none() {
            return Err(TokenError::Unsupported);
        }
        match kid {
            None => Ok(Choice::Each(enc)),
            // Only the named key is tried.
            Some(kid) => {
                let named = self.keys_for(enc).find(|key| key.kid == kid);
                named.map(Choice::Named).ok_or(TokenError::UnknownKey)
            }
        }
    }
}

/// The five parts of a compact JWE, still encoded.
struct Parts<'t> {
    header: &'t str,
    iv: &'t str,
    ciphertext: &'t str,
    tag: &'t str,
}

impl<'t> Parts<'t> {
    /// Splits at the dots from both ends, so the ciphertext, the longest part, is not searched. A surplus dot stays in
    /// the ciphertext, which then fails to decode.
    fn split(token: &'t str) -> Option<Self> {
        let (header, rest) = token.split_at_checked(memchr(b'.', token.as_bytes())?)?;
        // With `dir` the encrypted key between these two dots is empty (RFC 7518, section 4.5).
        let (iv, rest) = rest.strip_prefix("..")?.split_once('.')?;
        let (ciphertext, tag) = rest.rsplit_once('.')?;
        Some(Self { header, iv, ciphertext, tag })
    }
}

/// Decodes a part of exactly `N` bytes.
fn exact<const N: usize>(text: &str) -> Result<[u8; N], TokenError> {
    base64url::array(text).ok_or(TokenError::Malformed)
}

impl Cipher {
    fn enc(&self) -> Enc {
        match self {
            Self::CbcHmac(_) => Enc::CbcHmac,
            Self::Gcm(_) => Enc::Gcm,
        }
    }
}

impl Key {
    fn new(kid: String, cipher: Cipher) -> Self {
        let enc = cipher.enc().name();
        // The upstream writes the members in this order (`docs/authjs.md#token-issue`). A header in another order is
        // parsed.
        let header = format!(r#"{{"alg":"dir","enc":"{enc}","kid":"{kid}"}}"#);
        let header = URL_SAFE_NO_PAD.encode(header);
        let mac_prefix = match &cipher {
            Cipher::CbcHmac(key) => Some(Box::new(key.start_mac(header.as_bytes()))),
            Cipher::Gcm(_) => None,
        };
        Self { kid, usual_header: header, mac_prefix, cipher }
    }

    /// Decrypts a token under this key. The ciphertext is decoded into one buffer and decrypted in place.
    fn open(&self, parts: &Parts<'_>) -> Result<Vec<u8>, TokenError> {
        // The encoded header is the additional authenticated data (RFC 7516, section 5.1).
        let aad = parts.header.as_bytes();
        // Has room for the tag, which GCM expects after the ciphertext.
        let mut buffer = Vec::with_capacity(base64url::decoded_len(parts.ciphertext.len()) + 16);
        base64url::append(parts.ciphertext, &mut buffer).ok_or(TokenError::Malformed)?;
        match &self.cipher {
            Cipher::CbcHmac(key) => {
                let mac = match &self.mac_prefix {
                    Some(prefix) if self.usual_header == parts.header => hmac::Context::clone(prefix),
                    _ => key.start_mac(aad),
                };
                open_cbc(key, mac, aad.len(), exact(parts.iv)?, exact(parts.tag)?, &mut buffer)?;
            }
            Cipher::Gcm(key) => open_gcm(key, aad, exact(parts.iv)?, exact(parts.tag)?, &mut buffer)?,
        }
        Ok(buffer)
    }
}

/// Decrypts A256CBC-HS512 in place (RFC 7518, section 5.2.2.2). The tag is compared in constant time before anything is
/// decrypted. `mac` has already hashed the additional authenticated data.
fn open_cbc(
    key: &CbcHmac,
    mut mac: hmac::Context,
    aad_len: usize,
    iv: [u8; 16],
    tag: [u8; 32],
    buffer: &mut Vec<u8>,
) -> Result<(), TokenError> {
    mac.update(&iv);
    mac.update(buffer);
    let aad_bits = u64::try_from(aad_len).unwrap_or(u64::MAX).saturating_mul(8);
    mac.update(&aad_bits.to_be_bytes());
    let expected = mac.sign();
    let expected = expected.as_ref().get(..32).unwrap_or_default();
    verify_slices_are_equal(expected, &tag).map_err(|_| TokenError::Tampered)?;

    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let length = key.cipher.decrypt(buffer, context).map_err(|_| TokenError::Tampered)?.len();
    buffer.truncate(length);
    Ok(())
}

/// Decrypts A256GCM in place (RFC 7518, section 5.3).
fn open_gcm(
    key: &LessSafeKey,
    aad: &[u8],
    iv: [u8; 12],
    tag: [u8; 16],
    buffer: &mut Vec<u8>,
) -> Result<(), TokenError> {
    buffer.extend_from_slice(&tag);
    let nonce = Nonce::assume_unique_for_key(iv);
    let length = key.open_in_place(nonce, Aad::from(aad), buffer).map_err(|_| TokenError::Tampered)?.len();
    buffer.truncate(length);
    Ok(())
}

#[cfg(test)]
mod tests;

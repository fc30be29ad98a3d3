use std::borrow::Cow;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use aws_lc_rs::cipher::DecryptionContext;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memchr;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::base64url;
use super::error::{KeyError, TokenError};
use super::json;
use super::keys::{self, CbcHmac};

/// Bytes of an encoded protected header. The one of Auth.js has 174.
const HEADER_LIMIT: usize = 1024;

/// Decrypts compact JWE (RFC 7516) with a direct key (`dir`), in the two encryptions that Auth.js
/// issues. Which of them are accepted follows from which keys there are.
pub(super) struct JweDecoder {
    keys: Vec<Key>,
    /// The encoded header of next-auth v4, which is the same for every token and names no key.
    nameless: Option<String>,
}

struct Key {
    kid: String,
    /// The encoded header that Auth.js v5 puts on every token under this key. A token that carries
    /// just these bytes need not have its header decoded and parsed: it says what this one says.
    header: String,
    /// The MAC of such a token as far as its header goes, which is hashed once and not for each token.
    begun: Option<Box<hmac::Context>>,
    cipher: Cipher,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enc {
    CbcHmac,
    Gcm,
}

enum Cipher {
    /// Boxed: a MAC key is a kilobyte of prepared state.
    CbcHmac(Box<CbcHmac>),
    Gcm(LessSafeKey),
}

/// Which keys a header asks for.
enum Choice<'k> {
    /// The one it names.
    Named(&'k Key),
    /// It names none.
    Each(Enc),
}

/// The protected header. Members that change what decryption means are refused by name; others
/// (`typ`, `cty`) say nothing that counts here.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    enc: Cow<'a, str>,
    /// Present means a string: `null` names no key of ours, and is not the same as no name.
    #[serde(default, deserialize_with = "json::some")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "json::present")]
    zip: bool,
    #[serde(default, deserialize_with = "json::present")]
    crit: bool,
    #[serde(default, deserialize_with = "json::present")]
    b64: bool,
}

impl JweDecoder {
    /// The keys of Auth.js v5, newest secret first: each secret gives one key for each encryption.
    pub(super) fn v5(secrets: &[Zeroizing<String>], cookie_name: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::with_capacity(2 * secrets.len());
        for secret in secrets {
            let long = keys::derive_v5(secret, cookie_name, 64)?;
            let short = keys::derive_v5(secret, cookie_name, 32)?;
            keys.push(Key::new(&long, Cipher::CbcHmac(Box::new(CbcHmac::new(&long)?))));
            keys.push(Key::new(&short, Cipher::Gcm(keys::gcm(&short)?)));
        }
        Ok(Self { keys, nameless: None })
    }

    /// The keys of next-auth v4.
    pub(super) fn v4(secrets: &[Zeroizing<String>]) -> Result<Self, KeyError> {
        let mut keys = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let key = keys::derive_v4(secret)?;
            keys.push(Key::new(&key, Cipher::Gcm(keys::gcm(&key)?)));
        }
        Ok(Self { keys, nameless: Some(URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#)) })
    }

    /// The plaintext of a token.
    pub(super) fn decrypt(&self, token: &str) -> Result<Vec<u8>, TokenError> {
        let Some(parts) = Parts::split(token) else { return Err(self.misshapen(token)) };
        let enc = match self.choose(parts.header)? {
            Choice::Named(key) => return key.open(&parts),
            Choice::Each(enc) => enc,
        };
        // Auth.js tries the first secret only (`core/jwt.ts:91`), which would sign out everybody
        // whose token has no `kid` when a secret is added.
        let mut result = Err(TokenError::Unsupported);
        for key in self.fitting(enc) {
            result = key.open(&parts);
            if result != Err(TokenError::Tampered) {
                break;
            }
        }
        result
    }

    /// What is wrong with a token that does not have the parts of one with a direct key: with any other
    /// algorithm there is an encrypted key, so that it may well be a token.
    fn misshapen(&self, token: &str) -> TokenError {
        let mut parts = token.split('.');
        match parts.next().map(|header| self.choose(header)) {
            Some(Err(TokenError::Unsupported)) if parts.count() == 4 => TokenError::Unsupported,
            _ => TokenError::Malformed,
        }
    }

    fn fitting(&self, enc: Enc) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.cipher.enc() == enc)
    }

    /// Reads a header, and finds what it asks for. The names of keys are public, so that ordinary
    /// comparisons will do.
    fn choose(&self, encoded: &str) -> Result<Choice<'_>, TokenError> {
        if let Some(key) = self.keys.iter().find(|key| key.header == encoded) {
            return Ok(Choice::Named(key));
        }
        if self.nameless.as_deref() == Some(encoded) {
            return Ok(Choice::Each(Enc::Gcm));
        }
        if encoded.len() > HEADER_LIMIT {
            return Err(TokenError::Malformed);
        }
        let text = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenError::Malformed)?;
        let header: Header<'_> = json::object(utf8(&text)?)?;
        let enc = match header.enc.as_ref() {
            _ if header.alg != "dir" || header.zip || header.crit || header.b64 => {
                return Err(TokenError::Unsupported);
            }
            "A256CBC-HS512" => Enc::CbcHmac,
            "A256GCM" => Enc::Gcm,
            _ => return Err(TokenError::Unsupported),
        };
        let mut fitting = self.fitting(enc).peekable();
        if fitting.peek().is_none() {
            return Err(TokenError::Unsupported);
        }
        match header.kid {
            None => Ok(Choice::Each(enc)),
            // A named key is the only one tried.
            Some(kid) => fitting.find(|key| key.kid == kid).map(Choice::Named).ok_or(TokenError::UnknownKey),
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
    /// Cuts from both ends, so that the longest part need not be searched. A dot too many stays in the
    /// ciphertext, which then does not decode.
    fn split(token: &'t str) -> Option<Self> {
        let (header, rest) = token.split_at_checked(memchr(b'.', token.as_bytes())?)?;
        // With `dir` there is no encrypted key between these two dots (RFC 7518, section 4.5).
        let (iv, rest) = rest.strip_prefix("..")?.split_once('.')?;
        let (ciphertext, tag) = rest.rsplit_once('.')?;
        Some(Self { header, iv, ciphertext, tag })
    }
}

/// Decodes a part of exactly `N` bytes.
fn exact<const N: usize>(text: &str) -> Result<[u8; N], TokenError> {
    base64url::array(text).ok_or(TokenError::Malformed)
}

fn utf8(text: &[u8]) -> Result<&str, TokenError> {
    std::str::from_utf8(text).map_err(|_| TokenError::Malformed)
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
    fn new(key: &[u8], cipher: Cipher) -> Self {
        let kid = keys::thumbprint(key);
        let enc = match cipher.enc() {
            Enc::CbcHmac => "A256CBC-HS512",
            Enc::Gcm => "A256GCM",
        };
        // The members in the order of `core/jwt.ts:71`; another order is parsed as any other header.
        let header = format!(r#"{{"alg":"dir","enc":"{enc}","kid":"{kid}"}}"#);
        let header = URL_SAFE_NO_PAD.encode(header);
        let begun = match &cipher {
            Cipher::CbcHmac(key) => Some(Box::new(key.begin(header.as_bytes()))),
            Cipher::Gcm(_) => None,
        };
        Self { kid, header, begun, cipher }
    }

    /// Opens a token under this key: the ciphertext is decoded into one buffer and decrypted in it.
    fn open(&self, parts: &Parts<'_>) -> Result<Vec<u8>, TokenError> {
        // The encoded header is the additional authenticated data (RFC 7516, section 5.1).
        let aad = parts.header.as_bytes();
        // With room for a tag, which the cipher of GCM wants behind the text.
        let mut buffer = Vec::with_capacity(base64url::decoded_len(parts.ciphertext.len()) + 16);
        base64url::append(parts.ciphertext, &mut buffer).ok_or(TokenError::Malformed)?;
        match &self.cipher {
            Cipher::CbcHmac(key) => {
                let mac = match &self.begun {
                    Some(begun) if self.header == parts.header => hmac::Context::clone(begun),
                    _ => key.begin(aad),
                };
                open_cbc(key, mac, aad.len(), exact(parts.iv)?, exact(parts.tag)?, &mut buffer)?;
            }
            Cipher::Gcm(key) => open_gcm(key, aad, exact(parts.iv)?, exact(parts.tag)?, &mut buffer)?,
        }
        Ok(buffer)
    }
}

/// RFC 7518, section 5.2.2.2: the tag is compared, in constant time, before anything is decrypted. `mac`
/// has been fed the additional authenticated data.
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

/// RFC 7518, section 5.3.
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

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use aws_lc_rs::cipher::DecryptionContext;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::{KeyError, TokenError};
use super::keys::{self, CbcHmac};

/// Decrypts compact JWE (RFC 7516) with a direct key (`dir`), in the two encryptions that Auth.js
/// issues. Which of them are accepted follows from which keys there are.
pub(super) struct JweDecoder {
    keys: Vec<Key>,
}

struct Key {
    kid: String,
    cipher: Cipher,
}

enum Cipher {
    /// Boxed: a MAC key is a kilobyte of prepared state.
    CbcHmac(Box<CbcHmac>),
    Gcm(LessSafeKey),
}

/// The protected header. Members that change what decryption means are refused by name; others
/// (`typ`, `cty`) say nothing that counts here.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    enc: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    kid: Option<std::borrow::Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    zip: bool,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    b64: bool,
}

pub(super) fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl JweDecoder {
    /// The keys of Auth.js v5, newest secret first: each secret gives one key for each encryption.
    pub(super) fn v5(secrets: &[Zeroizing<String>], cookie_name: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for secret in secrets {
            let long = keys::derive_v5(secret, cookie_name, 64)?;
            let short = keys::derive_v5(secret, cookie_name, 32)?;
            let cbc = Cipher::CbcHmac(Box::new(CbcHmac::new(&long)?));
            keys.push(Key { kid: keys::thumbprint(&long), cipher: cbc });
            keys.push(Key { kid: keys::thumbprint(&short), cipher: Cipher::Gcm(keys::gcm(&short)?) });
        }
        Ok(Self { keys })
    }

    /// The keys of next-auth v4.
    pub(super) fn v4(secrets: &[Zeroizing<String>]) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for secret in secrets {
            let key = keys::derive_v4(secret)?;
            keys.push(Key { kid: keys::thumbprint(&key), cipher: Cipher::Gcm(keys::gcm(&key)?) });
        }
        Ok(Self { keys })
    }

    /// The plaintext of a token.
    pub(super) fn decrypt(&self, token: &str) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let parts = Parts::split(token)?;
        let mut buffer = [0; 512];
        let length =
            URL_SAFE_NO_PAD.decode_slice(parts.header, &mut buffer).map_err(|_| TokenError::Malformed)?;
        let header = buffer.get(..length).ok_or(TokenError::Malformed)?;
        let header: Header<'_> = serde_json::from_slice(header).map_err(|_| TokenError::Malformed)?;
        let cbc = match header.enc.as_ref() {
            _ if header.alg != "dir" || header.zip || header.crit || header.b64 => {
                return Err(TokenError::Unsupported);
            }
            "A256CBC-HS512" => true,
            "A256GCM" => false,
            _ => return Err(TokenError::Unsupported),
        };
        let mut fitting =
            self.keys.iter().filter(|key| matches!(key.cipher, Cipher::CbcHmac(_)) == cbc).peekable();
        if fitting.peek().is_none() {
            return Err(TokenError::Unsupported);
        }
        let sealed = Sealed::decode(&parts)?;
        if let Some(kid) = &header.kid {
            // A named key is the only one tried. The name is public, so that an ordinary
            // comparison will do.
            let key = fitting.find(|key| key.kid == *kid).ok_or(TokenError::UnknownKey)?;
            return key.open(&sealed);
        }
        // Auth.js tries the first secret only (`core/jwt.ts:91`), which would sign out everybody
        // whose token has no `kid` when a secret is added.
        let mut result = Err(TokenError::Tampered);
        for key in fitting {
            result = key.open(&sealed);
            if result.is_ok() {
                break;
            }
        }
        result
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
    fn split(token: &'t str) -> Result<Self, TokenError> {
        let mut parts = token.split('.');
        let mut next = || parts.next().ok_or(TokenError::Malformed);
        let (header, key, iv, ciphertext, tag) = (next()?, next()?, next()?, next()?, next()?);
        // With `dir` there is no encrypted key (RFC 7518, section 4.5).
        if parts.next().is_some() || !key.is_empty() {
            return Err(TokenError::Malformed);
        }
        Ok(Self { header, iv, ciphertext, tag })
    }
}

/// A token taken out of its encoding.
struct Sealed<'t> {
    /// The encoded header: the additional authenticated data (RFC 7516, section 5.1).
    aad: &'t [u8],
    iv: [u8; 16],
    iv_length: usize,
    ciphertext: Vec<u8>,
    tag: [u8; 64],
    tag_length: usize,
}

impl<'t> Sealed<'t> {
    fn decode(parts: &Parts<'t>) -> Result<Self, TokenError> {
        let mut iv = [0; 16];
        let mut tag = [0; 64];
        let short = |text: &str, out: &mut [u8]| {
            URL_SAFE_NO_PAD.decode_slice(text, out).map_err(|_| TokenError::Malformed)
        };
        let iv_length = short(parts.iv, &mut iv)?;
        let tag_length = short(parts.tag, &mut tag)?;
        let ciphertext = URL_SAFE_NO_PAD.decode(parts.ciphertext).map_err(|_| TokenError::Malformed)?;
        Ok(Self { aad: parts.header.as_bytes(), iv, iv_length, ciphertext, tag, tag_length })
    }

    fn tag(&self) -> &[u8] {
        self.tag.get(..self.tag_length).unwrap_or_default()
    }
}

impl Key {
    fn open(&self, sealed: &Sealed<'_>) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        match &self.cipher {
            Cipher::CbcHmac(key) => open_cbc(key, sealed),
            Cipher::Gcm(key) => open_gcm(key, sealed),
        }
    }
}

/// RFC 7518, section 5.2.2.2: the tag is compared, in constant time, before anything is decrypted.
fn open_cbc(key: &CbcHmac, sealed: &Sealed<'_>) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    if sealed.iv_length != 16 || sealed.tag_length != 32 {
        return Err(TokenError::Malformed);
    }
    let mut mac = hmac::Context::with_key(&key.mac);
    mac.update(sealed.aad);
    mac.update(&sealed.iv);
    mac.update(&sealed.ciphertext);
    let aad_bits = u64::try_from(sealed.aad.len()).unwrap_or(u64::MAX).saturating_mul(8);
    mac.update(&aad_bits.to_be_bytes());
    let expected = mac.sign();
    let expected = expected.as_ref().get(..32).unwrap_or_default();
    verify_slices_are_equal(expected, sealed.tag()).map_err(|_| TokenError::Tampered)?;

    let mut buffer = Zeroizing::new(sealed.ciphertext.clone());
    let context = DecryptionContext::Iv128(FixedLength::from(sealed.iv));
    let length = key.cipher.decrypt(&mut buffer, context).map_err(|_| TokenError::Tampered)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

/// RFC 7518, section 5.3.
fn open_gcm(key: &LessSafeKey, sealed: &Sealed<'_>) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    if sealed.iv_length != 12 || sealed.tag_length != 16 {
        return Err(TokenError::Malformed);
    }
    let iv = sealed.iv.get(..12).unwrap_or_default();
    let nonce = Nonce::try_assume_unique_for_key(iv).map_err(|_| TokenError::Malformed)?;
    let mut buffer = Zeroizing::new(Vec::with_capacity(sealed.ciphertext.len() + 16));
    buffer.extend_from_slice(&sealed.ciphertext);
    buffer.extend_from_slice(sealed.tag());
    let length =
        key.open_in_place(nonce, Aad::from(sealed.aad), &mut buffer).map_err(|_| TokenError::Tampered)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// RFC 7518, appendix B.3: AES_256_CBC_HMAC_SHA_512.
    #[test]
    fn the_vector_of_the_rfc() {
        let key: Vec<u8> = (0..64).collect();
        let sealed = Sealed {
            aad: b"The second principle of Auguste Kerckhoffs",
            iv: hex("1a f3 8c 2d c2 b9 6f fd d8 66 94 09 23 41 bc 04").try_into().unwrap(),
            iv_length: 16,
            ciphertext: hex(
                "4a ff aa ad b7 8c 31 c5 da 4b 1b 59 0d 10 ff bd 3d d8 d5 d3 02 42 35 26 91 2d a0 37 ec bc c7 bd \
                 82 2c 30 1d d6 7c 37 3b cc b5 84 ad 3e 92 79 c2 e6 d1 2a 13 74 b7 7f 07 75 53 df 82 94 10 44 6b \
                 36 eb d9 70 66 29 6a e6 42 7e a7 5c 2e 08 46 a1 1a 09 cc f5 37 0d c8 0b fe cb ad 28 c7 3f 09 b3 \
                 a3 b7 5e 66 2a 25 94 41 0a e4 96 b2 e2 e6 60 9e 31 e6 e0 2c c8 37 f0 53 d2 1f 37 ff 4f 51 95 0b \
                 be 26 38 d0 9d d7 a4 93 09 30 80 6d 07 03 b1 f6",
            ),
            tag: {
                let mut tag = [0; 64];
                tag[..32].copy_from_slice(&hex(
                    "4d d3 b4 c0 88 a7 f4 5c 21 68 39 64 5b 20 12 bf 2e 62 69 a8 c5 6a 81 6d bc 1b 26 77 61 95 5b c5",
                ));
                tag
            },
            tag_length: 32,
        };
        let plain = open_cbc(&CbcHmac::new(&key).unwrap(), &sealed).unwrap();
        assert_eq!(
            std::str::from_utf8(&plain).unwrap(),
            "A cipher system must not be required to be secret, and it must be able to fall into the hands of \
             the enemy without inconvenience"
        );
    }
}

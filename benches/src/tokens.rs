//! Session tokens of Auth.js, and the three measured ways to decode them: the public API, opening only, bare
//! cryptography.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use auth_proxy::testing::{Opener, mint};
use auth_proxy::{Token, auth_proxy};
use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::Error;

/// The secret of every server here.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The session cookie of Auth.js v5 on plain http.
pub const NAME: &str = "authjs.session-token";

auth_proxy! {
    /// Decodes tokens.
    pub struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL"), secret: env("AUTH_SECRET") } }
}

/// A proxy that reads the tokens of [`token`] and caches this many of them.
///
/// # Errors
/// Never, unless a rule of auth-proxy changes.
pub fn auth(cache_entries: u32) -> Result<Auth, Error> {
    Ok(Auth::builder()
        .upstream_base_url("http://127.0.0.1:9")
        .upstream_secret([SECRET])
        .session_cache_entries(cache_entries)
        .build()?)
}

/// The token of the n-th visitor, about 480 bytes, with the default claims of Auth.js. It expires in 2100.
#[must_use]
pub fn token(n: usize) -> String {
    let claims = json!({
        "name": "Ada Lovelace",
        "role": "member",
        "email": format!("ada.{n:08}@example.com"),
        "sub": format!("{n:08}"),
        "iat": 1_760_000_000_u64,
        "exp": 4_102_444_800_u64,
        "jti": format!("6f1c6f0e-5d0e-4a7b-9d3e-{n:012}"),
    });
    mint(&claims, SECRET, NAME)
}

/// The headers of a request with this token.
///
/// # Errors
/// Never: tokens are ASCII.
pub fn headers(token: &str) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(&format!("{NAME}={token}"))?);
    Ok(headers)
}

/// Decodes a token with the public API. The API is async, since other configurations ask the upstream. This
/// configuration never waits, so no runtime is needed.
///
/// # Errors
/// When the token is refused.
pub fn decode(auth: &Auth, headers: &HeaderMap) -> Result<Token<Auth>, Error> {
    match pin!(auth.token(headers)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(token) => token?.ok_or_else(|| "no token".into()),
        Poll::Pending => Err("decoding waited".into()),
    }
}

/// Opens tokens without header parsing, caching, or deserialising the claims.
///
/// # Errors
/// Never.
pub fn opener() -> Result<Opener, Error> {
    Opener::new(SECRET, NAME).ok_or_else(|| "no keys".into())
}

/// The key of Auth.js v5: HKDF-SHA256, salted with the name of the cookie.
///
/// # Errors
/// Never.
pub fn key() -> Result<[u8; 64], Error> {
    struct Long;
    impl hkdf::KeyType for Long {
        fn len(&self) -> usize {
            64
        }
    }
    let info = format!("Auth.js Generated Encryption Key ({NAME})");
    let mut key = [0; 64];
    hkdf::Salt::new(hkdf::HKDF_SHA256, NAME.as_bytes())
        .extract(SECRET.as_bytes())
        .expand(&[info.as_bytes()], Long)?
        .fill(&mut key)?;
    Ok(key)
}

/// The lower bound of the time: only the cryptography of A256CBC-HS512, with the same library.
#[derive(Debug)]
pub struct Raw {
    mac: hmac::Key,
    cipher: PaddedBlockDecryptingKey,
}

/// The decoded parts of a token.
#[derive(Debug)]
pub struct RawToken {
    aad: Vec<u8>,
    iv: [u8; 16],
    ciphertext: Vec<u8>,
    tag: [u8; 32],
}

impl RawToken {
    /// Splits and decodes a token.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn new(token: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, _, iv, ciphertext, tag] = parts.as_slice() else { return Err("no JWE".into()) };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part);
        Ok(Self {
            aad: header.as_bytes().to_vec(),
            iv: decode(iv)?.try_into().map_err(|_| "no IV")?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?.try_into().map_err(|_| "no tag")?,
        })
    }
}

impl Raw {
    /// Derives the key.
    ///
    /// # Errors
    /// Never.
    pub fn new() -> Result<Self, Error> {
        let key = key()?;
        let (mac, cipher) = key.split_at(32);
        Ok(Self {
            mac: hmac::Key::new(hmac::HMAC_SHA512, mac),
            cipher: PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, cipher)?)?,
        })
    }

    /// Authenticates and decrypts into the buffer. Returns the length of the plaintext.
    ///
    /// # Errors
    /// When the token is not genuine.
    pub fn open(&self, token: &RawToken, buffer: &mut Vec<u8>) -> Result<usize, Error> {
        buffer.clear();
        buffer.extend_from_slice(&token.ciphertext);
        let mut mac = hmac::Context::with_key(&self.mac);
        mac.update(&token.aad);
        mac.update(&token.iv);
        mac.update(buffer);
        mac.update(&(u64::try_from(token.aad.len())? * 8).to_be_bytes());
        let expected = mac.sign();
        verify_slices_are_equal(expected.as_ref().get(..32).unwrap_or_default(), &token.tag)?;
        let context = DecryptionContext::Iv128(FixedLength::from(token.iv));
        Ok(self.cipher.decrypt(buffer, context)?.len())
    }
}

//! The cookie cache: a copy of the session that the upstream keeps in a second cookie for some minutes, beside the
//! session cookie. It is checked here as the upstream checks it (`docs/better-auth.md#cookie-cache`).
//!
//! A cache that is not used is no error: the upstream is asked.

mod compact;
mod date;
mod error;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod mint;
mod payload;
mod public;

use std::fmt;
use std::time::Duration;

use auth_proxy_rules::TokenFormat;
use zeroize::Zeroizing;

pub(crate) use self::error::NotUsable;
pub(crate) use self::payload::CachedPayload;
use self::payload::Payload;
pub(crate) use self::public::PublicCookieCache;
use super::error::KeyError;
use super::jwe::JweDecoder;
use super::jws::JwsDecoder;
use super::registered::Registered;
use super::signed_cookie::SignedCookies;
use crate::dialect::{cookie_cache_marks, token_key};

/// The longest cache that is read, in bytes, with all its chunks. Node refuses headers of more than 16 KiB.
const LIMIT: usize = 64 * 1024;

/// Reads cookie caches that are protected by the upstream's secret. The form is fixed by configuration and never read
/// from a cookie.
pub(crate) struct CookieCache {
    cookies: SignedCookies,
    form: Form,
}

enum Form {
    /// Signed with the current secret.
    Compact,
    /// Signed with the current secret.
    Signed(JwsDecoder),
    /// Encrypted with the current secret or an older one.
    Encrypted(JweDecoder),
}

impl CookieCache {
    /// A reader for the formats `compact`, `jwt` and `jwe`. `secrets` begins with the current one.
    ///
    /// # Errors
    /// When there is no secret, the format is another, or a key cannot be derived.
    pub(crate) fn new(format: TokenFormat, secrets: &[Zeroizing<String>]) -> Result<Self, KeyError> {
        let current = secrets.get(..1).ok_or(KeyError::Derivation)?;
        let form = match (format, token_key(format, "")) {
            (TokenFormat::Compact, _) => Form::Compact,
            (TokenFormat::Jwt, _) => Form::Signed(JwsDecoder::new(TokenFormat::Hs256, current)?),
            (TokenFormat::Jwe, Some(source)) => Form::Encrypted(JweDecoder::cookie_cache(secrets, &source)?),
            _ => return Err(KeyError::Derivation),
        };
        Ok(Self { cookies: SignedCookies::new(current), form })
    }

    /// Reads the cache of a session. `session_token` and `session_data` are the percent-decoded values of the session
    /// cookie and of the cache, with its chunks joined. `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Why the upstream must be asked instead.
    pub(crate) fn open(
        &self,
        session_token: &str,
        session_data: &str,
        now: u64,
    ) -> Result<CachedPayload, NotUsable> {
        check_length(session_data)?;
        if !self.cookies.is_signed_by_current(session_token) {
            return Err(NotUsable::SessionCookie);
        }
        let (text, expires_ms) = match &self.form {
            Form::Compact => {
                let key = self.cookies.current().ok_or(NotUsable::Tampered)?;
                compact::open(session_data, key)?
            }
            Form::Signed(decoder) => claims(decoder.verify(session_data)?, now)?,
            Form::Encrypted(decoder) => claims(decoder.decrypt(session_data)?, now)?,
        };
        let payload = Payload::read(&text, cookie_cache_marks().version)?;
        payload.check(SignedCookies::token_part(session_token), expires_ms, now)
    }
}

fn check_length(session_data: &str) -> Result<(), NotUsable> {
    if session_data.len() > LIMIT { Err(NotUsable::TooLong) } else { Ok(()) }
}

/// The text of the claims of a token, and when it expires.
fn claims(plain: Vec<u8>, now: u64) -> Result<(String, u64), NotUsable> {
    let text = String::from_utf8(plain).map_err(|_| NotUsable::Malformed)?;
    let expires_ms = Registered::read(&text)?.times(Duration::ZERO).expiry_ms(now)?;
    Ok((text, expires_ms))
}

impl fmt::Debug for CookieCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieCache(..)")
    }
}

#[cfg(test)]
mod tests;

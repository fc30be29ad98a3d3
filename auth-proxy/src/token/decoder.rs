//! Decrypts or verifies a session token in the configured format, and checks its registered claims.

use std::borrow::Cow;
use std::fmt;

use auth_proxy_rules::TokenFormat;
use zeroize::Zeroizing;

use super::error::{KeyError, TokenError};
use super::jwe::JweDecoder;
use super::jws::JwsDecoder;
use super::registered::{Demands, Registered};
use super::verified::Verified;
use crate::dialect::token_key;
use crate::json::replace_lone_surrogates;

/// Decodes session tokens. The keys are derived once, in [`new`](Self::new).
pub(crate) struct Decoder {
    kind: Kind,
    demands: Demands,
}

enum Kind {
    Encrypted(JweDecoder),
    Signed(JwsDecoder),
}

impl Decoder {
    /// Derives the keys for a format. `secrets` starts with the newest one.
    pub(crate) fn new(
        format: TokenFormat,
        secrets: &[Zeroizing<String>],
        cookie_name: &str,
        demands: Demands,
    ) -> Result<Self, KeyError> {
        let kind = match (format, token_key(format, cookie_name)) {
            (TokenFormat::EncryptedV4, Some(source)) => Kind::Encrypted(JweDecoder::v4(secrets, &source)?),
            (_, Some(source)) => Kind::Encrypted(JweDecoder::v5(secrets, &source)?),
            (signed, None) => Kind::Signed(JwsDecoder::new(signed, secrets)?),
        };
        Ok(Self { kind, demands })
    }

    /// Decrypts or verifies a token, and checks that it is valid at `now` (seconds since the Unix epoch).
    ///
    /// Only the registered claims are read here. The result holds all claims as JSON text. The text is not wiped from
    /// memory when it is dropped, because the app holds the same claims in its own types.
    ///
    /// # Errors
    /// The reason why the token is refused.
    pub(crate) fn open(&self, token: &str, now: u64) -> Result<Verified, TokenError> {
        let plain = match &self.kind {
            Kind::Encrypted(decoder) => decoder.decrypt(token)?,
            Kind::Signed(decoder) => decoder.verify(token)?,
        };
        accept(plain, &self.demands, now)
    }

    /// Like [`open`](Self::open), but returns all claims as a map.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn decode(
        &self,
        token: &str,
        now: u64,
    ) -> Result<serde_json::Map<String, serde_json::Value>, TokenError> {
        serde_json::from_str(&self.open(token, now)?.into_text()).map_err(|_| TokenError::Malformed)
    }
}

/// Checks the claims of a token that was decrypted or verified, at `now` (seconds since the Unix epoch).
///
/// # Errors
/// The reason why the token is refused.
pub(super) fn accept(plain: Vec<u8>, demands: &Demands, now: u64) -> Result<Verified, TokenError> {
    let claims = String::from_utf8(plain).map_err(|_| TokenError::Malformed)?;
    let claims = match replace_lone_surrogates(&claims) {
        Cow::Borrowed(_) => claims,
        Cow::Owned(repaired) => repaired,
    };
    let registered = Registered::read(&claims)?;
    let times = registered.times(demands.tolerance);
    times.check(now)?;
    registered.check(demands)?;
    Ok(Verified::new(claims, times))
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoder(..)")
    }
}

#[cfg(test)]
mod tests;

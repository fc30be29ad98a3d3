//! Verifies tokens that are signed with one of the keys that their issuer publishes.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::decoder::accept;
use super::error::{KeyError, TokenError};
use super::jws::Parts;
use super::key_set::KeySet;
use super::logout::{LogoutError, LogoutToken};
use super::public_key::PublicKey;
use super::registered::Demands;
use super::verified::{Verified, VerifiedTokens};
use super::{json, jwk, media_type};
use crate::cookie::Candidate;
use crate::error::AuthError;

/// The keys of an issuer, and the tokens that they verified.
///
/// The tokens belong to the keys: a token must not outlive the key that its issuer withdraws, so a new key set begins
/// with an empty cache.
pub(crate) struct PublishedKeys {
    keys: KeySet,
    demands: Demands,
    cache: VerifiedTokens,
}

/// Why a token is refused.
pub(crate) struct Refusal<E = AuthError> {
    pub(crate) error: E,
    /// The token may be signed with a key that was published after these keys.
    pub(crate) may_have_newer_key: bool,
}

impl<E> From<E> for Refusal<E> {
    fn from(error: E) -> Self {
        Self { error, may_have_newer_key: false }
    }
}

/// The protected header. A key in it (`jwk`, `jku`, `x5c`, `x5u`) is never read: everyone can put one there.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "json::some")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "json::present")]
    crit: bool,
    #[serde(default, deserialize_with = "json::present")]
    b64: bool,
}

impl PublishedKeys {
    /// The keys of an issuer, with a cache of this many tokens.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub(crate) fn new(keys: KeySet, demands: Demands, cache_entries: u32) -> Result<Self, KeyError> {
        Ok(Self { keys, demands, cache: VerifiedTokens::new(cache_entries)? })
    }

    /// Verifies the token of a request, and checks its claims at `now` (seconds since the Unix epoch).
    ///
    /// # Errors
    /// Why the token is refused.
    pub(crate) fn verify(&self, candidate: &Candidate<'_>, now: u64) -> Result<Arc<Verified>, Refusal> {
        let (form, sent) = candidate.as_sent();
        let fingerprint = self.cache.fingerprint(form, &sent);
        if let Some(known) = fingerprint.and_then(|fingerprint| self.cache.get(&fingerprint, now)) {
            return Ok(known);
        }
        let token = candidate.token().map_err(AuthError::from)?;
        let verified = Arc::new(self.open(&token, now)?);
        if let Some(fingerprint) = fingerprint {
            self.cache.insert(fingerprint, Arc::clone(&verified));
        }
        Ok(verified)
    }

    /// The key with this name.
    pub(crate) fn key(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.named(kid)
    }

    /// Verifies a logout token of the issuer at `now` (seconds since the Unix epoch).
    ///
    /// # Errors
    /// Why the token is refused.
    pub(crate) fn verify_logout(&self, token: &str, now: u64) -> Result<LogoutToken, Refusal> {
        let payload = self.payload(token, media_type::may_be_logout_token).map_err(|refusal| {
            let error = LogoutError::from(refusal.error).into();
            Refusal { error, may_have_newer_key: refusal.may_have_newer_key }
        })?;
        LogoutToken::read(payload, &self.demands, now).map_err(|error| AuthError::from(error).into())
    }

    fn open(&self, token: &str, now: u64) -> Result<Verified, Refusal> {
        let payload = self.payload(token, media_type::is_access_token).map_err(|refusal| Refusal {
            error: refusal.error.into(),
            may_have_newer_key: refusal.may_have_newer_key,
        })?;
        accept(payload, &self.demands, now).map_err(|error| AuthError::from(error).into())
    }

    /// The payload of a token that one of the keys signed. `is_expected` decides about its `typ`, if it has one.
    fn payload(
        &self,
        token: &str,
        is_expected: impl FnOnce(&str) -> bool,
    ) -> Result<Vec<u8>, Refusal<TokenError>> {
        let parts = Parts::split(token)?;
        let header: Header = json::object(&parts.header)?;
        if header.crit || header.b64 || !header.typ.as_deref().is_none_or(is_expected) {
            return Err(TokenError::Unsupported.into());
        }
        let algorithm = jwk::algorithm(&header.alg).ok_or(TokenError::Unsupported)?;
        let key = self
            .keys
            .find(header.kid.as_deref(), algorithm)
            .map_err(|error| Refusal { error, may_have_newer_key: error == TokenError::UnknownKey })?;
        parts.verified(|message, signature| key.verifies(message, signature)).map_err(|error| Refusal {
            error,
            // A token that names its key was not signed with it. One that names none may be signed with a newer key.
            may_have_newer_key: error == TokenError::Tampered && header.kid.is_none(),
        })
    }
}

impl fmt::Debug for PublishedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedKeys").field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

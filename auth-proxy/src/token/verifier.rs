//! Verifies the session token of a request, or finds it in the cache of verified tokens.

use std::fmt;
use std::sync::Arc;

use super::decoder::Decoder;
use super::error::TokenError;
use super::verified::{Verified, VerifiedTokens};
use crate::cookie::{Candidate, NamesInPlay, SessionName};
use crate::error::AuthError;
use crate::telemetry::{CacheName, asked_cache};

/// Decrypts or verifies tokens, and caches the valid ones.
pub(crate) struct Verifier {
    /// One decoder for each name of the session cookie: Auth.js derives the key from the name
    /// (`docs/authjs.md#token-key`).
    decoders: Vec<Decoder>,
    cache: VerifiedTokens,
}

impl Verifier {
    pub(crate) fn new(decoders: Vec<Decoder>, cache: VerifiedTokens) -> Self {
        Self { decoders, cache }
    }

    /// Verifies the token of a request, and checks its times at `now` (seconds since the Unix epoch). `names` are the
    /// cookie names that `candidate` was searched under.
    ///
    /// # Errors
    /// The reason why the token is refused.
    pub(crate) fn verify(
        &self,
        candidate: &Candidate<'_>,
        names: NamesInPlay<'_>,
        now: u64,
    ) -> Result<Arc<Verified>, AuthError> {
        // A cookie is read with the key of its own name. A Bearer token has no name, so the keys of all `names` are
        // tried.
        let own = names.get(candidate.name()).filter(|_| !candidate.is_bearer());
        let is_tried = |name: &&SessionName| own.is_none_or(|own| own.index == name.index);
        let (form, sent) = candidate.as_sent();
        // The fingerprint includes which keys are tried, since a token that one key verifies may be invalid under
        // another. Two bits suffice: there are at most two names.
        let keys = names.iter().filter(is_tried).fold(0, |keys, name| keys | 1 << name.index.min(1));
        let fingerprint = self.cache.fingerprint(keys << 2 | form, &sent);
        let known = fingerprint.and_then(|fingerprint| self.cache.get(&fingerprint, now));
        asked_cache(CacheName::Token, known.is_some());
        if let Some(known) = known {
            return Ok(known);
        }
        let token = candidate.token()?;
        let mut opened = Err(TokenError::Tampered);
        for name in names.iter().filter(is_tried) {
            let Some(decoder) = self.decoders.get(name.index) else { continue };
            opened = decoder.open(&token, now);
            if !matches!(opened, Err(TokenError::Tampered | TokenError::UnknownKey)) {
                break;
            }
        }
        let verified = Arc::new(opened?);
        if let Some(fingerprint) = fingerprint {
            self.cache.insert(fingerprint, Arc::clone(&verified));
        }
        Ok(verified)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

#[cfg(test)]
mod tests;

//! Verifies the token of a request, or finds it among those that were verified before.

use std::fmt;
use std::sync::Arc;

use super::decoder::Decoder;
use super::error::TokenError;
use super::verified::{Verified, VerifiedTokens};
use crate::cookie::{Candidate, NamesInPlay, SessionName};
use crate::error::AuthError;

/// Decrypts or verifies tokens, and remembers those that were valid.
pub(crate) struct Verifier {
    /// One decoder for each name of the session cookie, by its place: Auth.js derives the key from the name.
    decoders: Vec<Decoder>,
    known: VerifiedTokens,
}

impl Verifier {
    pub(crate) fn new(decoders: Vec<Decoder>, known: VerifiedTokens) -> Self {
        Self { decoders, known }
    }

    /// The verified token of a request, whose times are checked at `now` (seconds since the Unix epoch). `names` are the
    /// cookie names that the candidate was chosen by.
    ///
    /// # Errors
    /// The reason why the token is refused.
    pub(crate) fn verify(
        &self,
        candidate: &Candidate<'_>,
        names: NamesInPlay<'_>,
        now: u64,
    ) -> Result<Arc<Verified>, AuthError> {
        // A cookie is read with the key of its own name. A Bearer token has no name, so the keys of all names in play are
        // tried.
        let own = names.get(candidate.name()).filter(|_| !candidate.is_bearer());
        let is_tried = |name: &&SessionName| own.is_none_or(|own| own.place == name.place);
        let (form, sent) = candidate.as_sent();
        // The fingerprint covers which keys are tried: a token that was verified with one key is not valid with another.
        // There are at most two names.
        let keys = names.iter().filter(is_tried).fold(0, |keys, name| keys | 1 << name.place.min(1));
        let fingerprint = self.known.fingerprint(keys << 2 | form, &sent);
        if let Some(known) = fingerprint.and_then(|fingerprint| self.known.get(&fingerprint, now)) {
            return Ok(known);
        }
        let token = candidate.token()?;
        let mut opened = Err(TokenError::Tampered);
        for name in names.iter().filter(is_tried) {
            let Some(decoder) = self.decoders.get(name.place) else { continue };
            opened = decoder.open(&token, now);
            if !matches!(opened, Err(TokenError::Tampered | TokenError::UnknownKey)) {
                break;
            }
        }
        let verified = Arc::new(opened?);
        if let Some(fingerprint) = fingerprint {
            self.known.insert(fingerprint, Arc::clone(&verified));
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

use std::fmt;
use std::sync::Arc;

use super::decoder::Decoder;
use super::error::TokenError;
use super::verified::{Fingerprint, Verified, VerifiedTokens};
use crate::cookie::{Candidate, NamesInPlay, SessionName};
use crate::error::AuthError;

/// Decrypts or verifies tokens, each of them once in its life as long as there is room to remember it.
pub(crate) struct Verifier {
    /// One for each name of the session cookie: the name is the salt of the key.
    decoders: Vec<Decoder>,
    known: VerifiedTokens,
}

impl Verifier {
    pub(crate) fn new(decoders: Vec<Decoder>, known: VerifiedTokens) -> Self {
        Self { decoders, known }
    }

    /// A request's token, decrypted or verified unless it was before. It is check_forwarded_session by its times at `now`. `names` are
    /// those that the candidate was chosen by.
    ///
    /// # Errors
    /// Why it is no good.
    pub(crate) fn verify(
        &self,
        candidate: &Candidate<'_>,
        names: NamesInPlay<'_>,
        now: u64,
    ) -> Result<Arc<Verified>, AuthError> {
        // A Bearer token comes under no name: the first key of those in play that it opens under is its own.
        let own = names.get(candidate.name()).filter(|_| !candidate.is_bearer());
        let is_own = |name: &&SessionName| own.is_none_or(|own| own.place == name.place);
        let (form, sent) = candidate.as_sent();
        // The same token under other names has other keys. There are two names at the most.
        let keys = names.iter().filter(is_own).fold(0, |keys, name| keys | 1 << name.place.min(1));
        let fingerprint: Option<Fingerprint> = self.known.fingerprint((keys << 2 | form, &sent));
        if let Some(known) = fingerprint.and_then(|fingerprint| self.known.get(&fingerprint, now)) {
            return Ok(known);
        }
        let token = candidate.token()?;
        let mut opened = Err(TokenError::Tampered);
        for name in names.iter().filter(is_own) {
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

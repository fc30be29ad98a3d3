use std::fmt;
use std::sync::Arc;

use super::cookies::Candidate;
use super::decoder::Decoder;
use super::error::TokenError;
use super::verified::{Fingerprint, Verified, VerifiedTokens};

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

    /// A request's token, decrypted or verified unless it was before. It is judged by its times at `now`. `decoder` is
    /// the place of the name that it came under.
    ///
    /// # Errors
    /// Why it is no good.
    pub(crate) fn verify(
        &self,
        candidate: &Candidate<'_>,
        decoder: usize,
        now: u64,
    ) -> Result<Arc<Verified>, TokenError> {
        let (form, sent) = candidate.as_sent();
        // The same token under another name has another key.
        let place = u8::try_from(decoder).unwrap_or(u8::MAX).wrapping_mul(4) | form;
        let fingerprint: Option<Fingerprint> = self.known.fingerprint((place, &sent));
        if let Some(known) = fingerprint.and_then(|fingerprint| self.known.get(&fingerprint, now)) {
            return Ok(known);
        }
        let token = candidate.token()?;
        let own = self.decoders.get(decoder).map(std::slice::from_ref).unwrap_or_default();
        // A Bearer token comes under no name: the first key that it opens under is its own.
        let decoders = if candidate.is_bearer() { &self.decoders[..] } else { own };
        let mut opened = Err(TokenError::Tampered);
        for decoder in decoders {
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

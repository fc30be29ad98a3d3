use std::fmt;
use std::sync::Arc;

use super::cookies::Sent;
use super::decoder::Decoder;
use super::error::TokenError;
use super::verified::{Fingerprint, Verified, VerifiedTokens};

/// Decrypts or verifies tokens, each of them once in its life as long as there is room to remember it.
pub(crate) struct Verifier {
    decoder: Decoder,
    known: VerifiedTokens,
}

impl Verifier {
    pub(crate) fn new(decoder: Decoder, known: VerifiedTokens) -> Self {
        Self { decoder, known }
    }

    /// What a token is known by.
    pub(super) fn fingerprint(&self, sent: &Sent<'_>) -> Option<Fingerprint> {
        self.known.fingerprint(sent.as_bytes())
    }

    /// A token that was verified before and is good at `now`.
    pub(crate) fn known(&self, fingerprint: &Fingerprint, now: u64) -> Option<Arc<Verified>> {
        self.known.get(fingerprint, now)
    }

    /// Verifies a token, and remembers it under its fingerprint.
    pub(crate) fn verify(
        &self,
        token: &str,
        now: u64,
        fingerprint: Option<Fingerprint>,
    ) -> Result<Arc<Verified>, TokenError> {
        let verified = Arc::new(self.decoder.open(token, now)?);
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

//! Computes the fingerprint of a token, its key in the cache of verified tokens.
//!
//! A fingerprint is a GMAC (NIST SP 800-38D): the tag of AES-128-GCM over no plaintext, with the bytes that the client
//! sent as additional data.
//!
//! **Why a keyed MAC.** The cache takes every token with a known fingerprint for verified. With an unkeyed fingerprint
//! of 128 bits, a client could search for two texts with the same fingerprint. Without the key, it cannot compute any.
//!
//! **Why GMAC.** Every request with a token computes one fingerprint, over about 480 bytes. GMAC takes about 70 ns for
//! that, SHA-256 260 ns and HMAC-SHA256 390 ns (aws-lc on one x86-64 machine). The rest of a cached decode takes less
//! than either hash.
//!
//! **Why the nonce may be reused.** Two known tags under one nonce reveal the hash key of GCM, and allow forged tags.
//! No tag leaves this process, in a response, a log or a store. The time of a response shows only whether this token
//! was seen before, to a client that has the token.
//!
//! **One key per process.** The key is random and made at start-up. Fingerprints are useless to another process and are
//! never stored.
//!
//! **What a collision means.** If two tokens had the same fingerprint, the second would get the claims of the first
//! without being verified. Two fixed texts of `l` blocks of 16 bytes collide with a probability of at most `l + 1` in
//! 2^128 (the bound of GHASH). A token has at most 64 KiB, so that is less than 2^-110 for each pair, whatever texts a
//! client chooses.

use std::hash::Hasher;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;

use super::error::KeyError;

/// The key of a token in the cache of verified tokens.
pub(super) type Fingerprint = u128;

/// The secret key that this process computes fingerprints with.
pub(super) struct FingerprintKey(LessSafeKey);

impl FingerprintKey {
    /// Makes a random key.
    pub(super) fn random() -> Result<Self, KeyError> {
        let mut key = [0; 16];
        rand::fill(&mut key).map_err(|_| KeyError::Randomness)?;
        let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| KeyError::Randomness)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// The fingerprint of the bytes that were sent. `context` says how the token is read: the same bytes with another
    /// `context` have another fingerprint.
    ///
    /// `None` if the crypto library fails. The token is then verified on every request.
    pub(super) fn fingerprint(&self, context: u8, sent: &[u8]) -> Option<Fingerprint> {
        let mut nonce = [0; NONCE_LEN];
        nonce[0] = context;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(sent), &mut []).ok()?;
        tag.as_ref().try_into().ok().map(u128::from_ne_bytes)
    }
}

/// Uses half of a fingerprint as its hash. Fingerprints are evenly distributed and a client cannot choose them, so
/// hashing them again gains nothing.
#[derive(Default)]
pub(super) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, fingerprint: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "half of the bits are enough for a hash table")]
        let half = fingerprint as u64;
        self.0 = half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_depends_on_key_context_and_every_byte() {
        let key = FingerprintKey::random().unwrap();
        let of = |context, sent: &[u8]| key.fingerprint(context, sent).unwrap();
        let own = of(1, b"header..iv.text.tag");
        assert_eq!(of(1, b"header..iv.text.tag"), own);
        for other in [
            of(2, b"header..iv.text.tag"),
            of(1, b"header..iv.text.tah"),
            of(1, b"header..iv.text.tag\0"),
            of(1, b""),
            FingerprintKey::random().unwrap().fingerprint(1, b"header..iv.text.tag").unwrap(),
        ] {
            assert_ne!(other, own);
        }
    }

    #[test]
    fn hash_of_a_fingerprint_is_its_lower_half() {
        let mut hasher = IdentityHasher::default();
        hasher.write_u128(7 << 64 | 5);
        assert_eq!(hasher.finish(), 5);
    }
}

//! The fingerprint by which a token is found in the cache of verified tokens.
//!
//! It is a GMAC (NIST SP 800-38D): the tag of AES-128-GCM over no plaintext, with the bytes that the client sent as
//! additional data.
//!
//! **Why a keyed MAC.** The cache answers "this token was verified" for every token with a known fingerprint. With an
//! unkeyed fingerprint of 128 bits a client could search for a pair of texts that share one. Without the key it cannot
//! compute a single fingerprint.
//!
//! **Why GMAC.** Every request with a token computes one fingerprint, over some 480 bytes. GMAC takes about 70 ns for
//! that, SHA-256 260 ns and HMAC-SHA256 390 ns (aws-lc on one x86-64 machine): more than the rest of a cached decode.
//!
//! **Why one nonce may be used again.** GCM loses its authentication when two tags under one nonce are known: the key of
//! the hash can be solved from them. No tag ever leaves this process, in an answer, a log or a store, and the time of an
//! answer tells only whether this very token was seen before, to a client that holds it.
//!
//! **Key per process.** The key is random and made at the start. Fingerprints mean nothing to another process and are never
//! stored.
//!
//! **What a collision means.** Two tokens with one fingerprint would be taken for each other: the second would get the
//! claims of the first without being verified. For tokens of `l` blocks of 16 bytes, two fixed texts collide with a
//! probability of at most `l + 1` in 2^128 (the bound of GHASH). A cookie header is bounded to some KiB, so that is less
//! than 2^-110 for each pair, whatever texts a client chooses.

use std::hash::Hasher;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;

use super::error::KeyError;

/// What a token is known by in the cache.
pub(super) type Fingerprint = u128;

/// The key of the fingerprints of this process.
pub(super) struct FingerprintKey(LessSafeKey);

impl FingerprintKey {
    /// A random key.
    pub(super) fn random() -> Result<Self, KeyError> {
        let mut key = [0; 16];
        rand::fill(&mut key).map_err(|_| KeyError::Randomness)?;
        let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| KeyError::Randomness)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// The fingerprint of a token as it was sent. `context` separates tokens that are read in different ways: the same
    /// bytes in another context have another fingerprint.
    ///
    /// `None` when the crypto library fails; the token is then verified each time.
    pub(super) fn fingerprint(&self, context: u8, sent: &[u8]) -> Option<Fingerprint> {
        let mut nonce = [0; NONCE_LEN];
        nonce[0] = context;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(sent), &mut []).ok()?;
        tag.as_ref().try_into().ok().map(u128::from_ne_bytes)
    }
}

/// Uses half of a fingerprint as its hash. Fingerprints are evenly distributed and a client cannot choose them, so that
/// hashing them again would gain nothing.
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

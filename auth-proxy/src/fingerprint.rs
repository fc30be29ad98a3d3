//! The fingerprint of what a client sent: its key in a cache of this process.
//!
//! It does not know what is cached, and a fingerprint never leaves this process: not in a response, a log or a store.
//!
//! A fingerprint is a GMAC (NIST SP 800-38D): the tag of AES-128-GCM over no plaintext, with the sent bytes as additional
//! data. So it is the universal hash GHASH under a random key, and a mask.
//!
//! **Why a keyed hash.** A cache takes everything with a known fingerprint for what it was made of. With an unkeyed
//! fingerprint of 128 bits, a client could search for two texts with the same fingerprint. Without the key, it cannot
//! compute any.
//!
//! **Why GMAC.** Every request with a token computes one fingerprint, over about 480 bytes. GMAC takes about 70 ns for
//! that, SHA-256 260 ns and HMAC-SHA256 390 ns (aws-lc on one x86-64 machine). POLYVAL of the crate `polyval` 0.7
//! needs no mask, and so 841 instructions for them in place of 1,147, but nine more crates to build.
//!
//! **Why the nonce may be reused.** Two known tags under one nonce reveal the hash key of GCM, and allow forged tags.
//! No tag is known outside of this process. The time of a response shows only whether this token was seen before, to a
//! client that has the token.
//!
//! **One key per cache.** The key is random and made at start-up. Fingerprints are useless to another process and are
//! never stored.
//!
//! **What a collision means.** If two texts had the same fingerprint, the second would get the answer of the first. Two
//! fixed texts of at most `l` blocks of 16 bytes collide with a probability of at most `l + 1` in 2^128 (the bound of
//! GHASH, which hashes the length of a text as its last block). A token has at most 64 KiB, so that is less than 2^-115
//! for each pair, whatever texts a client chooses. The nonce holds the `context`, so the same holds for two texts with
//! different ones. A text that a client sends is compared with all `n` entries of a cache, and is taken for one of them with
//! `n` times that probability at most: 2^-95 with a million entries. [`of_all`](FingerprintKey::of_all) hashes fingerprints
//! of texts, so the bounds of both steps add up.
//!
//! Imports the rooms: none.
//! Does without the crates: `axum`, `http`, `hyper`, `jsonwebtoken`, `serde`, `tokio`, `tower`, `tracing`.

use std::hash::Hasher;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

/// The key of an entry of a cache.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 16]);

impl std::hash::Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.0));
    }
}

/// The secret key that this process computes fingerprints with.
pub(crate) struct FingerprintKey(LessSafeKey);

/// The part of a nonce that tells a fingerprint of several texts from that of one.
const OF_ALL: u8 = 1;

/// Bytes one after the other. Few of them need no allocation.
struct List {
    few: [u8; 256],
    length: usize,
    many: Vec<u8>,
}

impl List {
    fn new() -> Self {
        Self { few: [0; 256], length: 0, many: Vec::new() }
    }

    fn add(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if let Some(place) = self.few.get_mut(self.length..end).filter(|_| self.many.is_empty()) {
            place.copy_from_slice(bytes);
            self.length = end;
            return;
        }
        if self.many.is_empty() {
            self.many.extend_from_slice(self.few.get(..self.length).unwrap_or_default());
        }
        self.many.extend_from_slice(bytes);
    }

    fn as_bytes(&self) -> &[u8] {
        if self.many.is_empty() { self.few.get(..self.length).unwrap_or_default() } else { &self.many }
    }
}

impl FingerprintKey {
    /// Makes a random key.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub(crate) fn random() -> Result<Self, Unspecified> {
        let mut key = [0; 16];
        rand::fill(&mut key)?;
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?)))
    }

    /// The fingerprint of the bytes that were sent. `context` says how they are read: the same bytes with another
    /// `context` have another fingerprint.
    ///
    /// `None` if the crypto library fails. Nothing is cached then.
    pub(crate) fn of(&self, context: u8, sent: &[u8]) -> Option<Fingerprint> {
        self.tag([context, 0], sent)
    }

    /// The fingerprint of texts that belong together: of `parts`, each the fingerprint of a text, and of short texts that are
    /// no secrets. The same texts in another order, or divided otherwise, have another fingerprint.
    ///
    /// `None` if the crypto library fails.
    pub(crate) fn of_all<'t>(
        &self,
        parts: &[Fingerprint],
        texts: impl Iterator<Item = &'t [u8]>,
    ) -> Option<Fingerprint> {
        let mut list = List::new();
        list.add(&[u8::try_from(parts.len()).ok()?]);
        parts.iter().for_each(|part| list.add(&part.0));
        for text in texts {
            list.add(&u32::try_from(text.len()).ok()?.to_be_bytes());
            list.add(text);
        }
        self.tag([0, OF_ALL], list.as_bytes())
    }

    fn tag(&self, context: [u8; 2], sent: &[u8]) -> Option<Fingerprint> {
        let mut nonce = [0; NONCE_LEN];
        nonce[..2].copy_from_slice(&context);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(sent), &mut []).ok()?;
        tag.as_ref().try_into().ok().map(Fingerprint)
    }
}

/// Uses half of a fingerprint, or a number that is a keyed hash, as the hash. Both are evenly distributed and a client cannot
/// choose them, so hashing them again gains nothing.
#[derive(Default)]
pub(crate) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
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
        let of = |context, sent: &[u8]| key.of(context, sent).unwrap();
        let own = of(1, b"header..iv.text.tag");
        assert!(of(1, b"header..iv.text.tag") == own);
        for other in [
            of(2, b"header..iv.text.tag"),
            of(1, b"header..iv.text.tah"),
            of(1, b"header..iv.text.tag\0"),
            of(1, b""),
            FingerprintKey::random().unwrap().of(1, b"header..iv.text.tag").unwrap(),
        ] {
            assert!(other != own);
        }
    }

    /// A client chooses the texts: it must not be able to move bytes from one to the other.
    #[test]
    fn fingerprint_of_texts_depends_on_their_division_order_and_number() {
        let key = FingerprintKey::random().unwrap();
        let [a, b] = [b"a", b"b"].map(|text| key.of(0, text).unwrap());
        let long = [b'x'; 300];
        let all: [(&[Fingerprint], &[&[u8]]); 14] = [
            (&[], &[]),
            (&[], &[b""]),
            (&[], &[b"", b""]),
            (&[], &[b"ab", b"c"]),
            (&[], &[b"a", b"bc"]),
            (&[], &[b"abc"]),
            (&[], &[b"c", b"ab"]),
            (&[a], &[b"ab", b"c"]),
            (&[b], &[b"ab", b"c"]),
            (&[a, b], &[b"ab", b"c"]),
            (&[b, a], &[b"ab", b"c"]),
            (&[], &[&a.0]),
            (&[], &[b"ab", &long]),
            (&[], &[&long, b"ab"]),
        ];
        let of =
            |(parts, texts): &(&[Fingerprint], &[&[u8]])| key.of_all(parts, texts.iter().copied()).unwrap().0;
        let different: std::collections::HashSet<_> = all.iter().map(of).collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(all.iter().map(of).collect::<Vec<_>>(), all.iter().map(of).collect::<Vec<_>>());
    }

    proptest::proptest! {
        #[test]
        fn texts_with_the_same_fingerprint_are_the_same(
            one in proptest::collection::vec(proptest::collection::vec(0..2_u8, 0..40), 0..9),
            other in proptest::collection::vec(proptest::collection::vec(0..2_u8, 0..40), 0..9),
        ) {
            let key = FingerprintKey::random().unwrap();
            let of = |texts: &[Vec<u8>]| key.of_all(&[], texts.iter().map(Vec::as_slice)).unwrap().0;
            proptest::prop_assert_eq!(of(&one) == of(&other), one == other);
            proptest::prop_assert_eq!(of(&one), of(&one.clone()));
        }
    }

    #[test]
    fn hash_of_a_fingerprint_is_its_lower_half() {
        let mut hasher = IdentityHasher::default();
        hasher.write_u128(7 << 64 | 5);
        assert_eq!(hasher.finish(), 5);
    }
}

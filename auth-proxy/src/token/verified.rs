use std::any::Any;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::{KeyError, TokenError};
use super::registered::Times;
use crate::error::{AuthError, Reason};
use crate::json::deserialize_into;

/// A token that was decrypted or verified, with what it says.
pub(crate) struct Verified {
    times: Times,
    /// The claims set, as it stood in the token.
    text: String,
    /// The claims in the app's type, made when they are first wanted.
    claims: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// What the app makes of the claims, kept beside them.
    derived: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Verified {
    pub(super) fn new(text: String, times: Times) -> Self {
        Self { times, text, claims: OnceLock::new(), derived: OnceLock::new() }
    }

    /// The claims in the app's type.
    ///
    /// # Errors
    /// `claims_mismatch`, whose source names the claim that does not fit.
    pub(crate) fn claims<T: DeserializeOwned + Send + Sync + 'static>(&self) -> Result<Arc<T>, AuthError> {
        if let Some(Ok(known)) = self.claims.get().map(Arc::clone).map(Arc::downcast) {
            return Ok(known);
        }
        let claims = match serde_json::from_str(&self.text) {
            Ok(claims) => claims,
            // Read once more, to tell which of them does not fit.
            Err(_) => deserialize_into(self.map()?, Reason::CLAIMS_MISMATCH)?,
        };
        let claims = Arc::new(claims);
        // Somebody else may have been faster: what they made is the same.
        self.claims.set(Arc::clone(&claims) as Arc<dyn Any + Send + Sync>).ok();
        Ok(claims)
    }

    /// A value that is made of the claims when it is first wanted, and kept with them. It is always of one type and made
    /// in the same way.
    ///
    /// # Errors
    /// `token_malformed` for claims that are no JSON object.
    pub(crate) fn derived<T: Send + Sync + 'static>(
        &self,
        make: impl FnOnce(&Map<String, Value>) -> T,
    ) -> Result<Arc<T>, AuthError> {
        if let Some(Ok(known)) = self.derived.get().map(Arc::clone).map(Arc::downcast) {
            return Ok(known);
        }
        let derived = Arc::new(make(&self.map()?));
        // Two requests may race here. Both values are the same.
        self.derived.set(Arc::clone(&derived) as Arc<dyn Any + Send + Sync>).ok();
        Ok(derived)
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn map(&self) -> Result<Map<String, Value>, AuthError> {
        serde_json::from_str(&self.text).map_err(|_| TokenError::Malformed.into())
    }
}

/// Shows no claim.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(..)")
    }
}

/// Tokens that were verified not long ago, so that the next request with one of them costs no
/// cryptography. Bounded in number and in size; each is asked for its times anew.
///
/// A token is known by its fingerprint under a random key of this process, in the very bytes that were
/// sent: a GMAC (NIST SP 800-38D), whose nonce that comes again does no harm, since no tag ever leaves this memory. Two
/// tokens share a fingerprint with a probability of less than 2^-110, and nobody without the key can look
/// for such a pair: what is not the token that was verified is verified by itself. How long an answer
/// takes tells only whether this very token was seen before, to whoever holds it.
pub(crate) struct VerifiedTokens {
    key: LessSafeKey,
    cache: Cache<Fingerprint, Arc<Verified>, Weight, BuildHasherDefault<Uniform>>,
}

/// Bytes of claims that count as one entry.
const ENTRY: usize = 2048;

#[derive(Clone)]
struct Weight;

impl Weighter<Fingerprint, Arc<Verified>> for Weight {
    fn weight(&self, _: &Fingerprint, verified: &Arc<Verified>) -> u64 {
        u64::try_from(1 + verified.text.len() / ENTRY).unwrap_or(u64::MAX)
    }
}

/// What the token of a request is known by.
pub(crate) type Fingerprint = u128;

/// Fingerprints are evenly spread, and nobody outside can choose them: they are their own hash.
#[derive(Default)]
struct Uniform(u64);

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, fingerprint: u128) {
        // Half of it is plenty, and tells two of them apart no better than the whole.
        #[expect(clippy::cast_possible_truncation)]
        let half = fingerprint as u64;
        self.0 = half;
    }
}

impl VerifiedTokens {
    pub(crate) fn new(entries: u32) -> Result<Self, KeyError> {
        let mut key = [0; 16];
        rand::fill(&mut key).map_err(|_| KeyError::Randomness)?;
        let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| KeyError::Randomness)?;
        let items = usize::try_from(entries).unwrap_or(usize::MAX);
        let cache = Cache::with(
            items,
            u64::from(entries),
            Weight,
            BuildHasherDefault::default(),
            DefaultLifecycle::default(),
        );
        Ok(Self { key: LessSafeKey::new(key), cache })
    }

    /// The fingerprint of a token, in the bytes that were sent, and the number of the place where it was sent.
    pub(crate) fn fingerprint(&self, (place, sent): (u8, &[u8])) -> Option<Fingerprint> {
        let mut nonce = [0; NONCE_LEN];
        nonce[0] = place;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(sent), &mut []).ok()?;
        tag.as_ref().try_into().ok().map(u128::from_ne_bytes)
    }

    /// The token of a fingerprint, if it was verified and is still good.
    pub(crate) fn get(&self, fingerprint: &Fingerprint, now: u64) -> Option<Arc<Verified>> {
        let verified = self.cache.get(fingerprint)?;
        if verified.times.check(now).is_err() {
            self.cache.remove(fingerprint);
            return None;
        }
        Some(verified)
    }

    pub(crate) fn insert(&self, fingerprint: Fingerprint, verified: Arc<Verified>) {
        self.cache.insert(fingerprint, verified);
    }
}

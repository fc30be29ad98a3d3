//! Verified session tokens with their claims, and the cache of verified tokens.

use std::any::Any;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, OnceLock};

use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::{KeyError, TokenError};
use super::json;
use super::registered::Times;
use crate::error::{AuthError, Reason};
use crate::fingerprint::{Fingerprint, FingerprintKey, IdentityHasher};
use crate::json::deserialize_into;
use crate::revocation::Identity;

/// A token that was decrypted or verified, with its claims.
pub(crate) struct Verified {
    times: Times,
    /// The claims as JSON text, byte for byte as in the token.
    text: String,
    /// The claims in the app's type, read on first use.
    claims: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// The value that [`derived`](Self::derived) computed.
    derived: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// What the list of revoked tokens knows it by.
    identity: OnceLock<Identity>,
}

/// The claims that name a token, its session and its user.
#[derive(Default, Deserialize)]
pub(crate) struct Names {
    /// The user.
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) sub: Option<String>,
    /// The token (RFC 7519, section 4.1.7).
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) jti: Option<String>,
    /// The session (OpenID Connect Back-Channel Logout 1.0, section 2.1).
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) sid: Option<String>,
    /// When the token was issued, in seconds since the Unix epoch.
    #[serde(default, deserialize_with = "json::some")]
    iat: Option<f64>,
    #[serde(default, deserialize_with = "json::some")]
    exp: Option<f64>,
}

impl Names {
    /// Reads the names from the JSON text of all claims.
    ///
    /// # Errors
    /// `Malformed`, if one of these claims occurs twice or is no JSON value that can be kept.
    pub(super) fn read(claims: &str) -> Result<Self, TokenError> {
        json::object(claims)
    }

    /// When the token was issued, in seconds since the Unix epoch. Zero if it does not say so.
    pub(crate) fn issued_at(&self) -> u64 {
        seconds(self.iat.unwrap_or_default())
    }

    /// When the token expires, in seconds since the Unix epoch. `None` if it does not.
    pub(crate) fn expires(&self) -> Option<u64> {
        self.exp.map(|exp| seconds(exp.ceil()))
    }
}

/// A number of a token as whole seconds. Zero if it is negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
pub(super) fn seconds(number: f64) -> u64 {
    number as u64
}

impl Verified {
    pub(super) fn new(text: String, times: Times) -> Self {
        Self { times, text, claims: OnceLock::new(), derived: OnceLock::new(), identity: OnceLock::new() }
    }

    /// A token made by hand, with these claims.
    #[cfg(feature = "testing")]
    pub(crate) fn made(claims: &Map<String, Value>) -> Self {
        Self::new(serde_json::to_string(claims).unwrap_or_default(), Times::ALWAYS)
    }

    /// The claims in the app's type.
    ///
    /// # Errors
    /// `claims_mismatch`, if the claims do not deserialise. Its source names the claim, not the value.
    pub(crate) fn claims<T: DeserializeOwned + Send + Sync + 'static>(&self) -> Result<Arc<T>, AuthError> {
        if let Some(Ok(known)) = self.claims.get().map(Arc::clone).map(Arc::downcast) {
            return Ok(known);
        }
        let claims = match serde_json::from_str(&self.text) {
            Ok(claims) => claims,
            // Deserialise again, more slowly, to find the claim that has the wrong type.
            Err(_) => deserialize_into(self.claims_as_map()?, Reason::CLAIMS_MISMATCH)?,
        };
        let claims = Arc::new(claims);
        // Two requests may race here. Both values are the same.
        self.claims.set(Arc::clone(&claims) as Arc<dyn Any + Send + Sync>).ok();
        Ok(claims)
    }

    /// A value that is computed from the claims on first use and kept with them. Every caller must pass the same `T`
    /// and an equivalent `make`: only the first value is kept.
    ///
    /// # Errors
    /// `token_malformed`, if the claims are not a JSON object.
    pub(crate) fn derived<T: Send + Sync + 'static>(
        &self,
        make: impl FnOnce(&Map<String, Value>) -> T,
    ) -> Result<Arc<T>, AuthError> {
        if let Some(Ok(known)) = self.derived.get().map(Arc::clone).map(Arc::downcast) {
            return Ok(known);
        }
        let derived = Arc::new(make(&self.claims_as_map()?));
        // Two requests may race here. Both values are the same.
        self.derived.set(Arc::clone(&derived) as Arc<dyn Any + Send + Sync>).ok();
        Ok(derived)
    }

    /// What the list of revoked tokens knows it by. Computed on first use.
    pub(crate) fn identity(&self, make: impl FnOnce(&Names) -> Identity) -> &Identity {
        self.identity.get_or_init(|| make(&self.names()))
    }

    /// The names in the claims.
    pub(crate) fn names(&self) -> Names {
        // Claims whose names cannot be read are refused when the token is verified.
        Names::read(&self.text).unwrap_or_default()
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// All claims as JSON.
    ///
    /// # Errors
    /// `token_malformed`, if they are not a JSON object.
    pub(crate) fn claims_as_map(&self) -> Result<Map<String, Value>, AuthError> {
        serde_json::from_str(&self.text).map_err(|_| TokenError::Malformed.into())
    }
}

/// Prints no claim.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(..)")
    }
}

/// The cache of recently verified tokens: the next request with the same token is not decrypted or verified again.
///
/// The cache is bounded in entries and in bytes. The times of a token are checked on every request. The key of an entry
/// is the fingerprint of the bytes that were sent; see [`fingerprint`](crate::fingerprint) for why that is safe.
pub(crate) struct VerifiedTokens {
    key: FingerprintKey,
    tokens: Cache<Fingerprint, Arc<Verified>, Weight, BuildHasherDefault<IdentityHasher>>,
}

/// A token counts as one entry, and as one more for every 2 KiB of claims.
const BYTES_PER_ENTRY: usize = 2048;

#[derive(Clone)]
struct Weight;

impl Weighter<Fingerprint, Arc<Verified>> for Weight {
    fn weight(&self, _: &Fingerprint, verified: &Arc<Verified>) -> u64 {
        u64::try_from(1 + verified.text.len() / BYTES_PER_ENTRY).unwrap_or(u64::MAX)
    }
}

impl VerifiedTokens {
    pub(crate) fn new(entries: u32) -> Result<Self, KeyError> {
        let items = usize::try_from(entries).unwrap_or(usize::MAX);
        let tokens = Cache::with(
            items,
            u64::from(entries),
            Weight,
            BuildHasherDefault::default(),
            DefaultLifecycle::default(),
        );
        Ok(Self { key: FingerprintKey::random().map_err(|_| KeyError::Randomness)?, tokens })
    }

    /// The fingerprint of the bytes that were sent. `context` says how the token is read.
    pub(super) fn fingerprint(&self, context: u8, sent: &[u8]) -> Option<Fingerprint> {
        self.key.of(context, sent)
    }

    /// The token with this fingerprint, if it is in the cache and valid at `now`.
    pub(super) fn get(&self, fingerprint: &Fingerprint, now: u64) -> Option<Arc<Verified>> {
        let verified = self.tokens.get(fingerprint)?;
        if verified.times.check(now).is_err() {
            self.tokens.remove(fingerprint);
            return None;
        }
        Some(verified)
    }

    pub(super) fn insert(&self, fingerprint: Fingerprint, verified: Arc<Verified>) {
        self.tokens.insert(fingerprint, verified);
    }
}

//! Reads a key set (RFC 7517, section 5), and finds the key of a token in it.

use std::fmt;

use auth_proxy_rules::TokenFormat;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::TokenError;
use super::json;
use super::jwk::{NamedKey, Unused};
use super::public_key::PublicKey;

/// The largest key set that is read, in bytes. A key set has about 500 bytes for each key.
pub(crate) const KEY_SET_LIMIT: usize = 64 * 1024;

/// The most keys in a key set. Issuers publish two to five.
const MOST_KEYS: usize = 64;

/// The keys of a key set that tokens may be signed with.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<NamedKey>,
    unused: Vec<Unused>,
}

/// Why a document gives no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeySetError {
    TooLong,
    TooMany,
    Malformed,
    /// No key can be used. The reason is that of the first one.
    NoKey(Option<Unused>),
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the key set has more than 64 KiB"),
            Self::TooMany => f.write_str("the key set has more than 64 keys"),
            Self::Malformed => f.write_str("the document is not a key set"),
            Self::NoKey(None) => f.write_str("the key set is empty"),
            Self::NoKey(Some(why)) => write!(f, "no key of the key set can be used: the first one is {why}"),
        }
    }
}

impl std::error::Error for KeySetError {}

#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow)]
    keys: Vec<&'d RawValue>,
}

impl KeySet {
    /// Reads a key set. A key that cannot be used is left out: issuers publish keys for encryption beside those for
    /// signatures (RFC 7517, section 5). `allowed` are the configured algorithms.
    ///
    /// # Errors
    /// Why the document gives no keys.
    pub(crate) fn read(document: &[u8], allowed: &[TokenFormat]) -> Result<Self, KeySetError> {
        if document.len() > KEY_SET_LIMIT {
            return Err(KeySetError::TooLong);
        }
        let text = std::str::from_utf8(document).map_err(|_| KeySetError::Malformed)?;
        let Document { keys } = json::object(text).map_err(|_| KeySetError::Malformed)?;
        if keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        let (mut found, mut unused) = (Vec::new(), Vec::new());
        for key in keys {
            match NamedKey::read(key.get(), allowed) {
                Ok(key) => found.push(key),
                Err(why) => unused.push(why),
            }
        }
        let count = found.len();
        let keys = without_ambiguous(found);
        unused.extend(std::iter::repeat_n(Unused::Ambiguous, count - keys.len()));
        if keys.is_empty() {
            return Err(KeySetError::NoKey(unused.first().copied()));
        }
        Ok(Self { keys, unused })
    }

    /// The number of keys that tokens may be signed with.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Why the other keys are not used, one reason for each.
    pub(crate) fn unused(&self) -> &[Unused] {
        &self.unused
    }

    /// The key with this name. `None` also if two algorithms share it.
    pub(super) fn named(&self, kid: &str) -> Option<&PublicKey> {
        let mut named = self.keys.iter().filter(|key| key.kid.as_deref() == Some(kid));
        named.next().filter(|_| named.next().is_none()).map(|key| &key.key)
    }

    /// The key for a token with this header. Without a `kid`, the only key of the set.
    ///
    /// # Errors
    /// `UnknownKey` if the set has no such key, which a newer one may have. `Unsupported` if the key is for another
    /// algorithm.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&PublicKey, TokenError> {
        let named = |key: &&NamedKey| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let is_known = self.keys.iter().any(|key| named(&key));
        if !is_known || (kid.is_none() && self.keys.len() > 1) {
            return Err(TokenError::UnknownKey);
        }
        let mut found = self.keys.iter().filter(named).map(|named| &named.key);
        found.find(|key| key.algorithm() == algorithm).ok_or(TokenError::Unsupported)
    }
}

/// The keys without those that have their `kid` and `alg` in common with another one: it is unknown which of them counts.
fn without_ambiguous(keys: Vec<NamedKey>) -> Vec<NamedKey> {
    let is_same = |one: &NamedKey, other: &NamedKey| {
        one.kid.is_some() && one.kid == other.kid && one.key.algorithm() == other.key.algorithm()
    };
    let ambiguous: Vec<bool> =
        keys.iter().map(|key| keys.iter().filter(|other| is_same(key, other)).count() > 1).collect();
    keys.into_iter().zip(ambiguous).filter(|(_, ambiguous)| !ambiguous).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests;

//! One entry of the list of revoked tokens, and its form in a store.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::identity::{Identity, NameHash};

/// The first byte of the stored form.
const VERSION: u8 = 1;

const LENGTH: usize = 34;

/// A revoked token, or the tokens of a user that were issued before some time, in a
/// [`SessionStore`](crate::store::SessionStore).
///
/// It holds hashes: neither a token nor a name of a user can be computed from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revocation {
    pub(super) hash: NameHash,
    /// For the tokens of a user: those with an `iat` before this time are revoked. In seconds since the Unix epoch.
    pub(super) issued_before: Option<u64>,
    /// When the entry is not needed any more, because the tokens have expired. In seconds since the Unix epoch.
    pub(super) until: u64,
}

impl Revocation {
    /// Revokes the token or the session with this name.
    pub(crate) fn of_name(hash: NameHash, until: u64) -> Self {
        Self { hash, issued_before: None, until }
    }

    /// Revokes the tokens of a user with an `iat` before this time.
    pub(crate) fn of_subject(hash: NameHash, issued_before: u64, until: u64) -> Self {
        Self { hash, issued_before: Some(issued_before), until }
    }

    /// Whether it revokes a token.
    pub(super) fn is_of(&self, token: &Identity) -> bool {
        match self.issued_before {
            None => token.names().contains(&self.hash),
            Some(time) => {
                token.subject.is_some_and(|(hash, issued_at)| hash == self.hash && issued_at < time)
            }
        }
    }

    /// When a store may drop the entry.
    #[must_use]
    pub fn until(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(self.until)).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// [`until`](Self::until) in seconds since the Unix epoch.
    #[cfg(feature = "redis")]
    pub(crate) fn until_seconds(&self) -> u64 {
        self.until
    }

    /// The stored form. Equal entries have equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[0] = VERSION;
        bytes[1] = u8::from(self.issued_before.is_some());
        bytes[2..18].copy_from_slice(&self.hash.to_be_bytes());
        bytes[18..26].copy_from_slice(&self.issued_before.unwrap_or_default().to_be_bytes());
        bytes[26..].copy_from_slice(&self.until.to_be_bytes());
        bytes
    }

    /// Reads the stored form. `None` for anything else, such as an entry of a later version of this crate.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let (hash, rest) = rest.split_first_chunk()?;
        let (issued_before, until) = rest.split_first_chunk()?;
        let issued_before = match head {
            [VERSION, 0] => None,
            [VERSION, 1] => Some(u64::from_be_bytes(*issued_before)),
            _ => return None,
        };
        let until = u64::from_be_bytes(until.try_into().ok()?);
        Some(Self { hash: NameHash::from_be_bytes(*hash), issued_before, until })
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation").field("until", &self.until).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_is_read_back_and_anything_else_is_not() {
        for entry in [Revocation::of_name(u128::MAX - 7, 99), Revocation::of_subject(3, u64::MAX - 1, 100)] {
            let bytes = entry.to_bytes();
            assert_eq!(Revocation::from_bytes(&bytes), Some(entry));
            for at in 0..bytes.len() {
                assert_eq!(Revocation::from_bytes(&bytes[..at]), None, "cut at {at}");
            }
            for (at, value) in [(0, 0), (0, 2), (1, 2)] {
                let mut other = bytes;
                other[at] = value;
                assert_eq!(Revocation::from_bytes(&other), None, "byte {at} is {value}");
            }
        }
    }
}

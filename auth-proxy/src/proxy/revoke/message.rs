//! What a signed message revokes.

use serde::{Deserialize, Deserializer};

use crate::provider::Revoked;
use crate::revocation::{Signature, bytes_of_hex};

/// The body of a message. A name that it does not know may restrict what is revoked, so it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    #[serde(default, deserialize_with = "given")]
    token_hash: Option<String>,
    #[serde(default, deserialize_with = "given")]
    session: Option<String>,
    #[serde(default, deserialize_with = "given")]
    subject: Option<String>,
    #[serde(default, deserialize_with = "given")]
    issued_before: Option<u64>,
}

/// A value that is not `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Message {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        // serde would take a list of the values too.
        body.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(body).ok())?
    }

    /// What it revokes. `None` if it does not name exactly one thing. `signed_at` is the time in its signature.
    pub(super) fn revoked(self, signed_at: u64, now: u64) -> Option<Revoked> {
        let named = |name: &String| !name.is_empty();
        match self {
            Self { token_hash: Some(hash), session: None, subject: None, issued_before: None } => {
                Some(Revoked::Token { hash: bytes_of_hex(&hash)? })
            }
            Self { token_hash: None, session: Some(name), subject: None, issued_before: None } => {
                Some(name).filter(named).map(|name| Revoked::Session { name })
            }
            Self { token_hash: None, session: None, subject: Some(name), issued_before } => {
                let issued_before = issued_before.unwrap_or(signed_at);
                // A later time would refuse the sign-ins to come.
                if Signature::is_future(issued_before, now) {
                    return None;
                }
                Some(name).filter(named).map(|name| Revoked::Subject { name, issued_before })
            }
            _ => None,
        }
    }
}

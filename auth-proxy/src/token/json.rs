use serde::{Deserialize, Deserializer};

use super::error::TokenError;

/// Reads a JSON object, and nothing but one: derived types would take an array as well, its elements
/// in the order of the fields. A member that is read and comes twice is refused (RFC 7515, section 4).
pub(super) fn object<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, TokenError> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(TokenError::Malformed);
    }
    serde_json::from_str(text).map_err(|_| TokenError::Malformed)
}

/// Whether a member is there, whatever it says, `null` included.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A member that may be left out, but that is of its type when it is there: `null` is not.
pub(super) fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

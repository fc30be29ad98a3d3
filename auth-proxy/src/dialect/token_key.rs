//! [`TokenKeySource`]: what a family derives the key of its tokens from, besides the secret.

/// The inputs of HKDF-SHA256 (RFC 5869) besides the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenKeySource {
    pub(crate) salt: String,
    pub(crate) info: String,
}

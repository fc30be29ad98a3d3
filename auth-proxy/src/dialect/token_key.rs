//! [`TokenKeySource`]: what a family derives the key of its tokens from, besides the secret. [`CookieCacheMarks`]: how
//! it marks a cookie cache.

/// The inputs of HKDF-SHA256 (RFC 5869) besides the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenKeySource {
    pub(crate) salt: String,
    pub(crate) info: String,
}

/// What tells a cookie cache from other data that is signed with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CookieCacheMarks {
    /// The version of the data. A cache without one has this version too.
    pub(crate) version: &'static str,
    /// The `typ` of a cache that is signed with a public key.
    pub(crate) typ: &'static str,
    /// The `aud` of a cache that is signed with a public key.
    pub(crate) audience: &'static str,
}

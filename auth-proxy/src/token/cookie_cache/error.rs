//! Why a cookie cache is not used.

use std::fmt;

use crate::token::error::TokenError;

/// Why a cookie cache is not used. For debug logs only: the upstream is asked instead. Contains no part of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotUsable {
    /// The session cookie is not signed with the current secret.
    SessionCookie,
    /// The cache is longer than any that is read.
    TooLong,
    /// The cache does not have the parts, the encoding or the JSON of its form.
    Malformed,
    /// The cache names an algorithm or a type that is not configured.
    Unsupported,
    /// The cache names a key that is not known.
    UnknownKey,
    /// The signature or the encryption of the cache is wrong.
    Tampered,
    /// A field of the session or the user is missing, or has another type.
    Fields,
    /// The cache belongs to another session than the session cookie.
    OtherSession,
    /// The cache contains the session of one user and the data of another.
    OtherUser,
    /// The cache is for another audience, or from another issuer.
    OtherApp,
    /// The cache has another version.
    Version,
    /// The cache is not valid yet.
    NotYetValid,
    /// The cache has expired.
    Expired,
    /// The session has expired.
    SessionExpired,
}

impl From<TokenError> for NotUsable {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Malformed => Self::Malformed,
            TokenError::Tampered => Self::Tampered,
            TokenError::UnknownKey => Self::UnknownKey,
            TokenError::Expired => Self::Expired,
            TokenError::NotYetValid => Self::NotYetValid,
            TokenError::NotASession => Self::Fields,
            TokenError::Audience | TokenError::Issuer => Self::OtherApp,
            TokenError::Unsupported => Self::Unsupported,
        }
    }
}

impl fmt::Display for NotUsable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SessionCookie => "the session cookie is not signed with the current secret",
            Self::TooLong => "the cookie cache is too long",
            Self::Malformed => "the cookie cache does not have the configured form",
            Self::Unsupported => "the cookie cache has an algorithm or a type that is not configured",
            Self::UnknownKey => "the cookie cache names an unknown key",
            Self::Tampered => "the cookie cache is not signed or encrypted with a configured key",
            Self::Fields => {
                "the cookie cache lacks a field of the session or the user, or one has another type"
            }
            Self::OtherSession => "the cookie cache belongs to another session",
            Self::OtherUser => "the cookie cache contains the session of another user",
            Self::OtherApp => "the cookie cache has another audience or issuer",
            Self::Version => "the cookie cache has another version",
            Self::NotYetValid => "the cookie cache is not valid yet",
            Self::Expired => "the cookie cache has expired",
            Self::SessionExpired => "the session in the cookie cache has expired",
        })
    }
}

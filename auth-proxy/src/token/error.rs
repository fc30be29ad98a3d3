//! Why a token is refused, and why a key cannot be used.

use std::fmt;

use crate::error::{AuthError, Reason};

/// Why a token is refused. Contains no part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// The text does not have the parts, the encoding or the JSON of a token.
    Malformed,
    /// No configured key decrypts or verifies the token.
    Tampered,
    /// The token names a key that is not configured.
    UnknownKey,
    /// The token has expired.
    Expired,
    /// The token is not valid yet.
    NotYetValid,
    /// The token names no user, so it is not a session token.
    NotASession,
    /// The token is for another audience.
    Audience,
    /// The token is from another issuer.
    Issuer,
    /// The token has an algorithm or encryption that is not configured.
    Unsupported,
}

impl From<TokenError> for AuthError {
    fn from(error: TokenError) -> Self {
        let reason = match error {
            TokenError::Malformed => Reason::TOKEN_MALFORMED,
            TokenError::Tampered => Reason::TOKEN_TAMPERED,
            TokenError::UnknownKey => Reason::TOKEN_UNKNOWN_KEY,
            TokenError::Expired => Reason::TOKEN_EXPIRED,
            TokenError::NotYetValid => Reason::TOKEN_NOT_YET_VALID,
            TokenError::NotASession => Reason::TOKEN_NOT_A_SESSION,
            TokenError::Audience => Reason::TOKEN_WRONG_AUDIENCE,
            TokenError::Issuer => Reason::TOKEN_WRONG_ISSUER,
            TokenError::Unsupported => Reason::TOKEN_UNSUPPORTED,
        };
        AuthError::new(reason)
    }
}

/// Why a key cannot be used. Contains no part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    Derivation,
    Randomness,
    Pem,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Derivation => "the key cannot be derived",
            Self::Randomness => "the operating system gives no random bytes",
            Self::Pem => "not a public key of this algorithm in PEM",
        })
    }
}

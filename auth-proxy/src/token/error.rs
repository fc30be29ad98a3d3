use std::fmt;

use crate::error::{AuthError, Reason};

/// Why a token is no good. Never says anything of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// Not the shape, the encoding or the JSON of a token.
    Malformed,
    /// Does not decrypt or verify under any configured key.
    Tampered,
    /// Names a key that is not configured.
    UnknownKey,
    /// Has expired.
    Expired,
    /// Is not valid yet.
    NotYetValid,
    /// Is no session: it names nobody.
    NotASession,
    /// Is for another audience.
    Audience,
    /// Is of another issuer.
    Issuer,
    /// Is protected in a way that is not configured.
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

/// Why a key cannot be used. Never holds the key.
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

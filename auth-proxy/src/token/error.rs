use crate::error::{AuthError, Reason};

/// Why a token is no good. Never says anything of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("not the shape, the encoding or the JSON of a token")]
    Malformed,
    #[error("does not decrypt or verify under any configured key")]
    Tampered,
    #[error("names a key that is not configured")]
    UnknownKey,
    #[error("has expired")]
    Expired,
    #[error("is not valid yet")]
    NotYetValid,
    #[error("is protected in a way that is not configured")]
    Unsupported,
    #[error("is too large")]
    TooLarge,
    #[error("the Authorization header is not well formed")]
    BearerMalformed,
}

impl From<TokenError> for AuthError {
    fn from(error: TokenError) -> Self {
        let reason = match error {
            TokenError::Malformed => Reason::TOKEN_MALFORMED,
            TokenError::Tampered => Reason::TOKEN_TAMPERED,
            TokenError::UnknownKey => Reason::TOKEN_UNKNOWN_KEY,
            TokenError::Expired => Reason::TOKEN_EXPIRED,
            TokenError::NotYetValid => Reason::TOKEN_NOT_YET_VALID,
            TokenError::Unsupported => Reason::TOKEN_UNSUPPORTED,
            TokenError::TooLarge => Reason::TOKEN_TOO_LARGE,
            TokenError::BearerMalformed => Reason::BEARER_MALFORMED,
        };
        AuthError::new(reason).by_bearer(error == TokenError::BearerMalformed)
    }
}

/// Why a key cannot be used. Never holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the key cannot be derived")]
    Derivation,
    #[error("the operating system gives no random bytes")]
    Randomness,
    #[error("not a public key of this algorithm in PEM")]
    Pem,
}

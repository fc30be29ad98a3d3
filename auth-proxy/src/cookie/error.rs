//! Why the credential of a request cannot be used.

use crate::error::{AuthError, Reason};

/// Why the credential of a request cannot be used. Contains no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialError {
    /// The cookies are too large.
    TooLarge,
    /// The Bearer token is too large.
    BearerTooLarge,
    /// The token is larger than the `Cookie` line of a lookup may be.
    LookupTooLarge,
    /// Two session tokens were sent, and it is not known which of them the upstream would read.
    Ambiguous,
    /// The `Authorization` header is not well formed.
    BearerMalformed,
}

impl From<CredentialError> for AuthError {
    fn from(error: CredentialError) -> Self {
        let reason = match error {
            CredentialError::TooLarge | CredentialError::BearerTooLarge => Reason::TOKEN_TOO_LARGE,
            CredentialError::LookupTooLarge => Reason::LOOKUP_TOO_LARGE,
            CredentialError::Ambiguous => Reason::TOKEN_AMBIGUOUS,
            CredentialError::BearerMalformed => Reason::BEARER_MALFORMED,
        };
        let is_bearer = matches!(error, CredentialError::BearerMalformed | CredentialError::BearerTooLarge);
        AuthError::new(reason).by_bearer(is_bearer)
    }
}

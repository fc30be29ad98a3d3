//! The span of the verification of one token.

use tracing::Span;
use tracing::field::Empty;

use super::metrics::{NONE, VERIFICATIONS, count};

/// The decryption or the verification of a token, or the recognition of one that was verified before.
pub(crate) struct Verification(Span);

impl Verification {
    pub(crate) fn begin() -> Self {
        Self(tracing::debug_span!(
            target: "auth_proxy::token",
            "token verification",
            auth.outcome = Empty,
            auth.code = Empty,
            auth.source = "token",
        ))
    }

    /// Ends the span. `code` is that of the error.
    pub(crate) fn end(self, outcome: &'static str, code: Option<&'static str>) {
        count(VERIFICATIONS, [outcome, code.unwrap_or(NONE)]);
        self.0.record("auth.outcome", outcome);
        if let Some(code) = code {
            self.0.record("auth.code", code);
        }
    }
}

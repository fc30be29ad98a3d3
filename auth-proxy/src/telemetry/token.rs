//! The span of the verification of one token.

use tracing::Span;
use tracing::field::Empty;

use super::metrics::{VERIFICATIONS, code as label, count};

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

    /// Ends the span. `code` is that of the error, or empty.
    pub(crate) fn end(self, outcome: &'static str, code: &'static str) {
        count(VERIFICATIONS, [outcome, label(code)]);
        self.0.record("auth.outcome", outcome);
        if !code.is_empty() {
            self.0.record("auth.code", code);
        }
    }
}

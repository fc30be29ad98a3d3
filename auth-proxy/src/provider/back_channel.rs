//! Logout tokens of the issuer (OpenID Connect Back-Channel Logout 1.0): verifies one, and accepts it once.

use std::sync::Arc;

use crate::error::{AuthError, Reason};
use crate::jwks::Issuer;
use crate::revocation::{Handling, NameHash, SeenMessages};
use crate::token::LogoutToken;

/// What takes logout tokens, with `revocation.back_channel`.
pub(crate) struct BackChannel {
    issuer: Arc<Issuer>,
    seen: SeenMessages,
}

impl BackChannel {
    pub(super) fn new(issuer: Arc<Issuer>) -> Self {
        Self { issuer, seen: SeenMessages::default() }
    }

    /// Verifies a logout token at `now` (seconds since the Unix epoch), and begins to handle it. `hash_of` computes the
    /// hash of its `jti`.
    ///
    /// # Errors
    /// `logout_token_malformed` to `logout_token_replayed`, and `keys_unavailable`.
    pub(super) async fn accept(
        &self,
        token: &str,
        now: u64,
        hash_of: impl FnOnce(&str) -> NameHash,
    ) -> Result<(LogoutToken, Handling<'_>), AuthError> {
        let token = self.issuer.verify_logout(token, now).await?;
        let handling = self.seen.begin(hash_of(&token.jti), token.issued_at, now);
        let handling = handling.ok_or_else(|| AuthError::new(Reason::LOGOUT_TOKEN_REPLAYED))?;
        Ok((token, handling))
    }
}

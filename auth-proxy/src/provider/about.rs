//! Whom an audit event is about.

use http::request::Parts;
use zeroize::Zeroizing;

use super::{Shared, TokenVerifier};
use crate::audit::{About, SessionHash};
use crate::forwarded::ClientInfo;
use crate::session::mapping;

impl Shared {
    /// What is known of a request without checking its token.
    pub(crate) fn about(&self, parts: &Parts) -> About {
        About {
            subject: None,
            session: self.token_of(parts).map(|token| self.session_hash(&token)),
            client: ClientInfo::address_of(parts, &self.settings),
        }
    }

    /// The token of a request that may sign out, and the user of its session if this process remembers it. Any spelling of
    /// the token counts: the sign-out ends the session by each.
    pub(crate) fn signing_out(&self, parts: &Parts) -> Option<(Zeroizing<String>, Option<String>)> {
        let token = self.token_of(parts)?;
        let session = self.sessions.remembered(&self.keys.session(&token));
        let subject = session.and_then(|session| mapping::subject(self.dialect, &session.raw()));
        Some((token, subject))
    }

    /// The session token of a request, as it was sent.
    fn token_of(&self, parts: &Parts) -> Option<Zeroizing<String>> {
        let found = self.candidate(&parts.headers, self.names_of(Some(parts))).ok().flatten()?;
        found.token().ok().map(|token| token.into_owned().into())
    }

    /// The hash that names a session token in audit events. A token that the webhook revokes by its hash has the same one.
    pub(crate) fn session_hash(&self, token: &str) -> SessionHash {
        SessionHash::new(self.keys.revoked_token(token))
    }

    /// The user of a token that is decoded here with a secret. `None` for another token. It waits for nothing.
    pub(crate) async fn subject_of(&self, token: &str) -> Option<String> {
        // For the published keys of an issuer, it might have to wait.
        let Some(TokenVerifier::Own(_)) = self.verifier else { return None };
        self.verified_text(token).await?.names().sub
    }
}

//! The session of a request for an answer in place of the upstream's (`session.answer_session: cached`).

use std::time::Duration;

use super::RequestAuth;
use crate::config::Source;
use crate::error::AuthError;
use crate::provider::AuthProxy;
use crate::session::CachedSession;
use crate::token::Verified;

impl<P: AuthProxy> RequestAuth<'_, P> {
    /// The session of this request, if it may be shown to the page in place of the upstream's answer. It is that of
    /// [`Session`](crate::Session), also if the user does not fit the app's type: a page has its own. `None` if the upstream
    /// has to be asked: without a session cookie, and when the upstream's answer would extend the session or renew its cookie.
    ///
    /// # Errors
    /// Those of [`session`](Self::session).
    pub(super) async fn session_to_answer(&self) -> Result<Option<CachedSession>, AuthError> {
        // The session route of the upstream may not read a Bearer token, or not as a lookup does.
        let Some(credential) = self.credential()?.filter(|credential| !credential.is_bearer()) else {
            return Ok(None);
        };
        let Some(session) = self.cached_session().await? else { return Ok(None) };
        if session.is_stale() {
            return Ok(Some(session));
        }
        let shared = self.proxy().shared();
        let asks_upstream = match shared.settings.source {
            Source::Local => match self.verified().await? {
                Some(verified) => is_renewal_due(&verified, shared.settings.renew, shared.now()),
                None => true,
            },
            Source::Upstream | _ => {
                let key = shared.keys.session(credential.token());
                if self.is_asked() {
                    shared.sessions.note_shown(key);
                }
                // A server can change what pages get of a copy: `customSession` of Better Auth.
                session.is_copy()
                    || session.raw().needs_refresh
                    || shared.sessions.is_answer_due(key, &session)
            }
        };
        Ok((!asks_upstream).then_some(session))
    }
}

/// Whether it is time that the upstream renews a token that is decoded here: it was issued longer ago than `after`, or more
/// than half of its life is over. `now` is in seconds since the Unix epoch. A token that does not say when it was issued may be
/// due at any time.
fn is_renewal_due(verified: &Verified, after: Duration, now: u64) -> bool {
    let names = verified.names();
    let issued = names.issued_at();
    if issued == 0 {
        return true;
    }
    let age = now.saturating_sub(issued);
    let is_late = names.expires().is_some_and(|expires| age > expires.saturating_sub(issued) / 2);
    Duration::from_secs(age) >= after || is_late
}

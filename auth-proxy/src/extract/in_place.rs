//! The session of a request for an answer in place of the upstream's (`session.answer_session: cached`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::RequestAuth;
use crate::config::Source;
use crate::error::AuthError;
use crate::provider::AuthProxy;
use crate::session::{CachedSession, is_late};
use crate::token::Verified;

impl<P: AuthProxy> RequestAuth<'_, P> {
    /// The session that [`Session`](crate::Session) gives for this request, if it may be shown to the page in place of the
    /// upstream's answer. `None` if the upstream has to be asked: without a session cookie, and when the upstream's answer
    /// would extend the session or renew its cookie.
    ///
    /// # Errors
    /// Those of [`session`](Self::session).
    pub(super) async fn session_to_answer(&self) -> Result<Option<CachedSession>, AuthError> {
        // The session route of the upstream may not read a Bearer token, or not as a lookup does.
        let Some(credential) = self.credential()?.filter(|credential| !credential.is_bearer()) else {
            return Ok(None);
        };
        let Some((_, session)) = self.session_and_raw().await? else { return Ok(None) };
        if session.is_stale() {
            return Ok(Some(session));
        }
        let shared = self.proxy().shared();
        let now = SystemTime::now();
        let asks_upstream = match shared.settings.source {
            Source::Local => match self.verified().await? {
                Some(verified) => is_renewal_due(&verified, shared.settings.renew, shared.now()),
                None => true,
            },
            Source::Upstream | _ => {
                let key = shared.keys.session(credential.token());
                let is_due = || !self.is_renewed() && shared.sessions.is_renewal_due(key);
                session.raw().needs_refresh || session.is_late(now) || is_due()
            }
        };
        Ok((!asks_upstream).then_some(session))
    }
}

/// Whether it is time that the upstream renews a token that is decoded here. `now` is in seconds since the Unix epoch. A
/// token that does not say when it was issued may be due at any time.
fn is_renewal_due(verified: &Verified, after: Duration, now: u64) -> bool {
    let names = verified.names();
    let at = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    let (issued, now) = match (names.issued_at(), at(now)) {
        (1.., Some(now)) => (at(names.issued_at()), now),
        _ => return true,
    };
    let Some(issued) = issued else { return true };
    let until = names.expires().and_then(at);
    now.duration_since(issued).unwrap_or_default() >= after
        || until.is_some_and(|until| is_late(issued, until, 2, now))
}

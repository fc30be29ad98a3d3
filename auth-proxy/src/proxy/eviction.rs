//! Evicts the cached sessions that a forwarded request changes, and drops session cookies from outdated responses.

use std::sync::Arc;

use http::HeaderMap;
use http::header::SET_COOKIE;
use http::request::Parts;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::plan::Plan;
use crate::audit::{About, SignedInBy};
use crate::cookie::{SetCookieKind, drop_set_cookies, every_token, token_after};
use crate::dialect::Purpose;
use crate::provider::Shared;
use crate::session::{End, SessionKey, SessionSnapshot, Sessions};

/// The cached sessions of a forwarded request, and whether the request changes them.
///
/// A request that signs in or out, or changes the session, evicts its cached sessions twice: before it is sent and
/// after the upstream has responded, because a lookup in between still finds the old state. The response to any other
/// request is outdated if such a request was answered while it was under way. The session cookies of an outdated
/// response are dropped.
pub(super) struct Eviction {
    sessions: Arc<Sessions>,
    keys: Vec<SessionKey>,
    /// The tokens of the request, if its sign-out revokes them.
    revocable: Vec<String>,
    /// The token of the request and the user of its session, if there is an observer and the request may sign out.
    signing_out: Option<(Zeroizing<String>, Option<String>)>,
    snapshots: Vec<SessionSnapshot>,
    /// Whether the request changes its sessions, so that they must be evicted.
    evicts: bool,
    /// Whether this is a `/session` request with a token whose session ended shortly before: the browser may have sent
    /// the request before that.
    is_overtaken: bool,
}

/// What is known of a request after the upstream has responded.
#[derive(Clone, Copy, Debug)]
struct AnsweredRequest {
    /// The request signs in or out, or changes the session.
    evicts: bool,
    /// The request only reads the session, and every response renews the cookie.
    renews: bool,
    is_overtaken: bool,
    /// Another request changed the session meanwhile.
    is_outdated: bool,
    /// The response sets a session cookie.
    sets: bool,
    /// The response clears a session cookie.
    clears: bool,
}

impl AnsweredRequest {
    /// How the response ends the cached sessions. `None` if they stay valid.
    fn end(self) -> Option<End> {
        // A token that became shorter clears its surplus chunks and sets the others. That is not a sign-out.
        let signs_out = self.clears && !self.sets && !self.is_outdated;
        let changes = self.evicts || ((signs_out || self.sets) && !self.renews);
        match (changes, self.sets || self.clears) {
            (true, true) => Some(End::Changed),
            (true, false) => Some(End::Requested),
            (false, _) => signs_out.then_some(End::Refused),
        }
    }

    /// Whether the visitor signed out: the request was meant to change the session, and its response clears the cookie.
    fn is_sign_out(self) -> bool {
        self.evicts && self.clears && !self.sets
    }

    /// Whether an outdated response may still clear cookies in the browser. A sign-out may, even if another request was
    /// answered first. A response that also sets a session cookie is not a sign-out.
    fn keeps_clearing_cookies(self) -> bool {
        self.evicts && !self.is_overtaken && !self.sets
    }
}

impl Eviction {
    /// Collects the sessions of every token in these headers, since only the upstream knows which token it reads.
    /// Evicts the sessions if the request changes them.
    pub(super) fn begin(shared: &Shared, parts: &Parts, purpose: &Purpose) -> Self {
        let headers = &parts.headers;
        let evicts = purpose.evicts_sessions;
        let tokens = every_token(headers, shared.names.all().iter().map(|name| name.browser.as_str()));
        let keys: Vec<_> = tokens.iter().map(|token| shared.keys.session(token)).collect();
        let sessions = Arc::clone(&shared.sessions);
        let is_overtaken = purpose.is_session && keys.iter().any(|key| !sessions.snapshot(*key).may_relay());
        let signing_out = if evicts && shared.audit.is_on() { shared.signing_out(parts) } else { None };
        if evicts {
            // Not waited for: the end that follows the response is.
            drop(sessions.end(&keys, End::Requested));
        }
        let snapshots = keys.iter().map(|key| sessions.snapshot(*key)).collect();
        let revocable = if evicts { shared.revocable_tokens(headers) } else { Vec::new() };
        Self { sessions, keys, revocable, signing_out, snapshots, evicts, is_overtaken }
    }

    /// Evicts the sessions again if the request or its response changes them, and drops the session cookies of an
    /// outdated response. `headers` are those of the response, with the browser's cookie names. It waits until other
    /// instances know of the end, or until `deadline`.
    pub(super) async fn finish(
        mut self,
        shared: &Shared,
        headers: &mut HeaderMap,
        plan: &Plan,
        deadline: Instant,
    ) {
        let purpose = &plan.purpose;
        let renews = purpose.renews();
        let cookies = headers.get_all(SET_COOKIE).iter();
        let kinds: Vec<_> =
            cookies.filter_map(|cookie| shared.names.set_cookie_kind(cookie.as_bytes())).collect();
        let answer = AnsweredRequest {
            evicts: self.evicts,
            renews,
            is_overtaken: self.is_overtaken,
            is_outdated: self.is_outdated(),
            sets: kinds.contains(&SetCookieKind::Sets),
            clears: kinds.contains(&SetCookieKind::Clears),
        };
        let keys = std::mem::take(&mut self.keys);
        // An upstream may clear its cookies for anyone. Without a session token there was nobody to sign out.
        if answer.is_sign_out() && !keys.is_empty() {
            let about = about(shared, self.signing_out.take(), plan).await;
            shared.audit.signed_out(|| about);
            self.sessions.sign_out(&keys);
            let revocations = shared.revocations_of(&self.revocable).await;
            timeout_at(deadline, self.sessions.revoke(revocations, shared.now())).await.ok();
        }
        if let Some(end) = answer.end() {
            timeout_at(deadline, self.sessions.end(&keys, end)).await.ok();
        }
        if answer.is_outdated {
            if answer.sets {
                tracing::debug!(
                    target: "auth_proxy::proxy",
                    "dropping renewed session cookies: the session was changed meanwhile"
                );
            }
            drop_set_cookies(headers, |cookie| match shared.names.family_cookie_kind(cookie) {
                Some(SetCookieKind::Sets) => true,
                Some(SetCookieKind::Clears) => !answer.keeps_clearing_cookies(),
                None => false,
            });
        } else if answer.sets
            && let Some(token) = next_token(shared, headers)
        {
            let next = shared.keys.session(&token);
            // Only the upstream knows which of several tokens it renewed, so each counts as renewed.
            for snapshot in self.snapshots.iter().filter(|_| renews) {
                self.sessions.note_renewed(snapshot, next);
            }
            self.sessions.note_issued(next);
            // A request with the same session changes it, and one for `/session` renews it.
            if !purpose.is_session && !keys.contains(&next) {
                let about = about(shared, Some((token.into(), None)), plan).await;
                shared.audit.signed_in(signed_in_by(plan), || about);
            }
        }
    }

    /// Notes that a page gets the upstream's answer to its request for the session.
    pub(super) fn note_session_answered(&self) {
        self.keys.iter().for_each(|key| self.sessions.note_shown(*key));
    }

    /// Whether the session was changed since the request began. Of two requests that change the session, the one that
    /// is answered first counts.
    fn is_outdated(&self) -> bool {
        let has_changed = |snapshot: &SessionSnapshot| {
            if self.evicts { snapshot.was_changed() } else { snapshot.was_ended() }
        };
        self.is_overtaken || self.snapshots.iter().any(has_changed)
    }

    /// Evicts the sessions again: the upstream did not respond, but it may have executed the request. It waits for
    /// their removal until `deadline`.
    pub(super) async fn failed(mut self, deadline: Instant) {
        let keys = std::mem::take(&mut self.keys);
        if self.evicts {
            timeout_at(deadline, self.sessions.end(&keys, End::Unanswered)).await.ok();
        }
    }

    /// Ends this eviction without a second round: the request was not sent, so the upstream changed nothing.
    pub(super) fn unsent(mut self) {
        self.keys.clear();
    }
}

impl Drop for Eviction {
    /// Evicts the sessions again if the visitor disconnects before the response: the upstream still executes the
    /// request.
    fn drop(&mut self) {
        let has_runtime = || tokio::runtime::Handle::try_current().is_ok();
        if self.evicts && !self.keys.is_empty() && has_runtime() {
            drop(self.sessions.end(&self.keys, End::Unanswered));
        }
    }
}

/// How a request led to a new session. A provider may post the visitor's browser to its callback (OAuth 2.0 Form Post
/// Response Mode).
fn signed_in_by(plan: &Plan) -> SignedInBy {
    match plan {
        Plan { purpose: Purpose { switches_session: true, .. }, .. } => SignedInBy::Switched,
        Plan { is_post: true, is_of_known_page: true, .. } => SignedInBy::Form,
        _ => SignedInBy::Callback,
    }
}

/// Whom an event about this token is about. `subject` is its user, if known. It is empty without an observer.
async fn about(shared: &Shared, token: Option<(Zeroizing<String>, Option<String>)>, plan: &Plan) -> About {
    let client = plan.client.address();
    match token {
        Some((token, subject)) if shared.audit.is_on() => {
            let subject = match subject {
                None => shared.subject_of(&token).await,
                known => known,
            };
            About { subject, session: Some(shared.session_hash(&token)), client }
        }
        _ => About { client, ..About::default() },
    }
}

/// The token that the response gives the browser.
fn next_token(shared: &Shared, headers: &HeaderMap) -> Option<String> {
    let opaque = shared.is_opaque();
    let mut names = shared.names.all().iter();
    names.find_map(|name| {
        token_after(
            headers.get_all(SET_COOKIE).iter().map(http::HeaderValue::as_bytes),
            &name.browser,
            opaque,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_cookie_of_a_response_decides_how_sessions_end() {
        let (yes, no) = (true, false);
        // evicts, renews, outdated, sets, clears
        for (given, end) in [
            // A form that signs in, a form that signs out, and a form that the upstream refused.
            ([yes, no, no, yes, no], Some(End::Changed)),
            ([yes, no, no, no, yes], Some(End::Changed)),
            ([yes, no, no, no, no], Some(End::Requested)),
            // A page, not a form, that signs out or sets a session.
            ([no, no, no, no, yes], Some(End::Changed)),
            ([no, no, no, yes, no], Some(End::Changed)),
            ([no, no, no, no, no], None),
            // `GET session`: a renewal, a renewal with fewer chunks, and an invalid cookie.
            ([no, yes, no, yes, no], None),
            ([no, yes, no, yes, yes], None),
            ([no, yes, no, no, yes], Some(End::Refused)),
            // The session was changed by another request first.
            ([no, yes, yes, no, yes], None),
            ([no, no, yes, no, yes], None),
        ] {
            let [evicts, renews, is_outdated, sets, clears] = given;
            let answered = AnsweredRequest { evicts, renews, is_overtaken: no, is_outdated, sets, clears };
            assert!(answered.end() == end, "{answered:?}");
        }
    }

    #[test]
    fn outdated_response_clears_cookies_only_after_a_sign_out() {
        let sign_out = AnsweredRequest {
            evicts: true,
            renews: false,
            is_overtaken: false,
            is_outdated: true,
            sets: false,
            clears: true,
        };
        assert!(sign_out.keeps_clearing_cookies());
        for other in [
            AnsweredRequest { evicts: false, ..sign_out },
            AnsweredRequest { is_overtaken: true, ..sign_out },
            AnsweredRequest { sets: true, ..sign_out },
        ] {
            assert!(!other.keeps_clearing_cookies(), "{other:?}");
        }
    }
}

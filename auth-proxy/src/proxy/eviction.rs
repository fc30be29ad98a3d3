//! What a forwarded request does to the sessions that are known here.

use std::sync::Arc;

use http::HeaderMap;
use http::header::SET_COOKIE;

use super::purpose::Purpose;
use crate::cookie::{SetCookieKind, drop_set_cookies, every_token, token_after};
use crate::provider::Shared;
use crate::session::{End, Generation, SessionKey, Sessions};

/// What a forwarded request does to the sessions that are cached here.
///
/// A request that signs in or out, or changes the session, ends its cached sessions twice: before it is sent, and when the
/// upstream has answered, since a lookup in between still finds the old state. The answer to another request is outdated
/// when such a request was answered in between: its session cookies are dropped.
pub(super) struct Eviction {
    sessions: Arc<Sessions>,
    keys: Vec<SessionKey>,
    generations: Vec<Generation>,
    /// Whether the request ends the sessions.
    ends: bool,
    /// Whether it asks for the session, or updates it, by a token that was ended a short time before: the browser may have
    /// sent it before the end.
    is_overtaken: bool,
}

/// What is known of a request once the upstream has answered.
#[derive(Clone, Copy, Debug)]
struct Answered {
    /// The request signs in or out, or changes the session.
    ends: bool,
    /// The request only asked for the session.
    renews: bool,
    is_overtaken: bool,
    /// The session was changed by another request meanwhile.
    is_outdated: bool,
    /// The answer sets a session cookie.
    sets: bool,
    /// The answer clears a session cookie.
    clears: bool,
}

impl Answered {
    /// How the answer ends the sessions; `None` when they go on.
    fn end(self) -> Option<End> {
        // A token that became shorter clears its old chunks and sets the new ones: that is no sign-out.
        let is_over = self.clears && !self.sets && !self.is_outdated;
        let changes = self.ends || ((is_over || self.sets) && !self.renews);
        match (changes, self.sets || self.clears) {
            (true, true) => Some(End::Changed),
            (true, false) => Some(End::Begun),
            (false, _) => is_over.then_some(End::Refused),
        }
    }

    /// Whether the cookies that an outdated answer clears reach the browser: a sign-out counts even when another request
    /// was answered first. An answer that sets a session cookie too is no sign-out.
    fn keeps_clearing_cookies(self) -> bool {
        self.ends && !self.is_overtaken && !self.sets
    }
}

impl Eviction {
    /// Notes the sessions of every token that these headers carry, since only the upstream knows which of them it reads.
    /// Ends them if the request does.
    pub(super) async fn begin(shared: &Shared, headers: &HeaderMap, purpose: &Purpose) -> Self {
        let ends = purpose.ends_sessions;
        let names = shared.names.all().iter();
        let tokens = names.flat_map(|name| every_token(headers, &name.browser));
        let keys: Vec<_> = tokens.map(|token| shared.keys.session(&token)).collect();
        let sessions = Arc::clone(&shared.sessions);
        let is_overtaken =
            purpose.is_session && keys.iter().any(|key| !sessions.generation(*key).may_relay());
        if ends {
            for key in &keys {
                sessions.end(*key, End::Begun).await;
            }
        }
        let generations = keys.iter().map(|key| sessions.generation(*key)).collect();
        Self { sessions, keys, generations, ends, is_overtaken }
    }

    /// Ends the sessions again if the request or its answer does, and drops the session cookies of an outdated answer.
    /// `headers` are those of the answer, with the cookie names of the browser; `renews` says that the request only asked
    /// for the session, so that every answer renews the cookie.
    pub(super) async fn finish(mut self, shared: &Shared, headers: &mut HeaderMap, renews: bool) {
        let cookies = headers.get_all(SET_COOKIE).iter();
        let kinds: Vec<_> = cookies.filter_map(|cookie| shared.names.concern(cookie.as_bytes())).collect();
        let answer = Answered {
            ends: self.ends,
            renews,
            is_overtaken: self.is_overtaken,
            is_outdated: self.is_outdated(),
            sets: kinds.contains(&SetCookieKind::Sets),
            clears: kinds.contains(&SetCookieKind::Clears),
        };
        if let Some(end) = answer.end() {
            for key in &self.keys {
                self.sessions.end(*key, end).await;
            }
        }
        // Not before: when the visitor disconnects while sessions are ended, dropping this ends the rest.
        self.keys.clear();
        if answer.is_outdated {
            if answer.sets {
                tracing::debug!(
                    target: "auth_proxy::proxy",
                    "dropping renewed session cookies: the session was changed meanwhile"
                );
            }
            drop_set_cookies(headers, |cookie| match shared.names.concern(cookie) {
                Some(SetCookieKind::Sets) => true,
                Some(SetCookieKind::Clears) => !answer.keeps_clearing_cookies(),
                None => false,
            });
        } else if answer.sets
            && let Some(next) = next_token(shared, headers)
        {
            // Only the upstream knows which of several tokens it renewed.
            for generation in self.generations.iter().filter(|_| renews) {
                self.sessions.renewed(generation, next);
            }
            self.sessions.issued_now(next);
        }
    }

    /// Whether the session was changed since the request began. Of two requests that change the session, the one that is
    /// answered first counts.
    fn is_outdated(&self) -> bool {
        let is = |generation: &Generation| {
            if self.ends { generation.was_changed() } else { !generation.is_current() }
        };
        self.is_overtaken || self.generations.iter().any(is)
    }

    /// Ends the sessions again: the upstream did not answer, but it may have done what the request asked for.
    pub(super) async fn failed(mut self) {
        if self.ends {
            for key in &self.keys {
                self.sessions.end(*key, End::Unanswered).await;
            }
        }
        self.keys.clear();
    }

    /// The request was not sent: it ended nothing at the upstream.
    pub(super) fn unsent(mut self) {
        self.keys.clear();
    }
}

impl Drop for Eviction {
    /// The visitor disconnected before the answer came. The upstream goes on nevertheless.
    fn drop(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        if !self.ends || keys.is_empty() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let sessions = Arc::clone(&self.sessions);
        runtime.spawn(async move {
            for key in keys {
                sessions.end(key, End::Unanswered).await;
            }
        });
    }
}

/// The session of the token that the browser has after an answer.
fn next_token(shared: &Shared, headers: &HeaderMap) -> Option<SessionKey> {
    let opaque = shared.is_opaque();
    let mut names = shared.names.all().iter();
    let token = names.find_map(|name| {
        token_after(
            headers.get_all(SET_COOKIE).iter().map(http::HeaderValue::as_bytes),
            &name.browser,
            opaque,
        )
    });
    token.map(|token| shared.keys.session(&token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_end_sessions_by_what_they_do_to_the_cookie() {
        let (yes, no) = (true, false);
        // ends, renews, outdated, sets, clears
        for (given, end) in [
            // A form that signs in, one that signs out, one that the upstream refused.
            ([yes, no, no, yes, no], Some(End::Changed)),
            ([yes, no, no, no, yes], Some(End::Changed)),
            ([yes, no, no, no, no], Some(End::Begun)),
            // A page that signs out, or sets a session, without being a form.
            ([no, no, no, no, yes], Some(End::Changed)),
            ([no, no, no, yes, no], Some(End::Changed)),
            ([no, no, no, no, no], None),
            // `GET session`: a renewal, chunks that became fewer, an invalid cookie.
            ([no, yes, no, yes, no], None),
            ([no, yes, no, yes, yes], None),
            ([no, yes, no, no, yes], Some(End::Refused)),
            // The same, answered after another request changed the session.
            ([no, yes, yes, no, yes], None),
            ([no, no, yes, no, yes], None),
        ] {
            let [ends, renews, is_outdated, sets, clears] = given;
            let answered = Answered { ends, renews, is_overtaken: no, is_outdated, sets, clears };
            assert!(answered.end() == end, "{answered:?}");
        }
    }

    #[test]
    fn only_a_sign_out_clears_cookies_after_another_change() {
        let sign_out = Answered {
            ends: true,
            renews: false,
            is_overtaken: false,
            is_outdated: true,
            sets: false,
            clears: true,
        };
        assert!(sign_out.keeps_clearing_cookies());
        for other in [
            Answered { ends: false, ..sign_out },
            Answered { is_overtaken: true, ..sign_out },
            Answered { sets: true, ..sign_out },
        ] {
            assert!(!other.keeps_clearing_cookies(), "{other:?}");
        }
    }
}

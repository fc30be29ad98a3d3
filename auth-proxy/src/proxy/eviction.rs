//! What a forwarded request does to the sessions that are known here.

use std::sync::Arc;

use http::HeaderMap;
use http::header::SET_COOKIE;

use crate::cookie::{SetCookieKind, drop_set_cookies, every_token, token_after};
use crate::provider::Shared;
use crate::session::{End, SessionKey, Sessions, Ticket};

/// What a forwarded request has to do with the sessions that are known here.
///
/// A request that signs in or out, or changes the session, ends what is known: before it, and again when the upstream
/// has answered, since a lookup in between still finds the old state. The answer to any other is out of date when one of
/// those was answered meanwhile: its session cookies go no further.
pub(super) struct Eviction {
    sessions: Arc<Sessions>,
    keys: Vec<SessionKey>,
    tickets: Vec<Ticket>,
    /// Whether the request ends what is known.
    ends: bool,
    /// Whether it asks for the session, or updates it, by a token that was ended a short time before: the browser may have
    /// sent it earlier.
    overtaken: bool,
}

impl Eviction {
    /// Takes note of the sessions that these headers carry, whatever the upstream makes of them, and ends what is known
    /// of them if the request does. `of_session` says that it asks for the session or updates it.
    pub(super) async fn begin(shared: &Shared, headers: &HeaderMap, ends: bool, of_session: bool) -> Self {
        let names = shared.names.all().iter();
        let tokens = names.flat_map(|name| every_token(headers, &name.browser));
        let keys: Vec<_> = tokens.map(|token| shared.keys.session(&token)).collect();
        let sessions = Arc::clone(&shared.sessions);
        let overtaken = of_session && keys.iter().any(|key| !sessions.ticket(*key).may_relay());
        if ends {
            for key in &keys {
                sessions.end(*key, End::Begun).await;
            }
        }
        let tickets = keys.iter().map(|key| sessions.ticket(*key)).collect();
        Self { sessions, keys, tickets, ends, overtaken }
    }

    /// Ends what is known again, if the request or its answer does, and takes the session cookies out of an answer that
    /// is out of date. `headers` are those of the answer, in the names of the browser; `renews` says that the request
    /// asked for the session and nothing else, whose answer renews the cookie each time.
    pub(super) async fn finish(mut self, shared: &Shared, headers: &mut HeaderMap, renews: bool) {
        // Of two requests that change the session, the one that is answered first counts. A sign-out always does.
        let is_out_of_date = self.overtaken
            || self
                .tickets
                .iter()
                .any(|ticket| if self.ends { ticket.was_changed() } else { !ticket.is_current() });
        let kinds = || {
            headers.get_all(SET_COOKIE).iter().filter_map(|cookie| shared.names.concern(cookie.as_bytes()))
        };
        let (sets, clears) = (
            kinds().any(|kind| kind == SetCookieKind::Sets),
            kinds().any(|kind| kind == SetCookieKind::Clears),
        );
        // A token that shrank clears its old chunks and sets the new ones.
        let is_over = clears && !sets && !is_out_of_date;
        for key in &self.keys {
            if self.ends || ((is_over || sets) && !renews) {
                let end = if sets || clears { End::Changed } else { End::Begun };
                self.sessions.end(*key, end).await;
            } else if is_over {
                self.sessions.end(*key, End::Refused).await;
            }
        }
        // Not before: a visitor who leaves meanwhile drops this, which ends the rest.
        self.keys.clear();
        if is_out_of_date && sets {
            tracing::debug!("dropping renewed session cookies: the session was changed meanwhile");
        }
        if is_out_of_date {
            // A sign-out that was overtaken is a sign-out all the same. An answer that sets a cookie too is not one.
            let ends = self.ends && !self.overtaken && !sets;
            drop_set_cookies(headers, |cookie| match shared.names.concern(cookie) {
                Some(SetCookieKind::Sets) => true,
                Some(SetCookieKind::Clears) => !ends,
                None => false,
            });
            return;
        }
        if sets && let Some(next) = next_token(shared, headers) {
            // Of which of several tokens it was renewed, the upstream alone knows.
            for ticket in self.tickets.iter().filter(|_| renews) {
                self.sessions.renewed(ticket, next);
            }
            self.sessions.given_now(next);
        }
    }

    /// Ends what is known again: the upstream did not answer, and may have done what it was asked for.
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
    /// The visitor went away before the answer came, and the upstream goes on all the same.
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

//! Notes which tokens browsers get, and decides which session cookies of a lookup they get.

use tokio::time::Instant;

use super::Sessions;
use crate::session::answer::Renewed;
use crate::session::family::SessionSnapshot;
use crate::session::key::SessionKey;

impl Sessions {
    /// Notes that a response gives the browser a token that was renewed from an earlier one.
    pub(crate) fn note_renewed(&self, snapshot: &SessionSnapshot, key: SessionKey) {
        self.local.families().add_renewed(snapshot, key);
        self.note_issued(key);
    }

    /// Notes that a response gives the browser the session cookies of a lookup.
    pub(crate) fn note_relayed(&self, renewed: &Renewed) {
        self.note_sent(renewed.sent);
        if let Some(next) = &renewed.next {
            self.local.families().add_renewed(&renewed.snapshot, next.session);
        }
    }

    /// Notes that a response gives the browser a token.
    pub(crate) fn note_issued(&self, key: SessionKey) {
        if let Some((_, issued)) = &self.issued {
            issued.insert(key, Instant::now());
        }
    }

    /// Notes that there are renewed cookies for a token, which the browser does not have yet.
    pub(super) fn note_unsent(&self, key: SessionKey) {
        if let Some(unsent) = self.unsent.as_ref().filter(|unsent| unsent.get(&key).is_none()) {
            unsent.insert(key, Instant::now());
        }
    }

    /// Notes that a response gives the browser the renewed cookies for a token.
    pub(crate) fn note_sent(&self, key: SessionKey) {
        if let Some(unsent) = &self.unsent {
            unsent.remove(&key);
        }
    }

    /// Whether it is time that the browser gets the renewed cookies for a token: they are there for `session.renew` since the
    /// browser got the token or, where it is not known when that was or each renewal is passed on, since that of the first
    /// lookup, for `session.renew` or for `session.cache`. The visitor would be signed out if only the cache answered.
    pub(crate) fn is_renewal_due(&self, key: SessionKey) -> bool {
        let Some(since) = self.unsent.as_ref().and_then(|unsent| unsent.get(&key)) else { return false };
        let (after, issued) = match &self.issued {
            Some((after, issued)) => (*after, issued.get(&key)),
            None => (self.max_age, None),
        };
        issued.unwrap_or(since).elapsed() >= after
    }

    /// Whether the session cookies of a lookup are relayed to the browser. Cookies that clear the session always are. A
    /// renewed token is relayed if the browser's present one was sent to it longer ago than `session.renew`.
    pub(crate) fn should_relay(&self, renewed: &Renewed) -> bool {
        let (Some((after, issued)), Some(next)) = (&self.issued, &renewed.next) else { return true };
        let is_due = issued.get(&renewed.sent).is_none_or(|since| since.elapsed() >= *after);
        if is_due {
            issued.insert(next.session, Instant::now());
        }
        is_due
    }
}

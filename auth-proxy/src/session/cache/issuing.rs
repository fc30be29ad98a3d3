//! Notes which tokens browsers get, and decides which session cookies of a lookup they get.

use tokio::time::Instant;

use super::Sessions;
use crate::session::answer::Renewed;
use crate::session::cached::CachedSession;
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
        if let Some(next) = &renewed.next {
            self.local.families().add_renewed(&renewed.snapshot, next.session);
            // A browser that sends the next token has got it. A cookie with the same token may be lost on the way.
            if next.session != renewed.sent {
                self.note_shown(next.session);
            }
        }
    }

    /// Notes that a response gives the browser a token.
    pub(crate) fn note_issued(&self, key: SessionKey) {
        if let Some((_, issued)) = &self.issued {
            issued.insert(key, Instant::now());
        }
        self.note_shown(key);
    }

    /// Notes that a page gets the upstream's own answer to its request for the session of a token, with the cookies that the
    /// upstream renews.
    pub(crate) fn note_shown(&self, key: SessionKey) {
        if let Some(shown) = &self.shown {
            shown.insert(key, Instant::now());
        }
    }

    /// Whether a page has to get the upstream's own answer, which renews the cookie of the visitor: it got none for
    /// `session.renew`, or for `session.cache` without it, or for half of the time for which the upstream extends the session.
    /// Answers of other routes do not count: a proxy or a program on the way may drop their cookies.
    pub(crate) fn is_answer_due(&self, key: SessionKey, session: &CachedSession) -> bool {
        let Some(shown) = self.shown.as_ref().and_then(|shown| shown.get(&key)) else { return true };
        let after = self.issued.as_ref().map_or(self.max_age, |(after, _)| *after);
        shown.elapsed() >= session.half_of_life().map_or(after, |half| half.min(after))
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

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

//! Ends sessions, revokes tokens, and counts attempts.

use std::time::{Duration, SystemTime};

use super::{MemoryUse, Sessions};
use crate::attempts::Counted;
use crate::revocation::{Revocation, Revocations};
use crate::session::cached::CachedSession;
use crate::session::family::{End, REMEMBERED_FOR};
use crate::session::key::SessionKey;

/// How far the clocks of the instances and of the upstream may differ.
const CLOCK_MARGIN: Duration = Duration::from_secs(300);

impl Sessions {
    /// Ends the sessions of these tokens: marks the answers of lookups under way as outdated, and begins to remove the
    /// sessions from the store. The returned future waits until the other instances know of it, within the time limit of
    /// the store. If it is dropped, the removal goes on.
    pub(crate) fn end(&self, tokens: &[SessionKey], end: End) -> impl Future<Output = ()> + use<> {
        let mut keys: Vec<_> =
            tokens.iter().flat_map(|token| self.local.families().end(*token, end)).collect();
        keys.sort_unstable();
        keys.dedup();
        let was_remembered = self.local.remove(&keys);
        // Anyone can send a token that the upstream refuses. It must not cost the other instances a message.
        let is_told = end != End::Refused || was_remembered || self.memory_use == MemoryUse::Never;
        let block_for = if end == End::Unanswered { REMEMBERED_FOR } else { Duration::ZERO };
        let store = self.store.as_ref().filter(|_| is_told && !self.max_age.is_zero());
        let ended = store.filter(|_| !keys.is_empty()).map(|store| store.end(keys, block_for));
        async {
            if let Some(ended) = ended {
                ended.await;
            }
        }
    }

    /// Notes that the visitor of these tokens signed out. [`end`](Self::end) follows.
    pub(crate) fn sign_out(&self, tokens: &[SessionKey]) {
        tokens.iter().for_each(|token| self.local.families().sign_out(token));
    }

    /// Counts an attempt in the store. `None` if there is none that counts.
    pub(crate) async fn count(&self, key: [u8; 32], window: Duration) -> Option<Counted> {
        match &self.store {
            Some(store) => store.count(&key, window).await,
            None => None,
        }
    }

    /// Whether the list has every revocation of all instances.
    pub(crate) fn knows_revocations(&self) -> bool {
        let is_complete = self.revocations.as_ref().is_some_and(|list| list.is_complete());
        if !is_complete && let Some(store) = &self.store {
            store.connect();
        }
        is_complete
    }

    /// Whether the list had every revocation of all instances at any time since the start. `true` without a list.
    pub(crate) fn knew_revocations(&self) -> bool {
        self.revocations.as_ref().is_none_or(|list| list.was_complete())
    }

    /// Revokes tokens: here at once, and at other instances when the returned future is ready. It returns whether they are on
    /// the list here and in the store. If it is dropped, the store is told nonetheless.
    pub(crate) fn revoke(
        &self,
        revocations: Vec<Revocation>,
        now: u64,
    ) -> impl Future<Output = bool> + use<> {
        let list = self.revocations.as_ref().filter(|_| !revocations.is_empty());
        let all_fit = list.is_none_or(|list| list.add(&revocations, now));
        let told = list.and(self.store.as_ref()).map(|store| store.revoke(revocations));
        async move {
            match told {
                Some(told) => told.await && all_fit,
                None => all_fit,
            }
        }
    }

    /// Whether the list of revoked tokens has no place for some of them.
    pub(crate) fn misses_revocations(&self) -> bool {
        self.revocations().is_some_and(Revocations::is_overflowing)
    }

    /// Whether a cached session, or a copy of one, says something of its user still. `false` if the user was revoked since,
    /// or if the list of revocations is full: then the upstream must be asked. It decides which sessions of a user it ends.
    pub(crate) fn may_trust_user(&self, session: &CachedSession) -> bool {
        let Some(list) = self.revocations().filter(|list| !list.is_empty()) else { return true };
        if list.is_overflowing() {
            return false;
        }
        let Some(user) = session.user(|raw| self.keys.user_of(raw)) else { return true };
        list.knows_subject_since(user).is_none_or(|since| {
            let since = SystemTime::UNIX_EPOCH + Duration::from_secs(since);
            session.looked_up_at() > since + self.timeout + CLOCK_MARGIN
        })
    }

    /// The list of revoked tokens. `None` if there is none.
    pub(crate) fn revocations(&self) -> Option<&Revocations> {
        self.revocations.as_deref()
    }

    /// The keys of the other tokens of a session.
    pub(crate) fn linked(&self, key: SessionKey) -> Vec<SessionKey> {
        self.local.families().snapshot(key).keys()
    }
}

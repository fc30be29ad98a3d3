//! Puts the answers of lookups into the cache.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::{Refused, Sessions};
use crate::session::answer::{Answer, Found, LookedUp, Renewed, Source};
use crate::session::cached::CachedSession;
use crate::session::family::SessionSnapshot;
use crate::session::key::{SessionKey, TokenKey};
use crate::session::store::Ticket;

/// The longest time that a refused token is cached. A flood of one invalid token costs one lookup in this time.
const REFUSED_FOR: Duration = Duration::from_secs(5);

impl Sessions {
    /// Caches the answer of a lookup, unless the session was ended meanwhile. `held` is what the store had: a ticket, and
    /// whether it had a session for this exact token.
    pub(super) async fn cache(
        &self,
        key: TokenKey,
        found: LookedUp,
        snapshot: &SessionSnapshot,
        held: Option<(Option<Ticket>, bool)>,
    ) -> Found {
        let LookedUp { mut answer, cookies, next } = found;
        self.serves_stale.store(false, Ordering::Relaxed);
        if !self.max_age.is_zero() && snapshot.may_cache() {
            match &mut answer {
                Answer::Session(session) => {
                    *session = session.clone().with_snapshot(snapshot, self.local.open());
                    if let Some((Some(ticket), _)) = held {
                        self.store(&key, ticket, session, next, snapshot).await;
                    }
                    // The browser's next request carries the renewed token. Cached under the old one alone, the session
                    // would be looked up each time.
                    for key in [Some(key), next].into_iter().flatten() {
                        self.remember(&key, session, snapshot);
                    }
                }
                Answer::Refused => {
                    let until = SystemTime::now() + REFUSED_FOR.min(self.max_age);
                    let clearing = Arc::clone(&cookies);
                    self.refused.insert(key, Refused { until, clearing, snapshot: snapshot.clone() });
                    self.forget(&key, held).await;
                }
                Answer::SignedOut => self.forget(&key, held).await,
            }
        }
        let renewed = (!cookies.is_empty()).then(|| Renewed {
            cookies,
            snapshot: snapshot.clone(),
            sent: key.session,
            next,
        });
        Found { answer, source: Source::Upstream, renewed }
    }

    /// Keeps a session in this process's memory.
    pub(super) fn remember(&self, key: &TokenKey, session: &CachedSession, snapshot: &SessionSnapshot) {
        // A session that ends from here on is removed, or its snapshot tells it.
        if self.may_use_memory() && snapshot.is_current() {
            self.local.put(key, session);
        }
    }

    /// Puts a session into the store, under its token and under the renewed one.
    async fn store(
        &self,
        key: &TokenKey,
        ticket: Ticket,
        session: &CachedSession,
        next: Option<TokenKey>,
        snapshot: &SessionSnapshot,
    ) {
        let Some(store) = &self.store else { return };
        let linked = |own: SessionKey| {
            let newest = [Some(key.session), next.map(|next| next.session)].into_iter().flatten();
            let mut keys: Vec<_> = snapshot.keys();
            keys.retain(|key| *key != own && newest.clone().all(|newest| newest != *key));
            keys.extend(newest.filter(|newest| *newest != own));
            keys
        };
        // The ticket of the renewed token is taken before the first session is put. A sign-out by the old token from
        // then on ends the renewed one too, and makes this ticket invalid.
        let next = match next {
            Some(next) => store.get(&next).await.ticket.map(|ticket| (next, ticket)),
            None => None,
        };
        let tickets = [Some((*key, ticket)), next];
        for (key, ticket) in tickets.into_iter().flatten() {
            if !snapshot.is_current() {
                return;
            }
            store.put(&key, ticket, session, linked(key.session), self.max_age_in_outage).await;
        }
    }

    /// Forgets a session that the upstream does not know any more.
    async fn forget(&self, key: &TokenKey, held: Option<(Option<Ticket>, bool)>) {
        self.local.remove(&[key.session]);
        // Only if the store had a session for this exact token: anyone can send a token that the upstream refuses.
        if let (Some(store), Some((_, true))) = (&self.store, held) {
            store.end(vec![key.session], Duration::ZERO).await;
        }
    }
}

//! Which tokens belong to one session, and when a session was ended.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::key::SessionKey;

/// How long an ended session is known as ended. A request that the browser sent before a sign-out may arrive after it.
const KEPT_FOR: Duration = Duration::from_secs(120);

/// How many ended and how many renewed sessions are kept at most, each: about 15 MiB.
const MOST_KEPT: usize = 16_384;

/// Tokens that are kept for one session. Older ones are dropped: browsers no longer have them.
const MOST_TOKENS: usize = 8;

/// Sessions that one end reaches at most, the nearest first. Only a client that sends tokens of several sessions links more
/// than a few, and each costs time under the lock.
const MOST_LINKED: usize = 32;

/// The sessions of requests under way and of recent sign-outs, each as the family of tokens that were renewed from one
/// another.
///
/// A sign-in, a sign-out or a change ends a session. A lookup under way, or the cookies of an answer, holds a [`Ticket`]
/// that tells whether the session was ended since.
#[derive(Default)]
pub(crate) struct TokenFamilies(Mutex<State>);

#[derive(Default)]
struct State {
    by_key: HashMap<SessionKey, Vec<Weak<TokenFamily>>>,
    /// Ended sessions, kept for a while. They are kept apart from renewed ones, so that renewals push none out. Refused
    /// tokens are not among them: anyone can send such tokens without signing in.
    ended: VecDeque<(Instant, Arc<TokenFamily>)>,
    renewed: VecDeque<(Instant, Arc<TokenFamily>)>,
    /// The number of keys at which the keys of dropped sessions are removed.
    sweep_at: usize,
}

/// What ends a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A request that signs in or out, or changes the session, was sent, or was answered without a session cookie.
    Begun,
    /// The upstream set another session cookie, or cleared it.
    Changed,
    /// The answer to such a request did not come. The upstream may still do what it asked for.
    Unanswered,
    /// A lookup cleared an invalid cookie: the browser had no session.
    Refused,
}

/// One session, by all of its tokens.
#[derive(Default)]
struct TokenFamily {
    /// How often it was ended.
    ends: AtomicU64,
    /// How often the upstream set another session cookie, or cleared it.
    changes: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    keys: Vec<SessionKey>,
    /// When it was ended last, by the monotonic clock and by the system's clock.
    ended_at: Option<(Instant, SystemTime)>,
    /// When the browser's session cookie was changed last, or may have been.
    changed_at: Option<Instant>,
    /// Until when the upstream may still carry out a request that ends the session and whose answer did not come.
    unsettled_until: Option<Instant>,
}

impl TokenFamily {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of a session at one time.
#[derive(Clone)]
pub(crate) struct Ticket {
    family: Arc<TokenFamily>,
    ends: u64,
    changes: u64,
}

impl Ticket {
    fn new(family: Arc<TokenFamily>) -> Self {
        let ends = family.ends.load(Ordering::Acquire);
        let changes = family.changes.load(Ordering::Acquire);
        Self { family, ends, changes }
    }

    /// Whether a sign-in, a sign-out or a change was answered since. One that was only sent may still fail.
    pub(crate) fn was_changed(&self) -> bool {
        self.family.changes.load(Ordering::Acquire) != self.changes
    }

    /// Whether the session was not ended since.
    pub(crate) fn is_current(&self) -> bool {
        self.family.ends.load(Ordering::Acquire) == self.ends
    }

    /// Whether the session may be cached: not when it was ended since, nor while the upstream may still carry out a request
    /// that ends it.
    pub(crate) fn may_remember(&self) -> bool {
        self.is_current() && self.family.inner().unsettled_until.is_none_or(|until| until < Instant::now())
    }

    /// Whether session cookies of an answer may reach the browser: not when the session was ended since, nor when the cookie
    /// was changed so shortly before that the browser may have sent the request earlier.
    pub(crate) fn may_relay(&self) -> bool {
        self.is_current() && self.family.inner().changed_at.is_none_or(|at| at.elapsed() > KEPT_FOR)
    }
}

impl TokenFamilies {
    /// The session of a token, as of now.
    pub(crate) fn of(&self, key: SessionKey) -> Ticket {
        Ticket::new(self.state().of(key))
    }

    /// Adds a token that was renewed from an earlier one.
    pub(crate) fn renewed(&self, ticket: &Ticket, key: SessionKey) {
        let mut state = self.state();
        if ticket.family.inner().keys.contains(&key) {
            return;
        }
        state.link(&ticket.family, key);
        keep(&mut state.renewed, Arc::clone(&ticket.family));
    }

    /// Ends the session of a token. Returns the keys of all its tokens, this one first.
    pub(crate) fn end(&self, key: SessionKey, end: End) -> Vec<SessionKey> {
        let mut state = self.state();
        // A session that was not known yet is created, so that it is known as ended. Held, or it would be dropped at once.
        let _own = state.of(key);
        let (mut keys, mut at) = (vec![key], 0);
        let mut reached: Vec<Arc<TokenFamily>> = Vec::new();
        while let Some(key) = keys.get(at).copied() {
            at += 1;
            for family in state.all(&key) {
                if reached.len() == MOST_LINKED {
                    return keys;
                }
                if reached.iter().any(|other| Arc::ptr_eq(other, &family)) {
                    continue;
                }
                family.ends.fetch_add(1, Ordering::AcqRel);
                family.changes.fetch_add(u64::from(end == End::Changed), Ordering::AcqRel);
                let mut inner = family.inner();
                if end != End::Refused {
                    inner.ended_at = Some((Instant::now(), SystemTime::now()));
                }
                if matches!(end, End::Changed | End::Unanswered) {
                    inner.changed_at = Some(Instant::now());
                }
                if end == End::Unanswered {
                    inner.unsettled_until = Some(Instant::now() + KEPT_FOR);
                }
                for key in &inner.keys {
                    if !keys.contains(key) {
                        keys.push(*key);
                    }
                }
                drop(inner);
                if end != End::Refused {
                    keep(&mut state.ended, Arc::clone(&family));
                }
                reached.push(family);
            }
        }
        keys
    }

    /// Whether a session was ended after this time. A session that a store kept since then is outdated.
    pub(crate) fn was_ended_since(&self, key: &SessionKey, asked: SystemTime) -> bool {
        let families = self.state().all(key);
        families.iter().any(|family| family.inner().ended_at.is_some_and(|(_, at)| at >= asked))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn all(&self, key: &SessionKey) -> Vec<Arc<TokenFamily>> {
        self.by_key.get(key).into_iter().flatten().filter_map(Weak::upgrade).collect()
    }

    fn of(&mut self, key: SessionKey) -> Arc<TokenFamily> {
        if let Some(known) = self.all(&key).into_iter().next() {
            return known;
        }
        let family = Arc::default();
        self.link(&family, key);
        family
    }

    fn link(&mut self, family: &Arc<TokenFamily>, key: SessionKey) {
        let mut inner = family.inner();
        if inner.keys.len() >= MOST_TOKENS {
            let oldest = inner.keys.remove(0);
            if let Some(known) = self.by_key.get_mut(&oldest) {
                known.retain(|known| !std::ptr::eq(known.as_ptr(), Arc::as_ptr(family)));
            }
        }
        inner.keys.push(key);
        drop(inner);
        let known = self.by_key.entry(key).or_default();
        known.retain(|known| known.strong_count() > 0);
        if known.len() >= MOST_LINKED {
            known.remove(0);
        }
        known.push(Arc::downgrade(family));
        if self.by_key.len() >= self.sweep_at.max(1024) {
            self.by_key.retain(|_, known| known.iter().any(|known| known.strong_count() > 0));
            self.sweep_at = 2 * self.by_key.len();
        }
    }
}

/// Keeps a session for a while.
fn keep(kept: &mut VecDeque<(Instant, Arc<TokenFamily>)>, family: Arc<TokenFamily>) {
    let now = Instant::now();
    kept.push_back((now, family));
    let is_over = |(since, _): &(Instant, Arc<TokenFamily>)| now.duration_since(*since) > KEPT_FOR;
    while kept.len() > MOST_KEPT || kept.front().is_some_and(is_over) {
        kept.pop_front();
    }
}

#[cfg(test)]
mod tests;

//! Token families: which tokens belong to one session, and whether a sign-in or sign-out has ended that session.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::key::SessionKey;

/// How long an ended session is remembered. A request that the browser sent before a sign-out may arrive after it.
const KEPT_FOR: Duration = Duration::from_secs(120);

/// The most ended sessions, and the most renewed sessions, that are kept: about 15 MiB each.
const MOST_KEPT: usize = 16_384;

/// The most tokens that are kept for one session. Older tokens are dropped: browsers no longer have them.
const MOST_TOKENS: usize = 8;

/// The most sessions that one call of [`TokenFamilies::end`] ends, the nearest first. Only a client that sends tokens of
/// several sessions links many, and each of them costs time under the lock.
const MOST_LINKED: usize = 32;

/// The sessions of requests under way and of recent sign-outs. Each is the family of the tokens that were renewed from one
/// another.
///
/// A sign-in, a sign-out or a session update ends a session. Lookups under way and cookies that are not yet relayed hold a
/// [`Generation`], which tells whether the session was ended since.
#[derive(Default)]
pub(crate) struct TokenFamilies(Mutex<State>);

#[derive(Default)]
struct State {
    by_key: HashMap<SessionKey, Vec<Weak<TokenFamily>>>,
    /// Sessions that were ended in the last [`KEPT_FOR`]. Renewed sessions have a list of their own, so that renewals evict
    /// no ended session. Refused tokens are in neither: anyone can send such tokens without signing in.
    ended: VecDeque<(Instant, Arc<TokenFamily>)>,
    renewed: VecDeque<(Instant, Arc<TokenFamily>)>,
    /// When `by_key` has this many keys, those of dropped sessions are removed.
    sweep_at: usize,
}

/// Why a session is ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A request that signs in or out, or updates the session, was sent, or got a response without a session cookie.
    Begun,
    /// A response set another session cookie, or cleared it.
    Changed,
    /// Such a request got no response. The upstream may still carry it out.
    Unanswered,
    /// The response to a lookup cleared an invalid cookie: the browser had no session.
    Refused,
}

/// All tokens of one session, and when it was ended.
#[derive(Default)]
struct TokenFamily {
    /// How often the session was ended.
    end_count: AtomicU64,
    /// How often it was ended by [`End::Changed`].
    change_count: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    keys: Vec<SessionKey>,
    /// When the session was last ended, by the monotonic clock and by the system's clock.
    ended_at: Option<(Instant, SystemTime)>,
    /// When the browser's session cookie was last changed, or may have been changed.
    changed_at: Option<Instant>,
    /// Until when the upstream may still carry out a request that ends the session and got no response.
    unsettled_until: Option<Instant>,
}

impl TokenFamily {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often a session had been ended at one time. Outdated once the session is ended again.
#[derive(Clone)]
pub(crate) struct Generation {
    family: Arc<TokenFamily>,
    end_count: u64,
    change_count: u64,
}

impl Generation {
    fn new(family: Arc<TokenFamily>) -> Self {
        let end_count = family.end_count.load(Ordering::Acquire);
        let change_count = family.change_count.load(Ordering::Acquire);
        Self { family, end_count, change_count }
    }

    /// Whether the response to a sign-in, a sign-out or an update has changed the cookie since. A request that was only sent
    /// does not count: it may still fail.
    pub(crate) fn was_changed(&self) -> bool {
        self.family.change_count.load(Ordering::Acquire) != self.change_count
    }

    /// Whether the session was not ended since then.
    pub(crate) fn is_current(&self) -> bool {
        self.family.end_count.load(Ordering::Acquire) == self.end_count
    }

    /// Whether the session may be cached. It may not when it was ended since, nor while the upstream may still carry out a
    /// request that ends it.
    pub(crate) fn may_remember(&self) -> bool {
        self.is_current() && self.family.inner().unsettled_until.is_none_or(|until| until < Instant::now())
    }

    /// Whether the session cookies of a response may be relayed to the browser. They may not when the session was ended
    /// since, nor for [`KEPT_FOR`] after a change of the cookie: the browser may have sent the request before the change.
    pub(crate) fn may_relay(&self) -> bool {
        self.is_current() && self.family.inner().changed_at.is_none_or(|at| at.elapsed() > KEPT_FOR)
    }
}

impl TokenFamilies {
    /// The current generation of a token's session.
    pub(crate) fn generation(&self, key: SessionKey) -> Generation {
        Generation::new(self.state().family_of(key))
    }

    /// Adds a token that was renewed from an earlier one.
    pub(crate) fn renewed(&self, generation: &Generation, key: SessionKey) {
        let mut state = self.state();
        if generation.family.inner().keys.contains(&key) {
            return;
        }
        state.link(&generation.family, key);
        keep(&mut state.renewed, Arc::clone(&generation.family));
    }

    /// Ends the session of a token. Returns the keys of all its tokens, this one first.
    pub(crate) fn end(&self, key: SessionKey, end: End) -> Vec<SessionKey> {
        let mut state = self.state();
        // Creates the session if it is unknown, so that it is remembered as ended. The binding keeps it alive until then.
        let _target = state.family_of(key);
        let (mut keys, mut at) = (vec![key], 0);
        let mut ended: Vec<Arc<TokenFamily>> = Vec::new();
        while let Some(key) = keys.get(at).copied() {
            at += 1;
            for family in state.families_of(&key) {
                if ended.len() == MOST_LINKED {
                    return keys;
                }
                if ended.iter().any(|other| Arc::ptr_eq(other, &family)) {
                    continue;
                }
                family.end_count.fetch_add(1, Ordering::AcqRel);
                family.change_count.fetch_add(u64::from(end == End::Changed), Ordering::AcqRel);
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
                ended.push(family);
            }
        }
        keys
    }

    /// Whether a session was ended after the upstream was asked for it. Then the app's own store may hold it outdated.
    pub(crate) fn was_ended_since(&self, key: &SessionKey, asked: SystemTime) -> bool {
        let families = self.state().families_of(key);
        families.iter().any(|family| family.inner().ended_at.is_some_and(|(_, at)| at >= asked))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn families_of(&self, key: &SessionKey) -> Vec<Arc<TokenFamily>> {
        self.by_key.get(key).into_iter().flatten().filter_map(Weak::upgrade).collect()
    }

    fn family_of(&mut self, key: SessionKey) -> Arc<TokenFamily> {
        if let Some(known) = self.families_of(&key).into_iter().next() {
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

/// Appends a session, and drops those that are older than [`KEPT_FOR`] or too many.
fn keep(kept: &mut VecDeque<(Instant, Arc<TokenFamily>)>, family: Arc<TokenFamily>) {
    let now = Instant::now();
    kept.push_back((now, family));
    let is_old = |(since, _): &(Instant, Arc<TokenFamily>)| now.duration_since(*since) > KEPT_FOR;
    while kept.len() > MOST_KEPT || kept.front().is_some_and(is_old) {
        kept.pop_front();
    }
}

#[cfg(test)]
mod tests;

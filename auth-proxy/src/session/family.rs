//! Records which session tokens belong to one session, and when a session was ended.

mod index;
mod recent;

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::Instant;

use self::index::{HasTokens, Index};
use self::recent::Recent;
use super::key::SessionKey;

/// How long an ended session is remembered. A request that the browser sent before a sign-out may arrive after it.
pub(super) const REMEMBERED_FOR: Duration = Duration::from_secs(120);

/// The most ended sessions, and the most renewed sessions, that are remembered. Each list takes about 16 MiB.
const MAX_REMEMBERED: usize = 16_384;

/// The most tokens that are remembered for one session: those that browsers got last.
const MAX_TOKENS: usize = 8;

/// The most sessions that one sign-out can end. Only a client that sends tokens of several sessions links more than a
/// few, and each costs time under the lock.
const MAX_LINKED: usize = 32;

/// The sessions of requests under way and of recent sign-outs. Each session is a token family: the tokens that the
/// upstream renewed from one another.
///
/// A sign-in, a sign-out or a change ends a session. A lookup under way, or a response that carries session cookies,
/// holds a [`SessionSnapshot`], which tells whether the session was ended since.
#[derive(Default)]
pub(crate) struct TokenFamilies {
    state: Mutex<State>,
    flushes: Arc<Flushes>,
}

/// How often all cached sessions were forgotten.
#[derive(Default)]
struct Flushes {
    count: AtomicU32,
    /// Wakes those that wait for the end of a session.
    happened: Notify,
}

#[derive(Default)]
struct State {
    by_key: Index<TokenFamily>,
    /// Recently ended sessions, apart from renewed ones, so that renewals do not push them out. A refused token is not
    /// remembered here: anyone can send one without signing in, and a flood of them would push out the sign-outs.
    ended: Recent<TokenFamily>,
    renewed: Recent<TokenFamily>,
    /// How long both lists keep a session, at least `REMEMBERED_FOR`.
    kept_for: Duration,
}

/// The event that ends a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A request that signs in or out, or changes the session, was sent, or its response set no session cookie.
    Requested,
    /// The upstream set another session cookie, or cleared it.
    Changed,
    /// Such a request got no response. The upstream may still carry it out.
    Unanswered,
    /// A lookup cleared an invalid session cookie.
    Refused,
}

/// The tokens of one session. There is one of these for each session that is remembered, so it is small: what most sessions
/// do not need is in [`More`].
struct TokenFamily {
    /// How often the session was ended. 32 bits are enough: a snapshot would be wrong if the session were ended four thousand
    /// million times, and no time more, while it is held.
    end_count: AtomicU32,
    /// How often the upstream set another session cookie, or cleared it.
    change_count: AtomicU32,
    inner: Mutex<Inner>,
}

struct Inner {
    /// The oldest token.
    first: SessionKey,
    /// `None` while the session has one token, nothing ended it, and nobody waits for its end.
    more: Option<Box<More>>,
}

/// What most sessions do not need.
#[derive(Default)]
struct More {
    /// The tokens after the first, the newest last.
    tokens: Vec<SessionKey>,
    /// Whether the visitor signed out through this instance.
    is_signed_out: bool,
    /// When the session was last ended, by the monotonic clock and by the system clock.
    ended_at: Option<(Instant, SystemTime)>,
    /// When the browser's session cookie was last changed, or may have been.
    changed_at: Option<Instant>,
    /// Until this time the upstream may still carry out a request that ends the session and that got no response.
    unsettled_until: Option<Instant>,
    /// Wakes those that wait for the end of the session. `None` while nobody waits.
    ended: Option<Arc<Notify>>,
}

impl TokenFamily {
    fn new(key: SessionKey) -> Self {
        Self {
            end_count: AtomicU32::new(0),
            change_count: AtomicU32::new(0),
            inner: Mutex::new(Inner { first: key, more: None }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HasTokens for TokenFamily {
    fn has(&self, key: &SessionKey) -> bool {
        self.inner().tokens().any(|known| known == key)
    }
}

impl Inner {
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// The tokens, the newest last.
    fn tokens(&self) -> impl Iterator<Item = &SessionKey> {
        std::iter::once(&self.first).chain(self.more.iter().flat_map(|more| &more.tokens))
    }

    /// Adds a token that is not known. Of more than [`MAX_TOKENS`], the oldest is removed and returned.
    fn add(&mut self, key: SessionKey) -> Option<SessionKey> {
        let more = self.more.get_or_insert_default();
        more.tokens.push(key);
        (more.tokens.len() >= MAX_TOKENS).then(|| std::mem::replace(&mut self.first, more.tokens.remove(0)))
    }

    /// Makes a token the newest. Returns whether it is known.
    fn renew(&mut self, key: &SessionKey) -> bool {
        let Some(at) = self.tokens().position(|known| known == key) else { return false };
        if let Some(more) = &mut self.more
            && !more.tokens.is_empty()
        {
            let key = match at.checked_sub(1) {
                Some(at) => more.tokens.remove(at),
                None => std::mem::replace(&mut self.first, more.tokens.remove(0)),
            };
            more.tokens.push(key);
        }
        true
    }
}

/// The state of a session at one time. It tells whether the session was ended or changed since.
#[derive(Clone)]
pub(crate) struct SessionSnapshot {
    family: Arc<TokenFamily>,
    flushes: Arc<Flushes>,
    end_count: u32,
    change_count: u32,
    flush_count: u32,
}

impl SessionSnapshot {
    fn new(family: Arc<TokenFamily>, flushes: Arc<Flushes>) -> Self {
        let end_count = family.end_count.load(Ordering::Acquire);
        let change_count = family.change_count.load(Ordering::Acquire);
        let flush_count = flushes.count.load(Ordering::Acquire);
        Self { family, flushes, end_count, change_count, flush_count }
    }

    /// Whether a sign-in, a sign-out or a change succeeded since. One that was only sent may still fail.
    pub(crate) fn was_changed(&self) -> bool {
        self.family.change_count.load(Ordering::Acquire) != self.change_count
    }

    /// Whether the session was ended since.
    pub(crate) fn was_ended(&self) -> bool {
        self.family.end_count.load(Ordering::Acquire) != self.end_count
    }

    /// Whether an answer from the time of this snapshot may still be used: the session was not ended since, and no
    /// sign-out at another instance can have been missed.
    pub(crate) fn is_current(&self) -> bool {
        !self.was_ended() && self.flushes.count.load(Ordering::Acquire) == self.flush_count
    }

    /// Whether the visitor signed out through this instance, before or since. The upstream may accept the token all the same.
    pub(crate) fn is_signed_out(&self) -> bool {
        self.family.inner().more.as_ref().is_some_and(|more| more.is_signed_out)
    }

    /// Waits until the session is ended.
    pub(crate) async fn ended(&self) {
        let notify = Arc::clone(self.family.inner().more().ended.get_or_insert_default());
        let mut ended = pin!(notify.notified());
        // Registered before the check, so that no end is missed.
        ended.as_mut().enable();
        if !self.was_ended() {
            ended.await;
        }
    }

    /// Waits until sign-outs at other instances may have been missed, or are known again.
    pub(crate) async fn flushed(&self) {
        let mut flushed = pin!(self.flushes.happened.notified());
        flushed.as_mut().enable();
        if self.flushes.count.load(Ordering::Acquire) == self.flush_count {
            flushed.await;
        }
    }

    /// A share of a time, the same for each snapshot of the session while its first token is the same.
    pub(crate) fn share_of(&self, time: Duration) -> Duration {
        let first = self.family.inner().first.as_bytes()[0];
        time * u32::from(first) / 256
    }

    /// The tokens of the session.
    pub(super) fn keys(&self) -> Vec<SessionKey> {
        self.family.inner().tokens().copied().collect()
    }

    /// Whether the session may be cached: it was not ended since, and no request that ends it is still unanswered.
    pub(crate) fn may_cache(&self) -> bool {
        let unsettled_until = || self.family.inner().more.as_ref().and_then(|more| more.unsettled_until);
        self.is_current() && unsettled_until().is_none_or(|until| until < Instant::now())
    }

    /// Whether the session cookies of a response may reach the browser. They may not if the session was ended since, or
    /// if the cookie was changed so recently that the browser may have sent this request before the change.
    pub(crate) fn may_relay(&self) -> bool {
        let changed_at = || self.family.inner().more.as_ref().and_then(|more| more.changed_at);
        !self.was_ended() && changed_at().is_none_or(|at| at.elapsed() > REMEMBERED_FOR)
    }
}

impl TokenFamilies {
    /// Remembers ended and renewed sessions for this time, and at least for `REMEMBERED_FOR`.
    pub(crate) fn kept_for(kept_for: Duration) -> Self {
        Self { state: Mutex::new(State { kept_for, ..State::default() }), flushes: Arc::default() }
    }

    /// The present state of the session that a token belongs to.
    pub(crate) fn snapshot(&self, key: SessionKey) -> SessionSnapshot {
        SessionSnapshot::new(self.state().family(key), Arc::clone(&self.flushes))
    }

    /// Adds a token that the upstream renewed from an earlier one, and that a response gives the browser now. It
    /// becomes the newest of the session, because the response may be one that took longer than others.
    pub(crate) fn add_renewed(&self, snapshot: &SessionSnapshot, key: SessionKey) {
        let mut state = self.state();
        if snapshot.family.inner().renew(&key) {
            return;
        }
        state.link(&snapshot.family, key);
        let kept_for = state.kept_for.max(REMEMBERED_FOR);
        state.renewed.add(Arc::clone(&snapshot.family), MAX_REMEMBERED, kept_for);
    }

    /// Ends the session of a token. Returns the keys of all its tokens, this one first.
    pub(crate) fn end(&self, key: SessionKey, end: End) -> Vec<SessionKey> {
        let mut state = self.state();
        // Creates the session if it is not known yet, so that its end is remembered. `_own` keeps it alive until then.
        let _own = state.family(key);
        state.end(key, |state, family| {
            family.change_count.fetch_add(u32::from(end == End::Changed), Ordering::AcqRel);
            let mut inner = family.inner();
            if matches!(end, End::Changed | End::Unanswered) {
                inner.more().changed_at = Some(Instant::now());
            }
            if end == End::Unanswered {
                inner.more().unsettled_until = Some(Instant::now() + REMEMBERED_FOR);
            }
            if end != End::Refused {
                inner.more().ended_at = Some((Instant::now(), SystemTime::now()));
                let kept_for = state.kept_for.max(REMEMBERED_FOR);
                state.ended.add(Arc::clone(family), MAX_REMEMBERED, kept_for);
            }
        })
    }

    /// Notes that the visitor signed out, before the session of the token is ended.
    pub(super) fn sign_out(&self, key: &SessionKey) {
        for family in self.state().by_key.get(key) {
            family.inner().more().is_signed_out = true;
        }
    }

    /// Ends the session of a token that ended at another instance. Returns the keys of all its tokens.
    ///
    /// The end is not remembered: the sign-outs of all instances would push out those of this one, which must last when
    /// the store fails.
    pub(super) fn end_elsewhere(&self, key: SessionKey) -> Vec<SessionKey> {
        self.state().end(key, |_, _| ())
    }

    /// Makes every snapshot outdated, although no session ended: sign-outs at other instances may have been missed.
    pub(super) fn flush(&self) {
        self.flushes.count.fetch_add(1, Ordering::AcqRel);
        self.flushes.happened.notify_waiters();
    }

    /// Whether a session was ended at or after this time.
    pub(crate) fn was_ended_since(&self, key: &SessionKey, since: SystemTime) -> bool {
        let families = self.state().by_key.get(key);
        let ended_at = |family: &TokenFamily| family.inner().more.as_ref().and_then(|more| more.ended_at);
        families.iter().any(|family| ended_at(family).is_some_and(|(_, at)| at >= since))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends every session that a token belongs to, and those that are linked to it. Returns the keys of all their
    /// tokens, this one first.
    fn end(
        &mut self,
        key: SessionKey,
        mut note: impl FnMut(&mut Self, &Arc<TokenFamily>),
    ) -> Vec<SessionKey> {
        let (mut keys, mut at) = (vec![key], 0);
        let mut reached: Vec<Arc<TokenFamily>> = Vec::new();
        while let Some(key) = keys.get(at).copied() {
            at += 1;
            for family in self.by_key.get(&key) {
                if reached.len() == MAX_LINKED {
                    return keys;
                }
                if reached.iter().any(|other| Arc::ptr_eq(other, &family)) {
                    continue;
                }
                family.end_count.fetch_add(1, Ordering::AcqRel);
                note(self, &family);
                let inner = family.inner();
                if let Some(ended) = inner.more.as_ref().and_then(|more| more.ended.as_ref()) {
                    ended.notify_waiters();
                }
                for key in inner.tokens() {
                    if !keys.contains(key) {
                        keys.push(*key);
                    }
                }
                drop(inner);
                reached.push(family);
            }
        }
        keys
    }

    /// The session that a token belongs to. It is created if there is none.
    fn family(&mut self, key: SessionKey) -> Arc<TokenFamily> {
        if let Some(known) = self.by_key.get(&key).into_iter().next() {
            return known;
        }
        let family = Arc::new(TokenFamily::new(key));
        self.by_key.add(&key, &family, MAX_LINKED);
        family
    }

    /// Adds a token to a session.
    fn link(&mut self, family: &Arc<TokenFamily>, key: SessionKey) {
        let oldest = family.inner().add(key);
        if let Some(oldest) = oldest {
            self.by_key.remove(&oldest, family);
        }
        self.by_key.add(&key, family, MAX_LINKED);
    }
}

#[cfg(test)]
mod tests;

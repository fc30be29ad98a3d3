use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::key::SessionKey;

/// How long a session that was ended is known to be, besides as long as a request is under way that knew it before. A
/// request that the browser sent before the sign-out, and that arrives after it, meets this.
const KEPT_FOR: Duration = Duration::from_secs(120);

/// How many that were ended, and how many that were renewed, are kept so at the most: about 15 MiB.
const MOST_KEPT: usize = 16_384;

/// Tokens of one session that are known by it. The older ones are forgotten: browsers have left them behind.
const MOST_TOKENS: usize = 8;

/// Sessions that one end reaches, the nearest first. More than a few are linked only by a client that sends tokens of
/// several sessions, and each costs time under the lock.
const MOST_LINKED: usize = 32;

/// The sessions that requests are concerned with just now, each with the tokens that were renewed from one another.
///
/// A sign-in, a sign-out or a change ends what is known of a session. Everything that was found out before and is still
/// on its way, a lookup or the cookies of an answer, holds a [`Ticket`] by which it knows that it is out of date.
#[derive(Default)]
pub(crate) struct Lineages(Mutex<State>);

#[derive(Default)]
struct State {
    by_key: HashMap<SessionKey, Vec<Weak<Lineage>>>,
    /// Sessions that were ended. Apart from the others, so that no number of renewals pushes one out. Those whose token the
    /// upstream refused are not among them: nobody need be signed in to send such tokens.
    ended: VecDeque<(Instant, Arc<Lineage>)>,
    renewed: VecDeque<(Instant, Arc<Lineage>)>,
    /// The number of keys at which those of sessions that are gone are taken out.
    sweep_at: usize,
}

/// What ends a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A request that signs in or out, or changes the session, was begun, or was answered and left the cookie as it was.
    Begun,
    /// The browser has another session cookie from now on, or none.
    Changed,
    /// The answer to such a request did not come: the upstream may do yet what it was asked for.
    Unanswered,
    /// The upstream was asked for the session and cleared a cookie that is no good: the browser had no session.
    Refused,
}

/// One session.
#[derive(Default)]
struct Lineage {
    /// How often it was ended.
    ends: AtomicU64,
    /// How often the upstream answered with another session cookie, or took it away.
    changes: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    keys: Vec<SessionKey>,
    /// When it was ended last, by the clock of the process and by that of the machine.
    ended_at: Option<(Instant, SystemTime)>,
    /// When the browser got another session cookie last, or none, or may have got it.
    changed_at: Option<Instant>,
    /// Until when the upstream may still be at a request that ends it, whose answer did not come.
    unsettled_until: Option<Instant>,
}

impl Lineage {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was found out of a session at some time.
#[derive(Clone)]
pub(crate) struct Ticket {
    lineage: Arc<Lineage>,
    ends: u64,
    changes: u64,
}

impl Ticket {
    fn new(lineage: Arc<Lineage>) -> Self {
        let ends = lineage.ends.load(Ordering::Acquire);
        let changes = lineage.changes.load(Ordering::Acquire);
        Self { lineage, ends, changes }
    }

    /// Whether a sign-in, a sign-out or a change was answered since. One that was only begun may yet fail.
    pub(crate) fn was_changed(&self) -> bool {
        self.lineage.changes.load(Ordering::Acquire) != self.changes
    }

    /// Whether the session was not ended since.
    pub(crate) fn is_current(&self) -> bool {
        self.lineage.ends.load(Ordering::Acquire) == self.ends
    }

    /// Whether what is found out may be remembered: not when the session was ended since, nor while the upstream may still
    /// be at a request that ends it.
    pub(crate) fn may_remember(&self) -> bool {
        self.is_current() && self.lineage.inner().unsettled_until.is_none_or(|until| until < Instant::now())
    }

    /// Whether cookies that the upstream set or cleared may reach the browser: not when the session was ended since, nor
    /// when the browser got another cookie so short a time before that it may have sent the request earlier.
    pub(crate) fn may_relay(&self) -> bool {
        self.is_current() && self.lineage.inner().changed_at.is_none_or(|at| at.elapsed() > KEPT_FOR)
    }
}

impl Lineages {
    /// The session of a token, as of now.
    pub(crate) fn of(&self, key: SessionKey) -> Ticket {
        Ticket::new(self.state().of(key))
    }

    /// Notes that a session has one more token, renewed from an earlier one.
    pub(crate) fn renewed(&self, ticket: &Ticket, key: SessionKey) {
        let mut state = self.state();
        if ticket.lineage.inner().keys.contains(&key) {
            return;
        }
        state.link(&ticket.lineage, key);
        keep(&mut state.renewed, Arc::clone(&ticket.lineage));
    }

    /// Ends what is known of the session of a token, and answers every key that it is known by, this one first.
    pub(crate) fn end(&self, key: SessionKey, end: End) -> Vec<SessionKey> {
        let mut state = self.state();
        // Held while its end is noted: a session that nobody knew is to be known as ended.
        let _own = state.of(key);
        let (mut keys, mut at) = (vec![key], 0);
        let mut reached: Vec<Arc<Lineage>> = Vec::new();
        while let Some(key) = keys.get(at).copied() {
            at += 1;
            for lineage in state.all(&key) {
                if reached.len() == MOST_LINKED {
                    return keys;
                }
                if reached.iter().any(|other| Arc::ptr_eq(other, &lineage)) {
                    continue;
                }
                lineage.ends.fetch_add(1, Ordering::AcqRel);
                lineage.changes.fetch_add(u64::from(end == End::Changed), Ordering::AcqRel);
                let mut inner = lineage.inner();
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
                    keep(&mut state.ended, Arc::clone(&lineage));
                }
                reached.push(lineage);
            }
        }
        keys
    }

    /// Whether a session was ended after this time. What an instance's store says of it is older then.
    pub(crate) fn was_ended_since(&self, key: &SessionKey, asked: SystemTime) -> bool {
        let lineages = self.state().all(key);
        lineages.iter().any(|lineage| lineage.inner().ended_at.is_some_and(|(_, at)| at >= asked))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn all(&self, key: &SessionKey) -> Vec<Arc<Lineage>> {
        self.by_key.get(key).into_iter().flatten().filter_map(Weak::upgrade).collect()
    }

    fn of(&mut self, key: SessionKey) -> Arc<Lineage> {
        if let Some(known) = self.all(&key).into_iter().next() {
            return known;
        }
        let lineage = Arc::default();
        self.link(&lineage, key);
        lineage
    }

    fn link(&mut self, lineage: &Arc<Lineage>, key: SessionKey) {
        let mut inner = lineage.inner();
        if inner.keys.len() >= MOST_TOKENS {
            let oldest = inner.keys.remove(0);
            if let Some(known) = self.by_key.get_mut(&oldest) {
                known.retain(|known| !std::ptr::eq(known.as_ptr(), Arc::as_ptr(lineage)));
            }
        }
        inner.keys.push(key);
        drop(inner);
        let known = self.by_key.entry(key).or_default();
        known.retain(|known| known.strong_count() > 0);
        if known.len() >= MOST_LINKED {
            known.remove(0);
        }
        known.push(Arc::downgrade(lineage));
        if self.by_key.len() >= self.sweep_at.max(1024) {
            self.by_key.retain(|_, known| known.iter().any(|known| known.strong_count() > 0));
            self.sweep_at = 2 * self.by_key.len();
        }
    }
}

/// Keeps a session known for a while.
fn keep(kept: &mut VecDeque<(Instant, Arc<Lineage>)>, lineage: Arc<Lineage>) {
    let now = Instant::now();
    kept.push_back((now, lineage));
    let is_over = |(since, _): &(Instant, Arc<Lineage>)| now.duration_since(*since) > KEPT_FOR;
    while kept.len() > MOST_KEPT || kept.front().is_some_and(is_over) {
        kept.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use auth_proxy_rules::{Draft, OptionKey};
    use http::HeaderMap;

    use super::*;
    use crate::session::key::Keys;

    fn key(token: &str) -> SessionKey {
        let mut draft = Draft::default();
        draft.set(OptionKey::BaseUrl, "http://auth.internal").unwrap();
        Keys::new(&draft.resolve().unwrap(), &HeaderMap::new()).session(token)
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_by_each_of_its_tokens() {
        for by in ["a", "b", "c"] {
            let lineages = Lineages::default();
            let first = lineages.of(key("a"));
            lineages.renewed(&first, key("b"));
            let second = lineages.of(key("b"));
            lineages.renewed(&second, key("c"));
            let other = lineages.of(key("other"));
            assert!(first.may_relay() && second.may_relay());
            assert_eq!(
                HashSet::from_iter(lineages.end(key(by), End::Changed)),
                HashSet::from([key("a"), key("b"), key("c")])
            );
            assert!(!first.is_current() && !second.is_current() && other.may_relay(), "{by}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_arrives_late_meets_the_end() {
        let lineages = Lineages::default();
        drop(lineages.of(key("a")));
        lineages.end(key("a"), End::Changed);
        let late = lineages.of(key("a"));
        assert!(late.is_current() && !late.may_relay());
        tokio::time::advance(KEPT_FOR + Duration::from_secs(1)).await;
        // A database session goes on with the same token after a change.
        assert!(late.may_relay());
        assert!(lineages.of(key("a")).may_relay());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_only_begun_changed_nothing() {
        let lineages = Lineages::default();
        let ticket = lineages.of(key("a"));
        lineages.end(key("a"), End::Begun);
        assert!(!ticket.is_current() && !ticket.was_changed());
        // A form that the upstream refused, and then one that it takes: the answer to that has the cookie that counts.
        assert!(lineages.of(key("a")).may_relay());
        lineages.end(key("a"), End::Changed);
        assert!(ticket.was_changed());
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_turn_out_to_be_one_end_together() {
        let lineages = Lineages::default();
        let (a, b) = (lineages.of(key("a")), lineages.of(key("b")));
        lineages.renewed(&a, key("b"));
        lineages.end(key("a"), End::Changed);
        assert!(!a.is_current() && !b.is_current());
    }

    #[tokio::test(start_paused = true)]
    async fn one_end_is_kept_once_and_reaches_a_bounded_number() {
        let lineages = Lineages::default();
        let first = lineages.of(key("a"));
        for n in 0..4 {
            lineages.renewed(&first, key(&format!("a {n}")));
        }
        lineages.end(key("a"), End::Changed);
        assert_eq!(lineages.state().ended.len(), 1);

        // A client sends its token beside made up ones, each of which is a session of its own.
        for n in 0..1000 {
            lineages.renewed(&lineages.of(key(&format!("made up {n}"))), key("shared"));
        }
        assert!(lineages.end(key("shared"), End::Changed).len() <= MOST_LINKED * MOST_TOKENS);
        assert!(lineages.state().ended.len() <= 1 + MOST_LINKED);
        assert!(!lineages.of(key("shared")).may_relay());
    }

    #[tokio::test(start_paused = true)]
    async fn refused_tokens_push_no_sign_out_from_memory() {
        let lineages = Lineages::default();
        lineages.end(key("a"), End::Changed);
        for n in 0..=MOST_KEPT {
            lineages.end(key(&format!("dead {n}")), End::Refused);
        }
        assert!(!lineages.of(key("a")).may_relay());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded() {
        let lineages = Lineages::default();
        for n in 0..MOST_KEPT + 5000 {
            lineages.end(key(&format!("{n}")), End::Changed);
            drop(lineages.of(key(&format!("seen {n}"))));
        }
        let ticket = lineages.of(key("long"));
        for n in 0..1000 {
            lineages.renewed(&ticket, key(&format!("long {n}")));
        }
        let state = lineages.state();
        assert!(
            state.ended.len() <= MOST_KEPT
                && state.renewed.len() <= MOST_KEPT
                && state.by_key.len() <= 3 * MOST_KEPT
        );
        assert!(ticket.lineage.inner().keys.len() <= MOST_TOKENS);
    }
}

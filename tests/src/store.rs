//! A session store that several apps share.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use auth_proxy::errors::BoxError;
use auth_proxy::store::{
    Count, Entry, Put, Revocation, SessionKey, SessionStore, StoreFuture, StoreWatcher, Stored, Ticket,
};
use tokio::time::Instant;

/// A session store in memory, shared by its clones. It drops no session before the session is ended.
#[derive(Clone, Debug, Default)]
pub struct SharedStore {
    state: Arc<Mutex<State>>,
    ending: Ending,
    tells_ends: bool,
    revoking_takes: Duration,
}

/// What `end` of a [`SharedStore`] does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ending {
    /// It removes the sessions.
    #[default]
    Works,
    /// It fails, as if the connection were refused.
    Fails,
    /// It never returns.
    Hangs,
    /// It panics in its future.
    Panics,
    /// It panics before it returns a future.
    PanicsAtOnce,
}

impl Ending {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Works, Self::Fails, Self::Hangs, Self::Panics, Self::PanicsAtOnce];
}

#[derive(Debug, Default)]
struct State {
    tickets: u64,
    entries: HashMap<SessionKey, Kept>,
    ended: HashSet<SessionKey>,
    watchers: Vec<StoreWatcher>,
    revocations: Vec<Revocation>,
    counters: HashMap<[u8; 32], (Instant, u64)>,
    reads: usize,
    is_down: bool,
}

#[derive(Debug)]
struct Kept {
    ticket: u64,
    session: Option<(Vec<u8>, Instant)>,
    linked: Vec<SessionKey>,
}

impl SharedStore {
    /// A store whose `end` behaves like this.
    #[must_use]
    pub fn ending(ending: Ending) -> Self {
        Self { ending, ..Self::default() }
    }

    /// A store that tells each instance what the others ended.
    #[must_use]
    pub fn telling_ends() -> Self {
        Self { tells_ends: true, ..Self::default() }
    }

    /// The same store, which takes this long to revoke tokens.
    #[must_use]
    pub fn revoking_in(self, revoking_takes: Duration) -> Self {
        Self { revoking_takes, ..self }
    }

    /// Every call fails from now on, and nothing is told.
    pub fn go_down(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_down = true;
        state.watchers.iter().for_each(StoreWatcher::lost);
    }

    /// The store works again. It is empty, because it may have missed a sign-out.
    pub fn come_back(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_down = false;
        state.entries.clear();
        for watcher in &state.watchers {
            watcher.revoked(&state.revocations);
            watcher.complete_until(far_future());
            watcher.revocations_complete_until(far_future());
        }
    }

    /// How often `get` was called.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.state.lock().unwrap().reads
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, BoxError> {
        let state = self.state.lock().unwrap();
        if state.is_down { Err("connection refused".into()) } else { Ok(state) }
    }

    /// The stored sessions, as bytes.
    #[must_use]
    pub fn sessions(&self) -> Vec<Vec<u8>> {
        let state = self.state.lock().unwrap();
        state.entries.values().filter_map(|kept| Some(kept.session.as_ref()?.0.clone())).collect()
    }

    /// How many revocations it has.
    #[must_use]
    pub fn revocations(&self) -> usize {
        self.state.lock().unwrap().revocations.len()
    }

    /// When the last revocation may be dropped.
    #[must_use]
    pub fn revoked_until(&self) -> Option<SystemTime> {
        self.state.lock().unwrap().revocations.iter().map(Revocation::until).max()
    }

    /// How many keys it counts.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.state.lock().unwrap().counters.len()
    }

    /// Forgets what it counted, as a store does that is restarted.
    pub fn forget_counters(&self) {
        self.state.lock().unwrap().counters.clear();
    }

    /// How many keys `end` was called for.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.state.lock().unwrap().ended.len()
    }
}

impl SessionStore for SharedStore {
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Entry> {
        Box::pin(async move {
            let mut state = self.state()?;
            state.reads += 1;
            state.tickets += 1;
            let new = Kept { ticket: state.tickets, session: None, linked: Vec::new() };
            let kept = state.entries.entry(*key).or_insert(new);
            let stored =
                kept.session.as_ref().map(|(bytes, since)| Stored::new(bytes.clone(), since.elapsed()));
            Ok(Entry::new(stored, Some(Ticket::new(kept.ticket))))
        })
    }

    fn put(&self, put: Put) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut state = self.state()?;
            if let Some(kept) = state.entries.get_mut(&put.key)
                && put.ticket.downcast_ref() == Some(&kept.ticket)
            {
                kept.session = Some((put.session, Instant::now()));
                kept.linked = put.linked;
            }
            Ok(())
        })
    }

    fn end<'a>(&'a self, keys: &'a [SessionKey], _block_for: Duration) -> StoreFuture<'a, ()> {
        self.state.lock().unwrap().ended.extend(keys);
        assert!(self.ending != Ending::PanicsAtOnce, "the store panics");
        Box::pin(async move {
            match self.ending {
                Ending::Works => {}
                Ending::Fails => return Err("connection refused".into()),
                Ending::Hangs => std::future::pending().await,
                Ending::Panics | Ending::PanicsAtOnce => panic!("the store panics"),
            }
            let mut state = self.state()?;
            let mut left = keys.to_vec();
            while let Some(key) = left.pop() {
                left.extend(state.entries.remove(&key).into_iter().flat_map(|kept| kept.linked));
            }
            state.watchers.iter().for_each(|watcher| watcher.ended(keys));
            Ok(())
        })
    }

    fn watch(&self, watcher: StoreWatcher) -> bool {
        if self.tells_ends {
            let mut state = self.state.lock().unwrap();
            if !state.is_down {
                watcher.revoked(&state.revocations);
                watcher.complete_until(far_future());
                watcher.revocations_complete_until(far_future());
            }
            state.watchers.push(watcher);
        }
        self.tells_ends
    }

    fn counts(&self) -> bool {
        true
    }

    fn count<'a>(&'a self, key: &'a [u8; 32], window: Duration) -> StoreFuture<'a, Option<Count>> {
        Box::pin(async move {
            let mut state = self.state()?;
            let (ends, count) = state.counters.entry(*key).or_insert((Instant::now() + window, 0));
            if *ends <= Instant::now() {
                (*ends, *count) = (Instant::now() + window, 0);
            }
            *count += 1;
            Ok(Some(Count::new(*count, ends.saturating_duration_since(Instant::now()))))
        })
    }

    fn keeps_revocations(&self) -> bool {
        self.tells_ends
    }

    fn revoke<'a>(&'a self, revocations: &'a [Revocation]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            tokio::time::sleep(self.revoking_takes).await;
            let mut state = self.state()?;
            state.revocations.extend(revocations);
            state.watchers.iter().for_each(|watcher| watcher.revoked(revocations));
            Ok(())
        })
    }
}

fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(1 << 20)
}

//! What this process remembers of sessions: the cached ones, which tokens belong together, and what was ended. With a
//! store, also whether it hears of the sign-outs of other instances.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::cached::{CachedSession, KeptSession, OpenSessions};
use super::family::TokenFamilies;
use super::key::{SessionKey, TokenKey};

/// A session counts as one entry for each 2 KiB of the upstream's response body.
const ENTRY_SIZE: usize = 2048;

/// Of so many remembered sessions, one is open: held in the app's type, and not only as text.
const OPEN_SHARE: usize = 64;

/// So many are open in any case.
const MIN_OPEN: usize = 16_384;

#[derive(Clone)]
struct Weight;

impl Weighter<SessionKey, KeptSession> for Weight {
    fn weight(&self, _: &SessionKey, session: &KeptSession) -> u64 {
        u64::try_from(1 + session.size() / ENTRY_SIZE).unwrap_or(u64::MAX)
    }
}

/// What this process remembers of the sessions of one proxy.
pub(crate) struct Local {
    memory: Cache<SessionKey, KeptSession, Weight>,
    open: Arc<OpenSessions>,
    families: TokenFamilies,
    /// Until when the sign-outs of other instances are known, in nanoseconds after `began`. Zero: they are not known.
    complete_until: AtomicU64,
    began: Instant,
    /// Whether they were known when that was last checked. A change empties the memory.
    was_complete: Mutex<bool>,
}

impl Local {
    pub(super) fn new(entries: u32, families: TokenFamilies) -> Self {
        let items = usize::try_from(entries).unwrap_or(usize::MAX);
        Self {
            memory: Cache::with_weighter(items, u64::from(entries), Weight),
            open: Arc::new(OpenSessions::new(MIN_OPEN.max(items / OPEN_SHARE))),
            families,
            complete_until: AtomicU64::new(0),
            began: Instant::now(),
            was_complete: Mutex::new(false),
        }
    }

    pub(super) fn families(&self) -> &TokenFamilies {
        &self.families
    }

    pub(super) fn get(&self, key: &SessionKey) -> Option<CachedSession> {
        self.memory.get(key).map(CachedSession::from)
    }

    pub(super) fn put(&self, key: &TokenKey, session: &CachedSession) {
        match session.kept_for(key) {
            Some(kept) => self.memory.insert(key.session, kept),
            // An older answer is not left in its place.
            None => drop(self.memory.remove(&key.session)),
        }
    }

    /// The remembered sessions that are open.
    pub(super) fn open(&self) -> &Arc<OpenSessions> {
        &self.open
    }

    /// Removes sessions. Returns whether one of them was there.
    pub(super) fn remove(&self, keys: &[SessionKey]) -> bool {
        // Not `any`: all of them must go.
        keys.iter().filter(|key| self.memory.remove(*key).is_some()).count() > 0
    }

    /// Forgets sessions that ended at another instance.
    pub(super) fn end_elsewhere(&self, keys: &[SessionKey]) {
        for key in keys {
            let linked = self.families.end_elsewhere(*key);
            self.remove(&linked);
        }
    }

    /// Whether this process knows of every sign-out at another instance.
    pub(super) fn is_complete(&self) -> bool {
        let until = self.complete_until.load(Ordering::Acquire);
        if self.nanoseconds(Instant::now()) < until {
            return true;
        }
        let mut was_complete = self.was_complete();
        // A heartbeat may have come before the lock was taken.
        if self.nanoseconds(Instant::now()) < self.complete_until.load(Ordering::Acquire) {
            return true;
        }
        if std::mem::take(&mut *was_complete) {
            self.families.flush();
        }
        false
    }

    pub(super) fn complete_until(&self, until: Instant) {
        let mut was_complete = self.was_complete();
        let has_lapsed = self.nanoseconds(Instant::now()) >= self.complete_until.load(Ordering::Acquire);
        // Nothing that was remembered without knowledge of the sign-outs may be used as if they were known.
        if has_lapsed || !*was_complete {
            self.families.flush();
        }
        *was_complete = true;
        self.complete_until.store(self.nanoseconds(until), Ordering::Release);
    }

    pub(super) fn lost(&self) {
        let mut was_complete = self.was_complete();
        self.complete_until.store(0, Ordering::Release);
        if std::mem::take(&mut *was_complete) {
            self.families.flush();
        }
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }

    fn was_complete(&self) -> MutexGuard<'_, bool> {
        self.was_complete.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn change_of_completeness_empties_the_memory() {
        let local = Local::new(10, TokenFamilies::default());
        let key = SessionKey::from_bytes([1; 32]);
        let snapshot = || local.families().snapshot(key);
        // In each step, what was remembered before is not used after.
        let before = snapshot();
        assert!(!local.is_complete() && before.is_current(), "nothing changed yet");
        local.complete_until(Instant::now() + SECOND);
        assert!(local.is_complete() && !before.is_current(), "the store is back");
        let before = snapshot();
        local.complete_until(Instant::now() + SECOND);
        assert!(local.is_complete() && before.is_current(), "one heartbeat after the other");
        tokio::time::advance(SECOND).await;
        assert!(!local.is_complete() && !before.is_current(), "the heartbeat is overdue");
        let before = snapshot();
        assert!(!local.is_complete() && before.is_current(), "it is emptied once");
        local.complete_until(Instant::now() + SECOND);
        let before = snapshot();
        tokio::time::advance(SECOND).await;
        local.complete_until(Instant::now() + SECOND);
        assert!(local.is_complete() && !before.is_current(), "a late heartbeat, which nobody noticed");
        let before = snapshot();
        local.lost();
        assert!(!local.is_complete() && !before.is_current(), "disconnected");
        assert!(!before.was_ended(), "no session ended");
    }

    #[tokio::test]
    async fn session_that_ended_elsewhere_is_forgotten_with_its_linked_tokens() {
        let local = Local::new(10, TokenFamilies::default());
        let [first, second] = [1, 2].map(|n| SessionKey::from_bytes([n; 32]));
        let snapshot = local.families().snapshot(first);
        local.families().add_renewed(&snapshot, second);
        local.end_elsewhere(&[second]);
        assert!(snapshot.was_ended());
        assert!(!local.families().snapshot(first).was_ended(), "a lookup from now on is not outdated");
    }
}

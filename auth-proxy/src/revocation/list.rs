//! The list of revoked tokens.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use super::entry::Revocation;
use super::identity::{Identity, NameHash};

/// The most entries, which take about 50 MiB. Only a visitor with a valid token, someone with the secret of the
/// webhook, or the issuer, can add one.
const MOST: usize = 1_000_000;

/// How often the expired entries of a full list are looked for, in seconds.
const FULL_SWEEP: u64 = 10;

/// The version of an empty list.
const FIRST_VERSION: u64 = 1;

/// The latest entries that are kept apart. A token that was good before them is compared with them alone, which takes less
/// time than to look it up in a long list.
const RECENT: usize = 16;

/// The list of revoked tokens.
pub(crate) struct Revocations {
    entries: RwLock<Entries>,
    /// Grows by one with each new entry.
    version: AtomicU64,
    /// Until when an entry is needed that did not fit, in seconds since the Unix epoch. Until then, the list says nothing
    /// about a token that is not on it. Zero: every entry fitted.
    overflows_until: AtomicU64,
    most: usize,
    /// Until when the list has every revocation, in nanoseconds after `began`. Zero: it is not known.
    complete_until: AtomicU64,
    /// Whether it was known at any time.
    was_complete: AtomicBool,
    began: Instant,
    /// Wakes those that wait for the end of a session.
    grown: Notify,
}

#[derive(Default)]
struct Entries {
    /// Until when each name is revoked, in seconds since the Unix epoch.
    names: Map<u64>,
    subjects: Map<Subject>,
    /// The latest entries. The one that made version `n` is at `n % RECENT`.
    recent: [Option<Revocation>; RECENT],
    /// When the number of entries reaches this, those that are over are removed.
    sweep_at: usize,
    /// From when on those of a full list are removed again, in seconds since the Unix epoch: it takes some milliseconds.
    sweep_after: u64,
}

type Map<V> = HashMap<NameHash, V, BuildHasherDefault<FirstHalf>>;

#[derive(Clone, Copy)]
struct Subject {
    issued_before: u64,
    until: u64,
    /// When this process learnt of the entry, in seconds since the Unix epoch.
    known_since: u64,
}

/// What the list says about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Revoked,
    /// The list is full, so the token may be revoked.
    Unknown,
}

impl Default for Revocations {
    fn default() -> Self {
        Self::with_capacity(MOST)
    }
}

impl Revocations {
    fn with_capacity(most: usize) -> Self {
        Self {
            entries: RwLock::default(),
            version: AtomicU64::new(FIRST_VERSION),
            overflows_until: AtomicU64::new(0),
            most,
            complete_until: AtomicU64::new(0),
            was_complete: AtomicBool::new(false),
            began: Instant::now(),
            grown: Notify::new(),
        }
    }

    /// Resolves when entries are added.
    pub(crate) fn grown(&self) -> Notified<'_> {
        self.grown.notified()
    }

    /// Whether a token is revoked. A token that was good is looked for again only when the list has grown.
    pub(crate) fn standing(&self, identity: &Identity) -> Standing {
        let absent_in = identity.absent_in.load(Ordering::Relaxed);
        if absent_in == self.version.load(Ordering::Acquire) {
            return Standing::Good;
        }
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        // Entries are added under the lock, so this version is that of the entries.
        let version = self.version.load(Ordering::Acquire);
        if entries.have(identity, absent_in, version) {
            return Standing::Revoked;
        }
        if self.is_overflowing() {
            return Standing::Unknown;
        }
        identity.absent_in.store(version, Ordering::Relaxed);
        Standing::Good
    }

    /// Whether the list has every revocation of all instances.
    pub(crate) fn is_complete(&self) -> bool {
        self.nanoseconds(Instant::now()) < self.complete_until.load(Ordering::Acquire)
    }

    /// Whether the list had every revocation at any time.
    pub(crate) fn was_complete(&self) -> bool {
        self.was_complete.load(Ordering::Relaxed)
    }

    pub(crate) fn complete_until(&self, until: Instant) {
        self.was_complete.store(true, Ordering::Relaxed);
        self.complete_until.store(self.nanoseconds(until), Ordering::Release);
    }

    /// Revocations of other instances are not delivered any more.
    pub(crate) fn lost(&self) {
        self.complete_until.store(0, Ordering::Release);
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether there is no entry.
    pub(crate) fn is_empty(&self) -> bool {
        self.version.load(Ordering::Acquire) == FIRST_VERSION
    }

    /// Whether a name is revoked.
    pub(crate) fn has_name(&self, name: NameHash) -> bool {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).names.contains_key(&name)
    }

    /// When this process learnt that a user was revoked, in seconds since the Unix epoch. `None` if it was not told so.
    pub(crate) fn knows_subject_since(&self, subject: NameHash) -> Option<u64> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        Some(entries.subjects.get(&subject)?.known_since)
    }

    /// Whether entries did not fit: the list says nothing then about what is not on it.
    pub(crate) fn is_overflowing(&self) -> bool {
        self.overflows_until.load(Ordering::Acquire) > 0
    }

    /// Adds entries, and returns whether each of them is on the list now. `now` is in seconds since the Unix epoch.
    pub(crate) fn add(&self, added: &[Revocation], now: u64) -> bool {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let mut version = self.version.load(Ordering::Acquire);
        let mut overflows_until = self.overflows_until.load(Ordering::Acquire);
        if overflows_until <= now {
            overflows_until = 0;
        }
        let mut all_fit = true;
        for entry in added.iter().filter(|entry| entry.until > now) {
            version += 1;
            entries.note(version, *entry);
            let is_full = entries.len() >= self.most;
            if (is_full && now >= entries.sweep_after) || entries.len() >= entries.sweep_at.max(1024) {
                entries.sweep(now);
            }
            if !entries.has_place_for(entry) && entries.len() >= self.most {
                all_fit = false;
                let was_overflowing = overflows_until > 0;
                overflows_until = overflows_until.max(entry.until);
                if !was_overflowing {
                    tracing::error!(
                        target: "auth_proxy::token",
                        most = self.most,
                        "the list of revoked tokens is full: tokens that are not on it count as unknown"
                    );
                }
                continue;
            }
            entries.add(entry, now);
        }
        // Under the lock: a reader that sees the new version finds the entries.
        self.overflows_until.store(overflows_until, Ordering::Release);
        self.version.store(version, Ordering::Release);
        drop(entries);
        self.grown.notify_waiters();
        all_fit
    }

    /// Every entry.
    pub(crate) fn all(&self) -> Vec<Revocation> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let names = entries.names.iter().map(|(hash, until)| Revocation::of_name(*hash, *until));
        let subjects = entries
            .subjects
            .iter()
            .map(|(hash, subject)| Revocation::of_subject(*hash, subject.issued_before, subject.until));
        names.chain(subjects).collect()
    }
}

impl Entries {
    /// Whether a token is revoked that was good in an earlier version (zero: in none).
    fn have(&self, identity: &Identity, absent_in: u64, version: u64) -> bool {
        let missed = version.saturating_sub(absent_in);
        if absent_in > 0 && missed <= RECENT as u64 {
            let mut recent = (absent_in..version).filter_map(|n| self.recent.get(slot(n + 1))?.as_ref());
            return recent.any(|entry| entry.is_of(identity));
        }
        let is_named = identity.names().iter().any(|name| self.names.contains_key(name));
        is_named
            || identity.subject.is_some_and(|(hash, issued_at)| {
                self.subjects.get(&hash).is_some_and(|subject| issued_at < subject.issued_before)
            })
    }

    /// Keeps the entry that makes this version.
    fn note(&mut self, version: u64, entry: Revocation) {
        if let Some(place) = self.recent.get_mut(slot(version)) {
            *place = Some(entry);
        }
    }

    fn len(&self) -> usize {
        self.names.len() + self.subjects.len()
    }

    fn has_place_for(&self, entry: &Revocation) -> bool {
        match entry.issued_before {
            Some(_) => self.subjects.contains_key(&entry.hash),
            None => self.names.contains_key(&entry.hash),
        }
    }

    fn add(&mut self, entry: &Revocation, now: u64) {
        match entry.issued_before {
            None => {
                let until = self.names.entry(entry.hash).or_default();
                *until = entry.until.max(*until);
            }
            Some(issued_before) => {
                let new = Subject { issued_before, until: entry.until, known_since: now };
                let known = self.subjects.entry(entry.hash).or_insert(new);
                // The store delivers an entry again after each connection. That is no news.
                if issued_before > known.issued_before {
                    *known = Subject { issued_before, known_since: now, ..*known };
                }
                known.until = known.until.max(entry.until);
            }
        }
    }

    /// Removes the entries whose tokens have expired.
    fn sweep(&mut self, now: u64) {
        self.names.retain(|_, until| *until > now);
        self.subjects.retain(|_, subject| subject.until > now);
        self.sweep_at = 2 * self.len();
        self.sweep_after = now + FULL_SWEEP;
    }
}

/// Where the entry of a version is in [`Entries::recent`].
#[expect(clippy::cast_possible_truncation, reason = "less than `RECENT`")]
fn slot(version: u64) -> usize {
    (version % RECENT as u64) as usize
}

/// A hash is its own hash.
#[derive(Default)]
struct FirstHalf(u64);

impl Hasher for FirstHalf {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u128(&mut self, hash: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
        let half = hash as u64;
        self.0 = half;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: u64 = 1_000;

    fn identity(names: &[u128], subject: Option<(u128, u64)>) -> Identity {
        Identity::new(names.iter().copied(), subject)
    }

    #[test]
    fn token_is_revoked_by_each_of_its_names_and_by_its_subject() {
        let list = Revocations::default();
        let tokens =
            [identity(&[1, 2], Some((9, 500))), identity(&[3], Some((9, 600))), identity(&[4], None)];
        let standing = || tokens.each_ref().map(|token| list.standing(token));
        assert_eq!(standing(), [Standing::Good; 3]);
        list.add(&[Revocation::of_name(2, NOW + 1)], NOW);
        assert_eq!(standing(), [Standing::Revoked, Standing::Good, Standing::Good]);
        list.add(&[Revocation::of_subject(9, 600, NOW + 1)], NOW);
        assert_eq!(
            standing(),
            [Standing::Revoked, Standing::Good, Standing::Good],
            "issued at 600, not before"
        );
        list.add(&[Revocation::of_subject(9, 601, NOW + 1), Revocation::of_subject(9, 1, NOW + 9)], NOW);
        assert_eq!(standing(), [Standing::Revoked, Standing::Revoked, Standing::Good]);
        // The name of one is not the subject of another.
        list.add(&[Revocation::of_subject(4, u64::MAX, NOW + 1)], NOW);
        assert_eq!(list.standing(&tokens[2]), Standing::Good);
    }

    /// However many entries a token has missed since it was last compared.
    #[test]
    fn entry_is_found_among_those_that_came_since() {
        for missed in 1..=2 * RECENT as u128 {
            for at in 0..missed {
                let list = Revocations::default();
                let [named, subject] = [identity(&[1], None), identity(&[], Some((1, 500)))];
                list.add(&[Revocation::of_name(99, NOW + 1)], NOW);
                assert_eq!([&named, &subject].map(|token| list.standing(token)), [Standing::Good; 2]);
                for n in 0..missed {
                    let entry = Revocation::of_name(if n == at { 1 } else { 100 + n }, NOW + 1);
                    list.add(&[entry, Revocation::of_subject(200 + n, 501, NOW + 1)], NOW);
                }
                let standing = [&named, &subject].map(|token| list.standing(token));
                assert_eq!(standing, [Standing::Revoked, Standing::Good], "{at} of {missed}");
                list.add(&[Revocation::of_subject(1, 501, NOW + 1)], NOW);
                assert_eq!(list.standing(&subject), Standing::Revoked);
            }
        }
    }

    #[test]
    fn entries_that_are_over_make_room() {
        let list = Revocations::with_capacity(2_000);
        for n in 0..1_900 {
            list.add(&[Revocation::of_name(n, NOW + 1)], NOW);
        }
        for n in 10_000..11_900 {
            list.add(&[Revocation::of_name(n, NOW + 100)], NOW + 50);
        }
        assert_eq!(list.standing(&identity(&[99_999], None)), Standing::Good);
        assert_eq!(list.standing(&identity(&[11_899], None)), Standing::Revoked);
    }

    #[tokio::test(start_paused = true)]
    async fn list_is_complete_for_the_time_that_the_store_says() {
        let list = Revocations::default();
        assert!(!list.is_complete());
        list.complete_until(Instant::now() + Duration::from_secs(1));
        assert!(list.is_complete());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!list.is_complete(), "it lapsed");
        list.complete_until(Instant::now() + Duration::from_secs(1));
        assert!(list.is_complete());
        list.lost();
        assert!(!list.is_complete(), "disconnected");
    }

    #[test]
    fn full_list_keeps_what_it_has_and_knows_nothing_of_other_tokens() {
        let list = Revocations::with_capacity(2);
        let entry = |n, until| [Revocation::of_name(n, until)];
        let standing = |n| list.standing(&identity(&[n], None));
        assert!(list.add(&[entry(1, NOW + 30), entry(2, NOW + 90)].concat(), NOW));
        assert!(!list.add(&entry(3, NOW + 40), NOW), "it is not on the list");
        assert!(list.add(&entry(2, NOW + 90), NOW), "it is on the list already");
        assert_eq!([1, 2, 3].map(standing), [Standing::Revoked, Standing::Revoked, Standing::Unknown]);
        // The first entry has expired and leaves its place. The third is still needed.
        assert!(list.add(&entry(4, NOW + 90), NOW + 31));
        assert_eq!([2, 4, 5].map(standing), [Standing::Revoked, Standing::Revoked, Standing::Unknown]);
        // No entry is missing that is still needed.
        assert!(!list.add(&entry(6, NOW + 100), NOW + 41));
        assert_eq!(standing(5), Standing::Unknown);
        assert!(list.add(&entry(6, NOW + 102), NOW + 101));
        assert_eq!([5, 6].map(standing), [Standing::Good, Standing::Revoked]);
    }
}

//! Stores with recorded events.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_proxy_redis::{Event, Key, Note, Options, Read, RedisStore, Ticket};
use auth_proxy_tests::settles;
use tokio::time::Instant;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// A store, the events that it reported, and the notes that it knows.
pub(crate) struct Store {
    pub(crate) known: Arc<Mutex<BTreeSet<Vec<u8>>>>,
    pub(crate) store: RedisStore,
    pub(crate) events: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Up,
    Alive(Instant),
    NotesKnown,
    Noted(Vec<Vec<u8>>),
    Ended(Vec<Key>),
    Lost,
}

impl Store {
    /// A store that no other instance comes back with.
    pub(crate) fn new(options: Options) -> Self {
        Self::exactly(options.grace(Duration::ZERO))
    }

    /// A store whose link came up, and is in its grace period.
    pub(crate) async fn with_grace(url: &str) -> Self {
        let store = Self::exactly(Options::new(url).grace(GRACE));
        store.comes_up(1).await;
        store
    }

    fn exactly(options: Options) -> Self {
        auth_proxy_tests::watch::start();
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let known = Arc::new(Mutex::new(BTreeSet::new()));
        let (noted, given_back) = (Arc::clone(&known), Arc::clone(&known));
        let on_event = move |event: Event<'_>| {
            if let Event::Noted(notes) = event {
                noted.lock().unwrap().extend(notes.iter().cloned());
            }
            seen.lock().unwrap().push(match event {
                Event::Up => Seen::Up,
                Event::Alive { until } => Seen::Alive(until),
                Event::NotesKnown { .. } => Seen::NotesKnown,
                Event::Noted(notes) => Seen::Noted(notes.to_vec()),
                Event::Ended(keys) => Seen::Ended(keys.to_vec()),
                Event::Lost => Seen::Lost,
            });
        };
        let known_notes = move || {
            let notes: Vec<_> = given_back.lock().unwrap().iter().filter_map(|bytes| read(bytes)).collect();
            Box::new(notes.into_iter()) as Box<_>
        };
        let store = RedisStore::with_notes(options, on_event, known_notes).unwrap();
        Self { known, store, events }
    }

    /// A store whose link is up.
    pub(crate) async fn up(url: &str) -> Self {
        Self::up_with(Options::new(url)).await
    }

    pub(crate) async fn up_with(options: Options) -> Self {
        let store = Self::new(options);
        store.comes_up(1).await;
        store
    }

    /// Waits until the link came up this many times.
    pub(crate) async fn comes_up(&self, times: usize) {
        self.store.start();
        assert!(settles(|| self.times(&Seen::Up) >= times).await, "not up");
    }

    pub(crate) async fn goes_down(&self, times: usize) {
        assert!(settles(|| self.times(&Seen::Lost) >= times).await, "not lost");
    }

    pub(crate) fn times(&self, event: &Seen) -> usize {
        self.events.lock().unwrap().iter().filter(|seen| *seen == event).count()
    }

    pub(crate) fn times_alive(&self) -> usize {
        self.events.lock().unwrap().iter().filter(|seen| matches!(seen, Seen::Alive(_))).count()
    }

    pub(crate) fn saw_end_of(&self, key: &Key) -> bool {
        self.events.lock().unwrap().iter().any(|seen| matches!(seen, Seen::Ended(keys) if keys.contains(key)))
    }

    pub(crate) fn knows(&self, note: &Note) -> bool {
        self.known.lock().unwrap().contains(&note.bytes)
    }

    /// How often a note was reported.
    pub(crate) fn times_noted(&self, note: &Note) -> usize {
        let events = self.events.lock().unwrap();
        let notes =
            events.iter().filter_map(|seen| if let Seen::Noted(notes) = seen { Some(notes) } else { None });
        notes.flatten().filter(|bytes| **bytes == note.bytes).count()
    }

    pub(crate) async fn note(&self, note: &Note) {
        self.store.note(std::slice::from_ref(note)).await.unwrap();
    }

    pub(crate) async fn get(&self, key: &Key) -> Read {
        self.store.get(key).await.unwrap()
    }

    pub(crate) async fn ticket(&self, key: &Key) -> Ticket {
        self.get(key).await.ticket.expect("a ticket")
    }

    pub(crate) async fn value(&self, key: &Key) -> Option<Vec<u8>> {
        self.get(key).await.value.map(|value| value.bytes)
    }

    pub(crate) async fn put(&self, ticket: &Ticket, value: &[u8]) -> bool {
        self.store.put(ticket, value, &[], HOUR).await.unwrap()
    }

    /// Stores a value under a key that has none.
    pub(crate) async fn remember(&self, key: &Key, value: &[u8]) {
        let ticket = self.ticket(key).await;
        assert!(self.put(&ticket, value).await);
    }

    pub(crate) async fn end(&self, key: &Key) {
        self.store.end(&[*key], Duration::ZERO).await.unwrap();
    }
}

/// A note with a number, which contains its end.
pub(crate) fn note_until(number: u32, until: u64) -> Note {
    let bytes = [&b"note"[..], &number.to_be_bytes(), &until.to_be_bytes()].concat();
    Note { bytes, until }
}

/// A note for an hour.
pub(crate) fn note(number: u32) -> Note {
    note_until(number, now() + 3600)
}

/// Seconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn read(bytes: &[u8]) -> Option<Note> {
    let until = u64::from_be_bytes(*bytes.strip_prefix(b"note")?.last_chunk()?);
    Some(Note { bytes: bytes.to_vec(), until })
}

/// The name of the record of a key.
pub(crate) fn name(key: &Key) -> String {
    use base64::Engine as _;
    format!("auth-proxy:s:{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key))
}

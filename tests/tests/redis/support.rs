//! Stores with recorded events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy_redis::{Event, Key, Options, Read, RedisStore, Ticket};
use auth_proxy_tests::settles;
use tokio::time::Instant;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// A store, and the events that it reported.
pub(crate) struct Store {
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
        let store = RedisStore::new(options, move |event| {
            seen.lock().unwrap().push(match event {
                Event::Up => Seen::Up,
                Event::Alive { until } => Seen::Alive(until),
                Event::NotesKnown { .. } => Seen::NotesKnown,
                Event::Noted(notes) => Seen::Noted(notes.to_vec()),
                Event::Ended(keys) => Seen::Ended(keys.to_vec()),
                Event::Lost => Seen::Lost,
            });
        });
        Self { store: store.unwrap(), events }
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

/// The name of the record of a key.
pub(crate) fn name(key: &Key) -> String {
    use base64::Engine as _;
    format!("auth-proxy:s:{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key))
}

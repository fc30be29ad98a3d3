//! The store.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::error::{InvalidUrl, StoreError, is_refusal, kind_of};
use crate::event::Event;
use crate::inner::{Inner, random};
use crate::key::Key;
use crate::link::Shared;
use crate::names::{Names, is_prefix};
use crate::note::Note;
use crate::options::Options;
use crate::record::{self, Generation, Record};
use crate::sentinels::Sentinels;
use crate::task::{Abort, keep_linked};
use crate::telling::News;
use crate::url::Target;

/// Sessions in Redis that several instances share. Clones share one connection.
///
/// ```no_run
/// # async fn lookup() -> Vec<u8> { Vec::new() }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_proxy_redis::{Event, Options, RedisStore};
/// use std::time::Duration;
///
/// let store = RedisStore::new(Options::new("redis://localhost:6379"), |event| {
///     if let Event::Ended(keys) = event {
///         // Forget these sessions in the memory of this process.
///     }
/// })?;
/// let key = [7; 32];
/// let read = store.get(&key).await?;
/// if read.value.is_none() {
///     let session = lookup().await;
///     if let Some(ticket) = read.ticket {
///         store.put(&ticket, &session, &[], Duration::from_secs(60)).await?;
///     }
/// }
/// store.end(&[key], Duration::ZERO).await?; // a sign-out
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Running>);

struct Running {
    inner: Arc<Inner>,
    task: Mutex<Option<Abort>>,
}

/// The answer of [`RedisStore::get`].
#[derive(Debug)]
pub struct Read {
    /// The value, if one is stored.
    pub value: Option<Value>,
    /// The ticket to store a value. Without one, do not store anything.
    pub ticket: Option<Ticket>,
}

/// A stored value.
#[derive(PartialEq, Eq)]
pub struct Value {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The time since they were stored, by the clock of the server.
    pub age: Duration,
}

/// Without the bytes.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("age", &self.age).finish_non_exhaustive()
    }
}

/// The right to store a value, until the session is ended. Take it before the value is looked up.
#[derive(Clone)]
pub struct Ticket {
    key: Key,
    generation: Generation,
    link: u64,
}

/// Without the key.
impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("link", &self.link).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// Checks the options. The connection is made in a background task, which the first call in a tokio runtime starts.
    ///
    /// `on_event` is called in the order of the events of a connection, by the task that reads the connection. It must be
    /// quick, and must not call the store.
    ///
    /// # Errors
    ///
    /// The URL or the prefix cannot be used.
    pub fn new(
        options: Options,
        on_event: impl Fn(Event<'_>) + Send + Sync + 'static,
    ) -> Result<Self, InvalidUrl> {
        Self::with_notes(options, on_event, || Box::new(std::iter::empty()))
    }

    /// Like [`new`](Self::new), for a caller that keeps the notes in its memory. `known_notes` returns them. It is called
    /// after each [`Event::Up`]: what Redis has lost is added again, and other instances are told only that.
    ///
    /// # Errors
    ///
    /// The URL or the prefix cannot be used.
    pub fn with_notes(
        options: Options,
        on_event: impl Fn(Event<'_>) + Send + Sync + 'static,
        known_notes: impl Fn() -> Box<dyn Iterator<Item = Note> + Send> + Send + Sync + 'static,
    ) -> Result<Self, InvalidUrl> {
        let mut target = Target::parse(&options.url)?;
        target.root_certificates.clone_from(&options.root_certificates);
        if !is_prefix(&options.prefix) {
            return Err(InvalidUrl(
                "the prefix of the keys in Redis must be 1 to 64 letters, digits, `-`, `_`, `.`, `:` or `/`",
            ));
        }
        if target.tls && rustls::crypto::CryptoProvider::get_default().is_none() {
            // redis-rs uses the default of the process, and panics if two providers are compiled in and none is chosen.
            rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        }
        let instance = random().ok_or(InvalidUrl("the operating system has no random numbers"))?;
        let target = Arc::new(target);
        let inner = Inner {
            sentinels: Sentinels::new(&target),
            names: Names::new(&options.prefix, &instance),
            options,
            target,
            instance,
            shared: Arc::new(Shared {
                on_event: Box::new(on_event),
                known_notes: Box::new(known_notes),
                acks: crate::acks::Acks::default(),
                trusted_until: Mutex::new(Instant::now()),
            }),
            pending: Mutex::default(),
            current: Mutex::default(),
            linked: Notify::new(),
            numbers: AtomicU64::new(1),
        };
        Ok(Self(Arc::new(Running { inner: Arc::new(inner), task: Mutex::new(None) })))
    }

    /// Starts the background task now, if a tokio runtime is running. A task whose runtime ended is started again.
    pub fn start(&self) {
        let mut task = self.0.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(|task| task.0.is_finished())
            && let Ok(runtime) = Handle::try_current()
        {
            self.0.inner.shared.trust_until(Instant::now());
            *task = Some(Abort(runtime.spawn(keep_linked(Arc::clone(&self.0.inner)))));
        }
    }

    /// Reads a session. One round trip; without a link none.
    ///
    /// # Errors
    ///
    /// The link is down, or Redis did not answer in time.
    pub async fn get(&self, key: &Key) -> Result<Read, StoreError> {
        self.start();
        let inner = &self.0.inner;
        let up = inner.settled().ok_or(StoreError::Down)?;
        let generation = random().ok_or(StoreError::Down)?;
        let ticket = record::ticket(&generation);
        let ticket_for = record::millis(inner.options.ticket_for).max(1).to_string();
        let args: [&[u8]; 2] = [&ticket, ticket_for.as_bytes()];
        let name = inner.names.session(key);
        let answer = timeout(
            inner.options.deadline,
            up.wire.run_on_session::<Vec<redis::Value>>(&up.wire.get, &name, &args),
        );
        let answer = answer.await.map_err(|_| StoreError::Timeout)?.map_err(|error| up.failed(&error))?;
        // While the answer was on its way, the link may have been lost.
        if up.link.is_broken() || !up.link.is_settled() {
            return Err(StoreError::Down);
        }
        let ticket_of = |generation| Some(Ticket { key: *key, generation, link: up.link.id });
        let (record, left) = match answer.as_slice() {
            [redis::Value::BulkString(record), redis::Value::Int(left)] => (Record::parse(record), *left),
            _ => (None, 0),
        };
        Ok(match record {
            Some(Record::Value { generation, stamp, keep, value }) => {
                let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
                // A value from before this link: its end may have been lost with the connection.
                let trusted = up.link.since.get().is_some_and(|since| stamp >= *since);
                Read {
                    value: trusted.then(|| Value { bytes: value, age: keep.saturating_sub(left) }),
                    ticket: ticket_of(generation),
                }
            }
            Some(Record::Ticket { generation }) => Read { value: None, ticket: ticket_of(generation) },
            Some(Record::Block) | None => Read { value: None, ticket: None },
        })
    }

    /// Whether a session could be read now, but for the grace period ([`Options::grace`]). One round trip; without a link none.
    ///
    /// # Errors
    ///
    /// The link is down, or Redis did not answer in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.start();
        let inner = &self.0.inner;
        let up = inner.current().ok_or(StoreError::Down)?;
        // The script of `get`, for a key that no session has. Its record is dropped after a millisecond.
        let mut key: Key = [0; 32];
        rand::fill(&mut key).map_err(|_| StoreError::Down)?;
        let name = inner.names.session(&key);
        let ticket = record::ticket(&random().ok_or(StoreError::Down)?);
        let args: [&[u8]; 2] = [&ticket, b"1"];
        let answer = up.wire.run_on_session::<redis::Value>(&up.wire.get, &name, &args);
        let answer = timeout(inner.options.deadline, answer).await.map_err(|_| StoreError::Timeout)?;
        answer.map(drop).map_err(|error| up.failed(&error))
    }

    /// Stores a value for this time, together with the keys that end with it (at most 8). One round trip.
    ///
    /// Returns whether the value was stored. It is not if the session was ended since the ticket was taken, if the link of
    /// the ticket is gone, or if the memory of Redis is full.
    ///
    /// # Errors
    ///
    /// The value is too large, the link is down, or Redis did not answer in time.
    pub async fn put(
        &self,
        ticket: &Ticket,
        value: &[u8],
        linked: &[Key],
        keep: Duration,
    ) -> Result<bool, StoreError> {
        self.start();
        let inner = &self.0.inner;
        if value.len() > inner.options.max_value || linked.len() > record::MAX_LINKED {
            return Err(StoreError::TooLarge);
        }
        let up = inner.settled().ok_or(StoreError::Down)?;
        if ticket.link != up.link.id || record::millis(keep) == 0 {
            return Ok(false);
        }
        let stamp = up.link.stamp.load(std::sync::atomic::Ordering::Relaxed);
        let record = record::value(&ticket.generation, stamp, keep, linked, value);
        let keep = record::millis(keep).to_string();
        let args: [&[u8]; 3] = [&ticket.generation, &record, keep.as_bytes()];
        let name = inner.names.session(&ticket.key);
        let answer =
            timeout(inner.options.deadline, up.wire.run_on_session::<i64>(&up.wire.put, &name, &args));
        let stored = answer.await.map_err(|_| StoreError::Timeout)?.map_err(|error| up.failed(&error))?;
        Ok(stored == 1)
    }

    /// Ends sessions, and the sessions linked to them, in Redis and in all instances. With `block_for`, nothing is stored
    /// under these keys for this time: use it if the upstream may still end the session later.
    ///
    /// Returns when all instances have forgotten the sessions: usually after three round trips, and after about a second
    /// if an instance does not answer. The work goes on if the future is dropped.
    ///
    /// # Errors
    ///
    /// The link is down, and did not come back in the two seconds after the time in which this instance trusted it. The
    /// sessions are ended as soon as it is up again.
    pub async fn end(&self, keys: &[Key], block_for: Duration) -> Result<(), StoreError> {
        self.start();
        if keys.is_empty() {
            return Ok(());
        }
        self.tell(News::Ended { keys: keys.to_vec(), block_for }).await
    }

    /// Adds notes to the list that all instances know, until the end of each. Every instance gets them as
    /// [`Event::Noted`]. An instance that starts later reads them.
    ///
    /// Returns when all instances have them: usually after two round trips, and after about a second if an instance does not
    /// answer. The work goes on if the future is dropped.
    ///
    /// # Errors
    ///
    /// The link is down, and did not come back in the two seconds after the time in which this instance trusted it. The
    /// notes are added as soon as it is up again: the oldest 4,096 and those that `known_notes` returns (see
    /// [`with_notes`](Self::with_notes)).
    /// [`StoreError::TooLarge`] if a note has not 1 to 64 bytes.
    pub async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.start();
        crate::note::check(notes)?;
        if notes.is_empty() {
            return Ok(());
        }
        self.tell(News::Noted(notes.to_vec())).await
    }

    /// Adds one to a counter. The first count begins a window of this length, at whose end the counter is gone. Returns the
    /// count, and the time until then; `None` if the memory of Redis is full. One round trip; without a link none.
    ///
    /// # Errors
    ///
    /// The link is down, or Redis did not answer in time. [`StoreError::Server`] if Redis answered with an error, such as
    /// `NOPERM`. The link stays up then.
    pub async fn count(&self, key: &Key, window: Duration) -> Result<Option<(u64, Duration)>, StoreError> {
        self.start();
        let inner = &self.0.inner;
        // Unlike a session, a counter may be used as soon as there is a link: if Redis has lost it, it begins anew.
        let up = inner.current().ok_or(StoreError::Down)?;
        let length = record::millis(window).max(1).to_string();
        let name = inner.names.counter(key);
        let args: [&[u8]; 1] = [length.as_bytes()];
        let answer =
            timeout(inner.options.deadline, up.wire.run_on_session::<Vec<u64>>(&up.wire.count, &name, &args));
        let answer = answer.await.map_err(|_| StoreError::Timeout)?;
        let counted = answer.map_err(|error| {
            // Any visitor can cause a count. What Redis refuses here does not end the link: if this is the wrong server, the
            // next beat, read or write finds that.
            if is_refusal(&error) { StoreError::Server(kind_of(&error)) } else { up.failed(&error) }
        })?;
        Ok(match counted.as_slice() {
            [count, left] => Some((*count, Duration::from_millis(*left))),
            _ => None,
        })
    }

    async fn tell(&self, news: News) -> Result<(), StoreError> {
        let work = Arc::clone(&self.0.inner).tell(news);
        tokio::spawn(work).await.unwrap_or(Err(StoreError::Down))
    }
}

/// Without the URL, which may contain a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let up = self.0.inner.current().is_some();
        f.debug_struct("RedisStore")
            .field("prefix", &self.0.inner.options.prefix)
            .field("up", &up)
            .finish_non_exhaustive()
    }
}

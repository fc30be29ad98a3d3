//! The store that instances share: its contract, the calls to it, and the sealed form of a session in it.

mod calls;
#[cfg(feature = "redis")]
mod redis;
mod sealed;
mod watcher;

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;

pub(super) use self::calls::SharedStore;
pub(crate) use self::calls::StoreState;
#[cfg(feature = "redis")]
pub use self::redis::Redis;
pub use self::watcher::StoreWatcher;
use crate::error::BoxError;
use crate::revocation::Revocation;
use crate::session::key::SessionKey;

/// The future of a method of [`SessionStore`]: `Box::pin(async move { .. })`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Stores the sessions of `session.cache` for several instances of an app.
///
/// The default is this process's memory, bounded by `session.cache_entries`. A store is set with
/// [`Builder::session_store`](crate::options::Builder::session_store). For Redis and Valkey, see the option
/// `session.store`.
///
/// The store is only a cache: if a method fails, the upstream is asked. A method must not block its thread. `get` and
/// `put` may take a quarter of `upstream.timeout`, and at most one second; `end` and `revoke` may take six seconds. Then
/// the method counts as failed. So does a panic. The first failure is logged as a warning with its error, so an error must
/// hold no secret. The first success after it is logged too.
///
/// A session is [sealed](Put::session) before it is stored: only a request that has its token can open it.
///
/// # Tickets
///
/// A lookup may be under way while a visitor signs out at another instance. Its answer, stored after the sign-out, would
/// bring the session back. So [`get`](Self::get) returns a [`Ticket`], [`put`](Self::put) needs it, and
/// [`end`](Self::end) makes it invalid. Memcached's leases work in the same way (Nishtala et al., "Scaling Memcache at
/// Facebook", NSDI 2013, section 3.2.1).
///
/// ```
/// use std::collections::HashMap;
/// use std::time::Duration;
/// use auth_proxy::store::{Entry, Put, SessionKey, SessionStore, Stored, StoreFuture, Ticket};
/// use tokio::{sync::Mutex, time::Instant};
///
/// #[derive(Default)]
/// struct Simple(Mutex<Entries>);
///
/// #[derive(Default)]
/// struct Entries { last_ticket: u64, by_key: HashMap<SessionKey, (u64, Option<(Vec<u8>, Instant)>)> }
///
/// impl SessionStore for Simple {
///     fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Entry> {
///         Box::pin(async move {
///             let mut entries = self.0.lock().await;
///             entries.last_ticket += 1;
///             let new = (entries.last_ticket, None);
///             let (ticket, stored) = entries.by_key.entry(*key).or_insert(new);
///             let session = stored.as_ref().map(|(bytes, since)| Stored::new(bytes.clone(), since.elapsed()));
///             Ok(Entry::new(session, Some(Ticket::new(*ticket))))
///         })
///     }
///     fn put(&self, put: Put) -> StoreFuture<'_, ()> {
///         Box::pin(async move {
///             let mut entries = self.0.lock().await;
///             if let Some((ticket, stored)) = entries.by_key.get_mut(&put.key)
///                 && put.ticket.downcast_ref() == Some(ticket)
///             {
///                 *stored = Some((put.session, Instant::now()));
///             }
///             Ok(())
///         })
///     }
///     fn end<'a>(&'a self, keys: &'a [SessionKey], _block_for: Duration) -> StoreFuture<'a, ()> {
///         Box::pin(async move {
///             let mut entries = self.0.lock().await;
///             keys.iter().for_each(|key| drop(entries.by_key.remove(key)));
///             Ok(())
///         })
///     }
/// }
/// ```
pub trait SessionStore: Send + Sync + 'static {
    /// The entry under this key. If there is none, the store makes one without a session.
    ///
    /// # Errors
    /// If the store fails. The upstream is asked then, and its answer is not stored.
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Entry>;

    /// Stores a session, if the entry of its ticket is still there. If it is not, the session ended meanwhile, and `put`
    /// does nothing. The check and the change must be one atomic step.
    ///
    /// # Errors
    /// If the store fails. Another request asks the upstream then.
    fn put(&self, put: Put) -> StoreFuture<'_, ()>;

    /// Removes the entries of ended sessions, and those of the keys that they are [linked](Put::linked) to. Tickets of
    /// these entries are invalid from then on. An unknown key is not an error.
    ///
    /// `block_for` is not zero if the upstream may still carry out a sign-out that got no response. For that time, `get`
    /// should return no session and no ticket for these keys.
    ///
    /// # Errors
    /// If the entries may still be in the store. Other instances may use the sessions for `session.cache` then. This
    /// instance does not: it remembers its last 16,384 ended sessions for that long.
    fn end<'a>(&'a self, keys: &'a [SessionKey], block_for: Duration) -> StoreFuture<'a, ()>;

    /// Takes a handle through which the store tells what other instances ended. Called once, when the proxy is built,
    /// perhaps outside of a runtime. `true` if the store uses the handle.
    ///
    /// With `true`, this process's memory serves as a first level in front of the store. With `false`, which is the
    /// default, each request reads the store.
    fn watch(&self, watcher: StoreWatcher) -> bool {
        drop(watcher);
        false
    }

    /// Called in a runtime by requests that need the list of revoked tokens while it is
    /// [not complete](StoreWatcher::revocations_complete_until). A store that connects in the background begins here, if
    /// [`watch`](Self::watch) was called outside of a runtime. It must return at once.
    fn connect(&self) {}

    /// Whether the store counts, for `sign_in_limit`.
    fn counts(&self) -> bool {
        false
    }

    /// Adds one to the counter under this key, which is that of no session. The first count begins a window of this length;
    /// when it is over, the counter is zero again. Later counts do not lengthen it. The change must be one atomic step. `None`
    /// if the store works and cannot count now, as when its memory is full.
    ///
    /// Each instance counts its own attempts too, and the larger count decides.
    ///
    /// # Errors
    /// If the store fails. What each instance has counted itself decides then.
    fn count<'a>(&'a self, key: &'a [u8; 32], window: Duration) -> StoreFuture<'a, Option<Count>> {
        let _ = (key, window);
        Box::pin(async { Err("this store does not count".into()) })
    }

    /// Whether the store works now, for [`check`](crate::Proxy::check). The default reads a key that no session has.
    ///
    /// # Errors
    /// If the store would fail in a `get`.
    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async {
            let mut random = [0; 32];
            rand::fill(&mut random)?;
            self.get(&SessionKey::from_bytes(random)).await.map(drop)
        })
    }

    /// Whether the store keeps revoked tokens, for `session.revocation: store`.
    fn keeps_revocations(&self) -> bool {
        false
    }

    /// Adds revoked tokens, keeps each until [`Revocation::until`], and passes them to the watchers of all instances. It
    /// returns when they have them, if it can know that.
    ///
    /// # Errors
    /// If the store fails. Other instances may accept the tokens then.
    fn revoke<'a>(&'a self, revocations: &'a [Revocation]) -> StoreFuture<'a, ()> {
        let _ = revocations;
        Box::pin(async { Err("this store keeps no revoked tokens".into()) })
    }
}

/// The error of a store that has no connection now, and that logs this itself: the proxy logs no error of this type.
///
/// ```
/// use auth_proxy::{errors::BoxError, store::NotConnected};
///
/// fn connection(open: Option<u32>) -> Result<u32, BoxError> {
///     open.ok_or_else(|| NotConnected.into())
/// }
/// assert_eq!(connection(None).unwrap_err().to_string(), "the session store is not connected");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NotConnected;

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session store is not connected")
    }
}

impl std::error::Error for NotConnected {}

/// A counter of a store.
///
/// ```
/// use std::time::Duration;
/// use auth_proxy::store::Count;
///
/// // The third attempt of a window that ends in four seconds.
/// let count = Count::new(3, Duration::from_secs(4));
/// # let _ = count;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub(super) count: u64,
    pub(super) left: Duration,
}

impl Count {
    /// The number with this count, and the time until the window ends.
    #[must_use]
    pub fn new(count: u64, left: Duration) -> Self {
        Self { count, left }
    }
}

/// What a store has under a key.
#[derive(Debug)]
pub struct Entry {
    pub(super) session: Option<Stored>,
    pub(super) ticket: Option<Ticket>,
}

impl Entry {
    /// An entry. Without a ticket, the answer of the lookup that follows is not stored.
    #[must_use]
    pub fn new(session: Option<Stored>, ticket: Option<Ticket>) -> Self {
        Self { session, ticket }
    }
}

/// A stored session.
pub struct Stored {
    pub(super) bytes: Vec<u8>,
    pub(super) age: Duration,
}

impl Stored {
    /// The bytes of [`Put::session`], and the time since they were put. Measure the time with one clock: the clocks of
    /// two machines differ. A session that is too old is not used.
    #[must_use]
    pub fn new(bytes: Vec<u8>, age: Duration) -> Self {
        Self { bytes, age }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("age", &self.age).finish_non_exhaustive()
    }
}

/// A session to store.
#[non_exhaustive]
pub struct Put {
    /// Its key.
    pub key: SessionKey,
    /// The ticket of its entry.
    pub ticket: Ticket,
    /// The session, encrypted and authenticated with AES-256-GCM. The key is derived from the session token, which the
    /// store does not get, so that a dump of the store tells nothing about the users.
    pub session: Vec<u8>,
    /// The keys of other tokens of the same session: those that the upstream renewed from one another. All end
    /// together.
    pub linked: Vec<SessionKey>,
    /// The store may drop the session after this time.
    pub keep: Duration,
}

impl fmt::Debug for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// Names one entry of a store, until a sign-out removes that entry.
#[derive(Clone)]
pub struct Ticket(Arc<dyn Any + Send + Sync>);

impl Ticket {
    /// A ticket with a value of the store's own, which no later entry under the same key may have.
    #[must_use]
    pub fn new(value: impl Any + Send + Sync) -> Self {
        Self(Arc::new(value))
    }

    /// The value. `None` if it has another type.
    #[must_use]
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(..)")
    }
}

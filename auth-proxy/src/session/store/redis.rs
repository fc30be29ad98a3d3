//! The store in Redis, of the package `axum-auth-proxy-redis`.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use auth_proxy_redis::{Event, InvalidUrl, Note, Options, Read, RedisStore, StoreError, Value};

use super::{Count, Entry, NotConnected, Put, SessionStore, StoreFuture, StoreWatcher, Stored, Ticket};
use crate::error::BoxError;
use crate::revocation::Revocation;
use crate::session::key::SessionKey;

/// Cached sessions and revoked tokens in Redis 6 or newer, or Valkey 7 or newer, for the instances of one app.
///
/// `session: { store: redis(env("REDIS_URL")) }` in the block makes one with the default options. With other options:
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// use auth_proxy::store::{Redis, RedisOptions};
/// use std::time::Duration;
///
/// let redis = Redis::new(RedisOptions::new("redis://cache.internal:6379").prefix("shop"))?;
/// let auth = Auth::builder().session_cache(Duration::from_secs(30)).session_store(redis).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Redis {
    options: Options,
    store: OnceLock<RedisStore>,
    /// Whether Redis refused the last count. It is logged once, not for each attempt.
    refuses_counts: AtomicBool,
}

impl Redis {
    /// A store for one proxy. It connects when the proxy is built, or with the first request if no runtime runs then.
    ///
    /// # Errors
    /// What is wrong with the URL or the prefix.
    pub fn new(options: Options) -> Result<Self, InvalidUrl> {
        // Checks the options. Without a call, it does not connect.
        RedisStore::new(options.clone(), |_| ())?;
        Ok(Self { options, store: OnceLock::new(), refuses_counts: AtomicBool::new(false) })
    }

    fn store(&self) -> Result<&RedisStore, BoxError> {
        self.store.get().ok_or_else(|| "a Redis store serves one proxy only".into())
    }
}

impl SessionStore for Redis {
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Entry> {
        Box::pin(async move {
            let Read { value, ticket } = self.store()?.get(key.as_bytes()).await.map_err(logged)?;
            let session = value.map(|Value { bytes, age }| Stored::new(bytes, age));
            Ok(Entry::new(session, ticket.map(Ticket::new)))
        })
    }

    /// Not a `get`: that waits for the end of the grace period after the start.
    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.store()?.ping().await.map_err(logged) })
    }

    fn put(&self, put: Put) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let Some(ticket) = put.ticket.downcast_ref() else { return Ok(()) };
            let linked: Vec<_> = put.linked.iter().map(|key| *key.as_bytes()).collect();
            match self.store()?.put(ticket, &put.session, &linked, put.keep).await {
                // The visitor's session is large. The store did not fail.
                Ok(_) | Err(StoreError::TooLarge) => Ok(()),
                Err(error) => Err(logged(error)),
            }
        })
    }

    fn end<'a>(&'a self, keys: &'a [SessionKey], block_for: Duration) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let keys: Vec<_> = keys.iter().map(|key| *key.as_bytes()).collect();
            self.store()?.end(&keys, block_for).await.map_err(logged)?;
            Ok(())
        })
    }

    fn connect(&self) {
        if let Some(store) = self.store.get() {
            store.start();
        }
    }

    fn counts(&self) -> bool {
        true
    }

    fn count<'a>(&'a self, key: &'a [u8; 32], window: Duration) -> StoreFuture<'a, Option<Count>> {
        Box::pin(async move {
            let counted = self.store()?.count(key, window).await;
            let refusal = match &counted {
                Ok(None) => Some("OOM"),
                Err(StoreError::Server(kind)) => Some(kind.as_str()),
                _ => None,
            };
            let was_refused = self.refuses_counts.swap(refusal.is_some(), Ordering::Relaxed);
            if let Some(error) = refusal
                && !was_refused
            {
                tracing::warn!(
                    target: "auth_proxy::lookup", error,
                    "Redis refuses to count attempts to sign in: each instance counts alone"
                );
            }
            match counted {
                Ok(counted) => Ok(counted.map(|(count, left)| Count::new(count, left))),
                // Sessions can still be read and ended, so the store did not fail.
                Err(StoreError::Server(_)) => Ok(None),
                Err(error) => Err(logged(error)),
            }
        })
    }

    fn keeps_revocations(&self) -> bool {
        true
    }

    fn revoke<'a>(&'a self, revocations: &'a [Revocation]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let notes: Vec<_> = revocations.iter().map(note).collect();
            self.store()?.note(&notes).await.map_err(logged)?;
            Ok(())
        })
    }

    fn watch(&self, watcher: StoreWatcher) -> bool {
        let known = watcher.clone();
        let known_notes = move || Box::new(known.revocations().into_iter().map(|one| note(&one))) as Box<_>;
        let on_event = move |event: Event<'_>| match event {
            Event::Alive { until } => watcher.complete_until(until),
            Event::Ended(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| SessionKey::from_bytes(*key)).collect();
                watcher.ended(&keys);
            }
            // Entries of a later version of this crate are left out.
            Event::Noted(notes) => {
                let entries = notes.iter().filter_map(|note| Revocation::from_bytes(note));
                watcher.revoked(&entries.collect::<Vec<_>>());
            }
            Event::NotesKnown { until } => watcher.revocations_complete_until(until),
            Event::Lost => watcher.lost(),
            Event::Up => {}
        };
        match RedisStore::with_notes(self.options.clone(), on_event, known_notes) {
            Ok(store) => {
                store.start();
                self.store.set(store).is_ok()
            }
            Err(_) => false,
        }
    }
}

/// `RedisStore` logs the loss of its link.
fn logged(error: StoreError) -> BoxError {
    match error {
        StoreError::Down => NotConnected.into(),
        error => error.into(),
    }
}

fn note(revocation: &Revocation) -> Note {
    Note { bytes: revocation.to_bytes().to_vec(), until: revocation.until_seconds() }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.options).finish()
    }
}

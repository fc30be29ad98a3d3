//! A store in Redis that leaves out a part of the protocol. With all parts, it is the store of the crate.

use std::sync::OnceLock;
use std::time::Duration;

use auth_proxy::store::{
    Entry, Put, Redis, RedisOptions, SessionKey, SessionStore, StoreFuture, StoreWatcher, Stored, Ticket,
};
use auth_proxy_redis::{Event, RedisStore};
use tokio::time::Instant;

/// Which parts of the protocol are in use.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Parts {
    /// A sign-out makes the lookups that are under way unable to store their answers.
    pub(crate) tickets: bool,
    /// A sign-out is told to the other instances.
    pub(crate) broadcast: bool,
    /// A lost connection empties the memory in front of the store.
    pub(crate) flush: bool,
    /// Not a part: each session takes a while on its way to Redis.
    pub(crate) slow: bool,
}

impl Parts {
    pub(crate) const ALL: Self = Self { tickets: true, broadcast: true, flush: true, slow: false };
}

pub(crate) enum Ablated {
    Whole(Redis),
    Partial(Partial),
}

pub(crate) struct Partial {
    options: RedisOptions,
    store: OnceLock<RedisStore>,
    parts: Parts,
}

impl Ablated {
    pub(crate) fn new(url: &str, parts: Parts) -> Self {
        let options = RedisOptions::new(url);
        match parts {
            Parts::ALL => Self::Whole(Redis::new(options).unwrap()),
            parts => {
                // Where Redis does not fail, no instance reconnects.
                let options = options.grace(Duration::ZERO);
                Self::Partial(Partial { options, store: OnceLock::new(), parts })
            }
        }
    }
}

impl SessionStore for Ablated {
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Entry> {
        match self {
            Self::Whole(redis) => redis.get(key),
            Self::Partial(partial) => Box::pin(async move {
                let read = partial.store.get().unwrap().get(key.as_bytes()).await?;
                let session = read.value.map(|value| Stored::new(value.bytes, value.age));
                Ok(Entry::new(session, read.ticket.map(Ticket::new)))
            }),
        }
    }

    fn put(&self, put: Put) -> StoreFuture<'_, ()> {
        match self {
            Self::Whole(redis) => redis.put(put),
            Self::Partial(partial) => Box::pin(async move {
                let store = partial.store.get().unwrap();
                let mut ticket = put.ticket.downcast_ref::<auth_proxy_redis::Ticket>().cloned();
                if partial.parts.slow {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                if !partial.parts.tickets {
                    // A ticket from after the lookup is as good as none.
                    ticket = store.get(put.key.as_bytes()).await?.ticket;
                }
                let Some(ticket) = ticket else { return Ok(()) };
                store.put(&ticket, &put.session, &[], put.keep).await?;
                Ok(())
            }),
        }
    }

    fn end<'a>(&'a self, keys: &'a [SessionKey], block_for: Duration) -> StoreFuture<'a, ()> {
        match self {
            Self::Whole(redis) => redis.end(keys, block_for),
            Self::Partial(partial) => Box::pin(async move {
                let keys: Vec<_> = keys.iter().map(|key| *key.as_bytes()).collect();
                partial.store.get().unwrap().end(&keys, block_for).await?;
                Ok(())
            }),
        }
    }

    fn watch(&self, watcher: StoreWatcher) -> bool {
        match self {
            Self::Whole(redis) => redis.watch(watcher),
            Self::Partial(partial) => {
                let parts = partial.parts;
                let on_event = move |event: Event<'_>| match event {
                    Event::Alive { .. } if !parts.flush => {
                        watcher.complete_until(Instant::now() + Duration::from_secs(3600));
                    }
                    Event::Alive { until } => watcher.complete_until(until),
                    Event::Ended(keys) if parts.broadcast => {
                        let keys: Vec<_> = keys.iter().map(|key| SessionKey::from_bytes(*key)).collect();
                        watcher.ended(&keys);
                    }
                    Event::Lost if parts.flush => watcher.lost(),
                    _ => {}
                };
                let store = RedisStore::new(partial.options.clone(), on_event).unwrap();
                partial.store.set(store).is_ok()
            }
        }
    }
}

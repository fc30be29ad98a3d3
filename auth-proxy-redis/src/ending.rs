//! Ends sessions in Redis and tells all instances.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::{Reason, StoreError};
use crate::inner::{Inner, Up};
use crate::key::Key;
use crate::link::{ALIVE, Link, REMOVED, TRUST};
use crate::names::Instance;
use crate::wire::{Wire, in_millis};
use crate::{message, record};

/// The most keys that one call ends with all their linked keys. Linked keys of linked keys are rare.
const MAX_KEYS: usize = 32;

impl Inner {
    /// Ends the keys now, or notes them for the next link.
    pub(crate) async fn end(self: Arc<Self>, keys: Vec<Key>, block_for: Duration) -> Result<(), StoreError> {
        let mut error = StoreError::Down;
        // The second attempt is for a link that came up between the failure and the note.
        for _ in 0..2 {
            if let Some(up) = self.current() {
                match self.end_over(&up, &keys, block_for).await {
                    Ok(()) => return Ok(()),
                    Err(failed) => error = failed,
                }
                up.link.fail(Reason::from("sign-out failed"));
            }
            // A link goes up while this lock is held, after it has replayed all notes.
            let mut pending = self.lock_pending();
            if self.current().is_none() {
                pending.add(&keys, block_for);
                drop(pending);
                break;
            }
        }
        // The instance itself, and others behind the same broken network, trust nothing after this time.
        let until = *self.shared.trusted_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(until) = until {
            sleep_until(until.min(Instant::now() + TRUST)).await;
        }
        Err(error)
    }

    async fn end_over(&self, up: &Up, keys: &[Key], block_for: Duration) -> Result<(), StoreError> {
        let link = &up.link;
        let number = self.next_number();
        let acks = self.shared.acks.collect(number);
        let published = async {
            let all = delete(self, &up.wire, keys, block_for).await?;
            self.publish(&up.wire, &message::ended(&self.instance, number, &all)).await
        };
        let (receivers, alive) = tokio::select! {
            published = timeout(TRUST, published) => {
                published.map_err(|_| StoreError::Timeout)?.map_err(|error| up.failed(&error))?
            }
            _ = link.broken() => return Err(StoreError::Down),
        };
        let until = Instant::now() + TRUST;
        tokio::select! {
            () = acks.wait(receivers, &alive) => {}
            () = sleep_until(until) => {}
        }
        // The server may have lost the list of instances when this link began. An instance of before may still trust.
        sleep_until(until.min(link.began + ALIVE)).await;
        Ok(())
    }

    /// Ends some noted keys over a new link, before it is up. Returns whether there were any.
    pub(crate) async fn replay_some(&self, wire: &Wire) -> RedisResult<bool> {
        let noted = self.lock_pending().oldest(MAX_KEYS);
        if noted.is_empty() {
            return Ok(false);
        }
        let mut all = Vec::new();
        for (key, block_for) in &noted {
            all.extend(delete(self, wire, &[*key], *block_for).await?);
        }
        self.publish(wire, &message::ended(&self.instance, self.next_number(), &all)).await?;
        self.lock_pending().remove(&noted);
        Ok(true)
    }

    /// Returns the number of receivers, and the instances that may still trust their sessions.
    async fn publish(&self, wire: &Wire, message: &[u8]) -> RedisResult<(usize, Vec<Instance>)> {
        let args: [&[u8]; 4] =
            [self.names.channel.as_bytes(), message, &in_millis(ALIVE), &in_millis(REMOVED)];
        let (receivers, alive): (usize, Vec<Vec<u8>>) =
            wire.run(&wire.publish, &[&self.names.alive], &args).await?;
        Ok((receivers, alive.iter().filter_map(|one| one.as_slice().try_into().ok()).collect()))
    }

    /// Tells all instances to forget everything.
    pub(crate) async fn forget_all(&self, wire: &Wire) -> RedisResult<()> {
        self.publish(wire, &message::forget_all()).await.map(|_| ())
    }
}

/// Deletes sessions and the sessions linked to them. Returns all their keys.
async fn delete(inner: &Inner, wire: &Wire, keys: &[Key], block_for: Duration) -> RedisResult<Vec<Key>> {
    let (block, block_for) = (record::block(), record::millis(block_for).to_string());
    let mut all = keys.to_vec();
    let mut next = 0;
    while let Some(key) = all.get(next) {
        let args: [&[u8]; 2] = [&block, block_for.as_bytes()];
        let linked: Vec<u8> = wire.run_on_session(&wire.end, &inner.names.session(key), &args).await?;
        for key in record::keys(&linked) {
            if all.len() < MAX_KEYS.max(keys.len()) && !all.contains(&key) {
                all.push(key);
            }
        }
        next += 1;
    }
    Ok(all)
}

/// Acknowledges messages in the background, until the link is dropped.
pub(crate) async fn acknowledge(
    inner: Arc<Inner>,
    link: Arc<Link>,
    wire: Wire,
    mut acks: tokio::sync::mpsc::Receiver<(Instance, u64)>,
) {
    while let Some((to, number)) = acks.recv().await {
        if link.is_broken() {
            return;
        }
        let ack = message::ack(&inner.instance, number);
        // A lost acknowledgement only makes a sign-out slower. The beats find a broken link.
        wire.publish(&inner.names.own_of(&to), &ack).await.ok();
    }
}

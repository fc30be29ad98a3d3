//! Ends sessions in Redis.

use std::time::Duration;

use redis::RedisResult;

use crate::inner::Inner;
use crate::key::Key;
use crate::link::{ALIVE, REMOVED};
use crate::wire::{Receivers, Wire, in_millis};
use crate::{message, record};

/// The most keys that one call ends with all their linked keys. Linked keys of linked keys are rare.
const MAX_KEYS: usize = 32;

impl Inner {
    /// Ends the keys, and tells all instances in a message with this number.
    pub(crate) async fn end_keys(
        &self,
        wire: &Wire,
        number: u64,
        keys: &[Key],
        block_for: Duration,
    ) -> RedisResult<Receivers> {
        let all = self.delete(wire, keys, block_for).await?;
        self.publish(wire, &message::ended(&self.instance, number, &all)).await
    }

    /// Ends some keys that are waiting. Returns whether there were any.
    pub(crate) async fn replay_ends(&self, wire: &Wire) -> RedisResult<bool> {
        let waiting = self.lock_pending().oldest(MAX_KEYS);
        if waiting.is_empty() {
            return Ok(false);
        }
        let mut all = Vec::new();
        for (key, block_for) in &waiting {
            all.extend(self.delete(wire, &[*key], *block_for).await?);
        }
        self.publish(wire, &message::ended(&self.instance, self.next_number(), &all)).await?;
        self.lock_pending().remove(&waiting);
        Ok(true)
    }

    /// Tells all instances to forget everything.
    pub(crate) async fn forget_all(&self, wire: &Wire) -> RedisResult<()> {
        self.publish(wire, &message::forget_all()).await.map(|_| ())
    }

    async fn publish(&self, wire: &Wire, message: &[u8]) -> RedisResult<Receivers> {
        let args: [&[u8]; 4] =
            [self.names.channel.as_bytes(), message, &in_millis(ALIVE), &in_millis(REMOVED)];
        wire.tell(&wire.publish, &[&self.names.alive], &args).await
    }

    /// Deletes sessions and the sessions linked to them. Returns all their keys.
    async fn delete(&self, wire: &Wire, keys: &[Key], block_for: Duration) -> RedisResult<Vec<Key>> {
        let (block, block_for) = (record::block(), record::millis(block_for).to_string());
        let mut all = keys.to_vec();
        let mut next = 0;
        while let Some(key) = all.get(next) {
            let args: [&[u8]; 2] = [&block, block_for.as_bytes()];
            let linked: Vec<u8> = wire.run_on_session(&wire.end, &self.names.session(key), &args).await?;
            for key in record::keys(&linked) {
                if all.len() < MAX_KEYS.max(keys.len()) && !all.contains(&key) {
                    all.push(key);
                }
            }
            next += 1;
        }
        Ok(all)
    }
}

//! Tells all instances what was ended or noted, and waits until they know it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::error::{Reason, StoreError};
use crate::inner::{Inner, Up};
use crate::key::Key;
use crate::link::{ALIVE, Link, TRUST};
use crate::message;
use crate::names::Instance;
use crate::note::Note;
use crate::noting::{PAGE, Told};
use crate::wire::{Receivers, Wire};

/// How long after the end of its trust a link is waited for.
const COMES_BACK: Duration = Duration::from_secs(2);

/// The most acknowledgements that are sent together.
const ACKS: usize = 256;

/// What all instances are told.
pub(crate) enum News {
    Ended { keys: Vec<Key>, block_for: Duration },
    Noted(Vec<Note>),
}

impl Inner {
    /// Tells the news now, or keeps them for the next link. A link that is lost usually comes back at once, so this waits a
    /// while for it: if this instance alone is cut off, the others still trust.
    pub(crate) async fn tell(self: Arc<Self>, news: News) -> Result<(), StoreError> {
        let mut error = StoreError::Down;
        let mut until = None;
        loop {
            if let Some(up) = self.current() {
                match self.tell_over(&up, &news).await {
                    Ok(()) => return Ok(()),
                    Err(failed) => error = failed,
                }
                up.link.fail(Reason::from(match news {
                    News::Ended { .. } => "sign-out failed",
                    News::Noted(_) => "note failed",
                }));
            }
            self.keep(&news);
            let until = *until.get_or_insert_with(|| self.shared.trusted_until() + COMES_BACK);
            if Instant::now() >= until || !self.is_linked_by(until).await {
                return Err(error);
            }
        }
    }

    /// Keeps the news for the next link, unless there is one.
    fn keep(&self, news: &News) {
        // A link goes up while this lock is held, after it has replayed the list.
        let mut pending = self.lock_pending();
        if self.current().is_none() {
            match news {
                News::Ended { keys, block_for } => pending.add(keys, *block_for),
                News::Noted(notes) => pending.add_notes(notes),
            }
        }
    }

    /// Waits for a link. Returns whether there is one before this time.
    async fn is_linked_by(&self, until: Instant) -> bool {
        loop {
            let mut linked = pin!(self.linked.notified());
            // Registered before the check, so that no link is missed.
            linked.as_mut().enable();
            if self.current().is_some() {
                return true;
            }
            if timeout_at(until, linked).await.is_err() {
                return false;
            }
        }
    }

    async fn tell_over(&self, up: &Up, news: &News) -> Result<(), StoreError> {
        let mut told = Vec::new();
        match news {
            News::Ended { keys, block_for } => {
                let number = self.next_number();
                let acks = self.shared.acks.collect(number);
                let receivers = within_trust(up, self.end_keys(&up.wire, number, keys, *block_for)).await?;
                told.push((acks, receivers));
            }
            News::Noted(notes) => {
                for page in notes.chunks(PAGE) {
                    let number = self.next_number();
                    let acks = self.shared.acks.collect(number);
                    let receivers =
                        within_trust(up, self.add_notes(&up.wire, number, page, Told::All)).await?;
                    told.push((acks, receivers));
                }
            }
        }
        let until = Instant::now() + TRUST;
        for (acks, (receivers, alive)) in &told {
            tokio::select! {
                () = acks.wait(*receivers, alive) => {}
                () = sleep_until(until) => {}
            }
        }
        // The server may have lost the list of instances before this link began, or another server may have been the
        // primary. An instance of before may still trust.
        sleep_until(until.min(up.began + ALIVE)).await;
        Ok(())
    }

    /// Tells some of the news that are waiting over a new link, before it is up. Returns whether there were any.
    pub(crate) async fn replay_some(&self, wire: &Wire) -> RedisResult<bool> {
        Ok(self.replay_ends(wire).await? || self.replay_notes(wire).await?)
    }
}

async fn within_trust(
    up: &Up,
    published: impl Future<Output = RedisResult<Receivers>>,
) -> Result<Receivers, StoreError> {
    tokio::select! {
        published = timeout(TRUST, published) => {
            published.map_err(|_| StoreError::Timeout)?.map_err(|error| up.failed(&error))
        }
        _ = up.link.broken() => Err(StoreError::Down),
    }
}

/// Acknowledges messages in the background, until the link is dropped.
pub(crate) async fn acknowledge(
    inner: Arc<Inner>,
    link: Arc<Link>,
    wire: Wire,
    mut acks: tokio::sync::mpsc::Receiver<(Instance, u64)>,
) {
    let mut batch = Vec::new();
    // Several in one round trip: one each would limit how many sign-outs all instances together can have in a second.
    while acks.recv_many(&mut batch, ACKS).await > 0 {
        if link.is_broken() {
            return;
        }
        let acks = batch
            .drain(..)
            .map(|(to, number)| (inner.names.own_of(&to), message::ack(&inner.instance, number)));
        // A lost acknowledgement only makes a sign-out slower. The beats find a broken link.
        wire.publish(acks).await.ok();
    }
}

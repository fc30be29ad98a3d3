//! Adds notes to the list in Redis, and reads the list.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use tokio::time::sleep;

use crate::error::Reason;
use crate::inner::{Inner, Up};
use crate::link::{ALIVE, Link, REMOVED};
use crate::message;
use crate::note::{MAX_BYTES, Note};
use crate::wire::{Receivers, Wire, in_millis};

/// The most notes in a message and in a page of the list: 32 KiB.
pub(crate) const PAGE: usize = 500;

/// The pause between pages that are given back, so that other calls come through.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a note is kept after its end: more than the clocks of servers differ.
const KEPT_LONGER: Duration = Duration::from_secs(3600);

/// The longest time until the end of a note.
const LONGEST: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

/// Which notes are published.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Also those that Redis has. Another instance may have added them just now, and other instances not know them yet.
    All,
    New,
}

impl Inner {
    /// Adds at most [`PAGE`] notes, and tells all instances in a message with this number.
    pub(crate) async fn add_notes(
        &self,
        wire: &Wire,
        number: u64,
        notes: &[Note],
        told: Told,
    ) -> RedisResult<Receivers> {
        let times: Vec<_> = notes.iter().map(|note| note.until.to_string()).collect();
        let (message, alive, removed) =
            (message::noted(&self.instance, number), in_millis(ALIVE), in_millis(REMOVED));
        let (kept_longer, longest) = (in_seconds(KEPT_LONGER), in_seconds(LONGEST));
        let only_new: &[u8] = if told == Told::New { b"1" } else { b"0" };
        let mut args: Vec<&[u8]> = vec![self.names.channel.as_bytes(), &message, &alive, &removed];
        args.extend([only_new, kept_longer.as_bytes(), longest.as_bytes()]);
        for (note, until) in notes.iter().zip(&times) {
            args.extend([until.as_bytes(), note.bytes.as_slice()]);
        }
        let keys = [self.names.notes.as_str(), self.names.alive.as_str()];
        wire.tell(&wire.note, &keys, &args).await
    }

    /// Adds some notes that are waiting. Returns whether there were any.
    pub(crate) async fn replay_notes(&self, wire: &Wire) -> RedisResult<bool> {
        let waiting = self.lock_pending().oldest_notes(PAGE);
        if waiting.is_empty() {
            return Ok(false);
        }
        self.add_notes(wire, self.next_number(), &waiting, Told::New).await?;
        self.lock_pending().remove_notes(&waiting);
        Ok(true)
    }

    /// Reads a page of the list, and reports it. Returns whether there are more.
    pub(crate) async fn read_notes(&self, link: &Link, wire: &Wire, page: usize) -> RedisResult<bool> {
        let (first, last) = (page * PAGE, page * PAGE + PAGE - 1);
        let args = [first.to_string(), last.to_string(), MAX_BYTES.to_string()];
        let args = args.each_ref().map(String::as_bytes);
        let (entries, notes): (usize, Vec<Vec<u8>>) =
            wire.run(&wire.notes, &[&self.names.notes], &args).await?;
        link.has_notes(&notes);
        Ok(entries == PAGE)
    }
}

/// Gives back the notes that this instance knows, in the background: Redis may have lost some of them.
pub(crate) async fn give_back(inner: Arc<Inner>, up: Arc<Up>) {
    let mut notes =
        (inner.shared.known_notes)().filter(|note| crate::note::check(std::slice::from_ref(note)).is_ok());
    loop {
        let page: Vec<_> = notes.by_ref().take(PAGE).collect();
        if page.is_empty() {
            return up.link.gave_back();
        }
        if let Err(error) = inner.add_notes(&up.wire, inner.next_number(), &page, Told::New).await {
            return up.link.fail(Reason::from(&error));
        }
        sleep(PAUSE).await;
    }
}

fn in_seconds(time: Duration) -> String {
    time.as_secs().to_string()
}

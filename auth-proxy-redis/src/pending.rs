//! Sign-outs and notes that Redis does not know yet.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::key::Key;
use crate::note::Note;

/// 4,096 keys are 200 KiB. With more, all instances forget everything instead.
const MAX: usize = 4096;
/// 4,096 notes are 500 KiB. With more, the rest waits until the store gives back all notes that it knows.
const MAX_NOTES: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Pending {
    keys: VecDeque<(Key, Instant)>,
    notes: VecDeque<Note>,
    /// Some keys did not fit.
    pub(crate) overflowed: bool,
}

impl Pending {
    pub(crate) fn add(&mut self, keys: &[Key], block_for: Duration) {
        let until = Instant::now() + Duration::from_millis(crate::record::millis(block_for));
        for key in keys {
            if let Some((_, known)) = self.keys.iter_mut().find(|(known, _)| known == key) {
                *known = until.max(*known);
            } else if self.keys.len() < MAX {
                self.keys.push_back((*key, until));
            } else {
                self.overflowed = true;
            }
        }
    }

    pub(crate) fn add_notes(&mut self, notes: &[Note]) {
        for note in notes {
            if self.notes.len() < MAX_NOTES && !self.notes.contains(note) {
                self.notes.push_back(note.clone());
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.notes.is_empty()
    }

    pub(crate) fn oldest_notes(&self, count: usize) -> Vec<Note> {
        self.notes.iter().take(count).cloned().collect()
    }

    /// Removes notes that Redis knows now.
    pub(crate) fn remove_notes(&mut self, notes: &[Note]) {
        self.notes.retain(|known| !notes.contains(known));
    }

    /// The oldest keys, and how long each must still be blocked.
    pub(crate) fn oldest(&self, count: usize) -> Vec<(Key, Duration)> {
        let now = Instant::now();
        let oldest = self.keys.iter().take(count);
        oldest.map(|(key, until)| (*key, until.saturating_duration_since(now))).collect()
    }

    /// All instances forget everything, so only blocks are left to do.
    pub(crate) fn keep_blocks(&mut self) {
        let now = Instant::now();
        self.keys.retain(|(_, until)| *until > now);
    }

    /// Removes keys that Redis knows now.
    pub(crate) fn remove(&mut self, keys: &[(Key, Duration)]) {
        self.keys.retain(|(known, _)| !keys.iter().any(|(key, _)| key == known));
    }
}

//! Sign-outs that Redis does not know yet.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::Key;

/// 4,096 keys are 200 KiB. With more, all instances forget everything instead.
const MAX: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Pending {
    keys: VecDeque<(Key, Instant)>,
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

    /// The oldest key, and how long it must still be blocked.
    pub(crate) fn first(&self) -> Option<(Key, Duration)> {
        let (key, until) = self.keys.front()?;
        Some((*key, until.saturating_duration_since(Instant::now())))
    }

    /// Removes a key that Redis knows now.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.keys.retain(|(known, _)| known != key);
    }
}

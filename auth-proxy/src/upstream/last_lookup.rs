//! [`LastLookup`]: how the last lookup ended, for an operator.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How the last lookup ended. The lock is held for a moment after each lookup, which took a round trip.
#[derive(Default)]
pub(crate) struct LastLookup(Mutex<Option<(Instant, Option<&'static str>)>>);

impl LastLookup {
    /// Notes the end of a lookup. `code` is that of its error.
    pub(crate) fn ended(&self, code: Option<&'static str>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), code));
    }

    /// How long ago it ended, and the code of its error. `None` before the first lookup.
    pub(crate) fn get(&self) -> Option<(Duration, Option<&'static str>)> {
        let (at, code) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some((at.elapsed(), code))
    }
}

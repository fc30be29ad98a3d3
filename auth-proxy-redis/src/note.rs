//! Notes: opaque entries of a list that all instances know.

use std::fmt;

use crate::error::StoreError;

/// The most bytes of a note.
pub(crate) const MAX_BYTES: usize = 64;

/// An entry of the list that all instances know, for a time.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    /// 1 to 64 bytes. Notes are equal if their bytes are.
    pub bytes: Vec<u8>,
    /// When the note is not needed any more, in seconds since the Unix epoch. Redis keeps it an hour longer, because clocks
    /// differ, and no note for more than two years.
    pub until: u64,
}

/// Without the bytes.
impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note").field("until", &self.until).finish_non_exhaustive()
    }
}

/// # Errors
///
/// A note is empty or too large.
pub(crate) fn check(notes: &[Note]) -> Result<(), StoreError> {
    let fits = |note: &Note| (1..=MAX_BYTES).contains(&note.bytes.len());
    if notes.iter().all(fits) { Ok(()) } else { Err(StoreError::TooLarge) }
}

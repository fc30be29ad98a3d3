//! Events.

use tokio::time::Instant;

use crate::key::Key;

/// What happened on the link to Redis.
#[derive(Debug)]
pub enum Event<'a> {
    /// The link is up. Its sessions are not trusted before the first [`Alive`](Self::Alive), after the grace period.
    Up,
    /// The link is trusted until this time.
    Alive {
        /// After this time, trust no session in the memory of this process.
        until: Instant,
    },
    /// Every note is known until this time. Unlike [`Alive`](Self::Alive), it also comes in the grace period if another
    /// instance knew every note when the link came up.
    NotesKnown {
        /// After this time, a note may be missing.
        until: Instant,
    },
    /// These notes are on the list: an instance added them, or they were there when the link came up. Some may be known
    /// already, and some may be over.
    Noted(&'a [Vec<u8>]),
    /// These sessions were ended, by this instance or another. Forget them.
    Ended(&'a [Key]),
    /// The link is lost. Forget all sessions in the memory of this process. Keep the notes.
    Lost,
}

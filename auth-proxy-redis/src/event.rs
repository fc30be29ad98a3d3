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
    /// These sessions were ended, by this instance or another. Forget them.
    Ended(&'a [Key]),
    /// The link is lost. Forget all sessions in the memory of this process.
    Lost,
}

//! What a store and its background task share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand;
use redis::RedisError;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::{Reason, StoreError, kind_of};
use crate::link::{Link, Shared};
use crate::names::{Instance, Names};
use crate::options::Options;
use crate::pending::Pending;
use crate::sentinels::{Address, Sentinels};
use crate::url::Target;
use crate::wire::Wire;

pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) target: Arc<Target>,
    pub(crate) sentinels: Sentinels,
    pub(crate) names: Names,
    pub(crate) instance: Instance,
    pub(crate) shared: Arc<Shared>,
    pub(crate) pending: Mutex<Pending>,
    pub(crate) current: Mutex<Option<Arc<Up>>>,
    /// Wakes those that wait for a link.
    pub(crate) linked: Notify,
    /// Counts links, beats and messages: a number of an earlier link is never used again.
    pub(crate) numbers: AtomicU64,
}

/// A link that is up.
pub(crate) struct Up {
    pub(crate) link: Arc<Link>,
    pub(crate) wire: Wire,
    /// The primary that the sentinels named.
    pub(crate) primary: Option<Address>,
    /// When the number of the link in Redis was taken. In the second before, other instances may have been linked to a
    /// server that this one knows nothing of.
    pub(crate) began: Instant,
}

impl Inner {
    /// The link, if its answers may be used now.
    pub(crate) fn current(&self) -> Option<Arc<Up>> {
        let current = self.lock_current().clone();
        current.filter(|up| !up.link.is_broken() && up.link.is_trusted())
    }

    /// The link, if sessions may be read and stored over it now.
    pub(crate) fn settled(&self) -> Option<Arc<Up>> {
        self.current().filter(|up| up.link.is_settled())
    }

    pub(crate) fn lock_current(&self) -> MutexGuard<'_, Option<Arc<Up>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock_pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

impl Up {
    /// The error of a command. An error that is not only slowness ends the link, which then finds the right server.
    pub(crate) fn failed(&self, error: &RedisError) -> StoreError {
        if error.is_timeout() {
            return StoreError::Timeout;
        }
        self.link.fail(Reason::from(error));
        if error.is_unrecoverable_error() || error.is_io_error() {
            StoreError::Down
        } else {
            StoreError::Server(kind_of(error))
        }
    }
}

/// Random bytes. `None` if the operating system has none.
pub(crate) fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

//! A list of revoked tokens that is filled here, and proxies that decode tokens with and without it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use auth_proxy::options::RevocationList;
use auth_proxy::store::{Entry, Put, Revocation, SessionKey, SessionStore, StoreFuture, StoreWatcher};
use tokio::time::Instant;

use crate::tokens::Auth;
use crate::{Error, tokens};

/// A store that holds nothing and tells of revoked tokens.
#[derive(Clone, Default)]
struct Store(Arc<OnceLock<StoreWatcher>>);

impl SessionStore for Store {
    fn get<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, Entry> {
        Box::pin(async { Ok(Entry::new(None, None)) })
    }

    fn put(&self, _: Put) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn end<'a>(&'a self, _: &'a [SessionKey], _: Duration) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn watch(&self, watcher: StoreWatcher) -> bool {
        watcher.revocations_complete_until(Instant::now() + Duration::from_secs(24 * 3600));
        self.0.set(watcher).is_ok()
    }

    fn keeps_revocations(&self) -> bool {
        true
    }
}

/// A proxy with a list of revoked tokens.
#[derive(Debug)]
pub struct Listed {
    /// The proxy.
    pub auth: Auth,
    watcher: StoreWatcher,
    entries: u64,
}

impl Listed {
    /// A proxy whose list has this many entries, none of a token that is measured.
    ///
    /// # Errors
    /// If an entry cannot be made.
    pub fn new(entries: u64) -> Result<Self, Error> {
        let store = Store::default();
        let auth = Auth::builder()
            .upstream_base_url("http://127.0.0.1:9")
            .upstream_secret([tokens::SECRET])
            .session_store(store.clone())
            .session_revocation(RevocationList::Store)
            .build()?;
        let watcher = store.0.get().ok_or("no watcher")?.clone();
        let mut listed = Self { auth, watcher, entries: 0 };
        listed.grow(entries)?;
        Ok(listed)
    }

    /// Adds entries, as if other instances had told of sign-outs.
    ///
    /// # Errors
    /// If an entry cannot be made.
    pub fn grow(&mut self, by: u64) -> Result<(), Error> {
        let made = (self.entries..self.entries + by).map(|n| entry(n).ok_or("no entry"));
        self.watcher.revoked(&made.collect::<Result<Vec<_>, _>>()?);
        self.entries += by;
        Ok(())
    }
}

/// An entry in its stored form: the version, no user, a hash, no time, and until when it is kept.
fn entry(n: u64) -> Option<Revocation> {
    // Spread over all bits, as hashes are.
    let hash = u128::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let mut bytes = vec![1, 0];
    bytes.extend(hash.to_be_bytes());
    bytes.extend([0; 8]);
    bytes.extend(4_102_444_800_u64.to_be_bytes());
    Revocation::from_bytes(&bytes)
}

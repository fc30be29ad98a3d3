//! A session store that several apps share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::store::{CachedSession, SessionKey, SessionStore, StoreFuture};

/// A session store in memory, shared by its clones. It serialises each session, like an external store. Sessions stay
/// in it until they are removed.
#[derive(Clone, Debug, Default)]
pub struct SharedStore(Arc<Mutex<HashMap<SessionKey, String>>>);

impl SharedStore {
    /// The serialised sessions.
    #[must_use]
    pub fn sessions(&self) -> Vec<String> {
        self.0.lock().unwrap().values().cloned().collect()
    }
}

impl SessionStore for SharedStore {
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
        Box::pin(async move {
            let text = self.0.lock().unwrap().get(key).cloned();
            Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
        })
    }

    fn put(&self, key: SessionKey, session: CachedSession, _keep: Duration) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let text = serde_json::to_string(&session)?;
            self.0.lock().unwrap().insert(key, text);
            Ok(())
        })
    }

    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.0.lock().unwrap().remove(key);
            Ok(())
        })
    }
}

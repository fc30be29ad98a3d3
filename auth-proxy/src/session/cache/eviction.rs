use std::sync::Arc;

use http::HeaderMap;

use super::{SessionKey, Sessions};
use crate::provider::Shared;
use crate::token::Credential;

/// Forgets what is known of a visitor around a request that signs them in or out, or changes their
/// session: before it, and again when the upstream has answered, since a lookup in between still finds
/// the old state.
pub(crate) struct Eviction {
    sessions: Arc<Sessions>,
    keys: Vec<SessionKey>,
}

impl Eviction {
    /// Forgets the session that these headers carry, for the first time.
    pub(crate) async fn begin(shared: &Shared, headers: &HeaderMap) -> Self {
        let credential = shared.credential(headers).ok().flatten();
        let tokens = credential.as_ref().map(Credential::candidates).into_iter().flatten();
        let keys: Vec<_> = tokens.map(SessionKey::of).collect();
        for key in &keys {
            shared.sessions.forget(key).await;
        }
        Self { sessions: Arc::clone(&shared.sessions), keys }
    }

    /// Forgets it again.
    pub(crate) async fn finish(mut self) {
        for key in std::mem::take(&mut self.keys) {
            self.sessions.forget(&key).await;
        }
    }
}

impl Drop for Eviction {
    /// The visitor went away before the answer came, and the upstream goes on all the same.
    fn drop(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        let (false, Ok(runtime)) = (keys.is_empty(), tokio::runtime::Handle::try_current()) else { return };
        let sessions = Arc::clone(&self.sessions);
        runtime.spawn(async move {
            for key in keys {
                sessions.forget(&key).await;
            }
        });
    }
}

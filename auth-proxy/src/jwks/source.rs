//! [`KeySource`]: where the keys of an issuer are fetched from.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::error::AuthError;
use crate::token::KEY_SET_LIMIT;
use crate::upstream::{Document, Upstream};

/// Where the keys of an issuer are fetched from.
pub(crate) enum KeySource {
    /// A route of the upstream, below its base path. Counts as a request to the upstream, with `upstream.headers`.
    Upstream { upstream: Arc<Upstream>, path: &'static str, timeout: Duration },
    /// `jwks.url`.
    Url(Box<Document>),
}

impl KeySource {
    /// The longest time that [`get`](Self::get) takes.
    pub(super) fn timeout(&self) -> Duration {
        match self {
            Self::Upstream { timeout, .. } => *timeout,
            Self::Url(document) => document.timeout(),
        }
    }

    /// Gets the key set.
    ///
    /// # Errors
    /// The errors of a request to the upstream.
    pub(super) async fn get(&self) -> Result<Bytes, AuthError> {
        match self {
            Self::Upstream { upstream, path, timeout } => {
                upstream.get_document(path, KEY_SET_LIMIT, Instant::now() + *timeout).await
            }
            Self::Url(document) => document.get(KEY_SET_LIMIT).await,
        }
    }
}

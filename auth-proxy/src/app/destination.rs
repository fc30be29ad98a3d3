//! [`App`]: where requests go, and how they are sent.

use std::sync::Arc;
use std::time::Duration;

use crate::provider::Shared;
use crate::upstream::AppClient;

/// An app behind this service, and how requests are sent to it.
pub(super) struct App {
    pub(super) shared: Arc<Shared>,
    pub(super) client: AppClient,
    pub(super) timeout: Duration,
    pub(super) preserves_host: bool,
    pub(super) passes_session: bool,
}

//! The login that routes decide with, and its end.

use std::sync::Arc;

use tokio::sync::watch;

use crate::gateway::Gateway;

/// A proxy with its caches. Configurations with the same options of the login share it.
#[derive(Clone)]
pub(crate) struct Login {
    gateway: Gateway,
    is_replaced: Arc<watch::Sender<bool>>,
}

impl Login {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self { gateway, is_replaced: Arc::new(watch::Sender::new(false)) }
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Whether both are one login.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.is_replaced, &other.is_replaced)
    }

    /// Ends what waits for [`replaced`](Self::replaced). Requests go to another login from now on, and so do sign-outs.
    pub(super) fn mark_replaced(&self) {
        self.is_replaced.send_replace(true);
    }

    /// Waits until another login replaces this one.
    pub(super) fn replaced(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut is_replaced = self.is_replaced.subscribe();
        async move {
            if is_replaced.wait_for(|is_replaced| *is_replaced).await.is_err() {
                // No routes are left that could replace it.
                std::future::pending::<()>().await;
            }
        }
    }
}

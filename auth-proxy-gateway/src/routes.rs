//! What is answered on `listen`: the sign-in routes, and the app behind the rules.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use auth_proxy::reverse_proxy::ReverseProxy;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::Request;
use tower::ServiceExt as _;

use crate::config::{Config, Report, Server as Limits};
use crate::gateway::Gateway;

/// The routes that count now. A reload replaces them; a request keeps those that it began with.
#[derive(Clone)]
pub(crate) struct Shared(Arc<RwLock<Arc<Routes>>>);

impl Shared {
    pub(crate) fn new(routes: Routes) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(routes))))
    }

    pub(crate) fn get(&self) -> Arc<Routes> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, routes: Routes) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routes);
    }
}

/// The routes of one configuration.
pub(crate) struct Routes {
    gateway: Option<Gateway>,
    router: Router,
    pub(crate) limits: Limits,
    logs_requests: bool,
}

impl Routes {
    /// The routes of a configuration. `gateway` is a proxy with the same options that goes on, with its caches.
    ///
    /// # Errors
    /// Mistakes of the configuration that show only now.
    pub(crate) fn new(config: &Config, gateway: Option<Gateway>) -> Result<Self, Report> {
        let gateway = match gateway {
            Some(gateway) => gateway,
            None => config.gateway()?,
        };
        todo!()
    }

    /// Other routes with the same limits, without a log of their requests.
    pub(crate) fn of_router(router: Router, limits: Limits) -> Self {
        Self { gateway: None, router, limits, logs_requests: false }
    }

    pub(crate) fn gateway(&self) -> Option<Gateway> {
        self.gateway.clone()
    }
}

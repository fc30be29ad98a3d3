//! What is answered on `listen`: the sign-in routes, the verdict endpoint, and the app behind the rules.

mod inside;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::{Method, Request};
use tower::ServiceExt as _;

use self::inside::Inside;
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
        let verdict = config.verdict(&gateway);
        let inside = match config.reverse_proxy(&gateway)? {
            Some(app) => Inside::new(gateway.clone(), verdict.clone(), app).router(),
            None => Router::new(),
        };
        let router = gateway.attach(inside).merge(gateway.upstream_routes()).merge(verdict.router());
        let (limits, logs_requests) = (config.server, config.log.requests);
        Ok(Self { gateway: Some(gateway), router, limits, logs_requests })
    }

    /// Other routes with the same limits, without a log of their requests.
    pub(crate) fn of_router(router: Router, limits: Limits) -> Self {
        Self { gateway: None, router, limits, logs_requests: false }
    }

    pub(crate) fn gateway(&self) -> Option<Gateway> {
        self.gateway.clone()
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        let begun = Instant::now();
        let asked = self.logs_requests.then(|| Asked::of(&request, self.gateway.as_ref()));
        let Ok(response) = self.router.clone().oneshot(request).await;
        if let Some(Asked { method, path, peer }) = asked {
            let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis());
            tracing::info!(target: "auth_proxy_gateway::requests", %method, path, status, ms, peer, "answered");
        }
        response
    }
}

/// What the log has of a request: never its query, and of a sign-in route only the base path, since some have a token in
/// their path.
struct Asked {
    method: Method,
    path: String,
    peer: Option<String>,
}

impl Asked {
    fn of(request: &Request<Body>, gateway: Option<&Gateway>) -> Self {
        let path = request.uri().path();
        let base = gateway.map(|gateway| gateway.config().base_path());
        let is_sign_in =
            base.filter(|base| path.strip_prefix(base).is_some_and(|rest| rest.starts_with('/')));
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        Self {
            method: request.method().clone(),
            path: is_sign_in.map_or_else(|| path.to_owned(), |base| format!("{base}/..")),
            peer: peer.map(|ConnectInfo(peer)| peer.ip().to_canonical().to_string()),
        }
    }
}

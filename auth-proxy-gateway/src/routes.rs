//! What is answered on `listen`: the sign-in routes, the verdict endpoint, and the app behind the rules.

mod login;
mod protected_app;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::{Method, Request};
use tower::ServiceExt as _;

use self::login::Login;
use self::protected_app::ProtectedApp;
use crate::config::{Config, Report, Server as Limits};
use crate::gateway::Gateway;
use crate::server::Site;
use crate::services;

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

    /// Replaces the routes. If their login is another, what waits for a sign-out of the one before ends.
    pub(crate) fn set(&self, routes: Routes) {
        let login = routes.login.clone();
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, Arc::new(routes));
        drop(current);
        if !login.is(&before.login) {
            before.login.mark_replaced();
        }
    }
}

impl Site for Shared {
    fn limits(&self) -> Limits {
        self.get().limits
    }

    async fn answer(&self, request: Request<Body>) -> Response {
        self.get().answer(request).await
    }
}

/// The routes of one configuration.
pub(crate) struct Routes {
    login: Login,
    router: Router,
    limits: Limits,
    logs_requests: bool,
}

impl Routes {
    /// The routes of a configuration. `login` is one with the same options that goes on, with its caches.
    ///
    /// # Errors
    /// Mistakes of the configuration that show only now.
    pub(crate) fn new(config: &Config, login: Option<Login>) -> Result<Self, Report> {
        let login = match login {
            Some(login) => login,
            None => Login::new(services::gateway(config)?),
        };
        let gateway = login.gateway();
        let verdict = services::verdict(config, gateway);
        let app = match services::reverse_proxy(config, gateway)? {
            Some(app) => ProtectedApp::new(login.clone(), verdict.clone(), app).router(),
            None => Router::new(),
        };
        let verdict = services::verdict_routes(config, gateway, &verdict)?;
        let router = gateway.attach(app).merge(gateway.upstream_routes()).merge(verdict);
        let (limits, logs_requests) = (config.server, config.log.requests);
        Ok(Self { login, router, limits, logs_requests })
    }

    pub(crate) fn login(&self) -> &Login {
        &self.login
    }

    /// Answers one request.
    async fn answer(&self, request: Request<Body>) -> Response {
        let begun = Instant::now();
        let asked = self.logs_requests.then(|| LoggedRequest::of(&request, self.login.gateway()));
        let Ok(response) = self.router.clone().oneshot(request).await;
        if let Some(LoggedRequest { method, path, peer }) = asked {
            let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis());
            tracing::info!(target: "auth_proxy_gateway::requests", %method, path, status, ms, peer, "answered");
        }
        response
    }
}

/// What the log has of a request: never its query, and of a sign-in route only the base path, since some have a token in
/// their path.
struct LoggedRequest {
    method: Method,
    path: String,
    peer: Option<String>,
}

impl LoggedRequest {
    fn of(request: &Request<Body>, gateway: &Gateway) -> Self {
        let path = request.uri().path();
        // The sign-in routes are served below both.
        let config = gateway.config();
        let bases = [config.base_path(), config.upstream_base_path()];
        let is_below = |base: &&str| path.strip_prefix(*base).is_some_and(|rest| rest.starts_with('/'));
        let sign_in = bases.into_iter().find(is_below);
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        Self {
            method: request.method().clone(),
            path: sign_in.map_or_else(|| path.to_owned(), |base| format!("{base}/..")),
            peer: peer.map(|ConnectInfo(peer)| peer.ip().to_canonical().to_string()),
        }
    }
}

//! The sign-in routes of this app: which there are, what may pass, and in which shape it goes up
//! and comes back. Knows nothing of sessions or tokens.

mod body;
#[cfg(feature = "client-js")]
mod client;
mod cors;
mod path;
mod request;
mod routes;
mod service;

use axum::Router;

use self::service::ProxyService;
use crate::provider::{Provider, Proxy};

impl<P: Provider> Proxy<P> {
    /// The sign-in routes: everything below `base_path`, forwarded to the upstream.
    ///
    /// Merge it into the app's router, outside of any `nest`: `base_path` is the whole path.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let app = axum::Router::new().merge(auth.router()).with_state(auth);
    /// # let _: axum::Router = app;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let service = ProxyService::new(self.shared());
        let base = self.config().base_path();
        Router::new()
            .route_service(base, service.clone())
            .route_service(&format!("{base}/"), service.clone())
            .route_service(&format!("{base}/{{*rest}}"), service)
    }

    /// Adds the sign-in routes to an app's router, and the [`layer`](Self::layer) that lets renewed
    /// sessions reach the browser.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, Session};
    /// # use axum::{Router, routing::get};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// async fn me(session: Session<Auth>) -> String { format!("{:?}", session.user.name) }
    ///
    /// let auth = Auth::from_env()?;
    /// let app: Router = auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone());
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    pub fn attach<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        router.merge(self.router()).layer(self.layer())
    }
}

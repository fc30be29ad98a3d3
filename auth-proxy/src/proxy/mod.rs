//! Forwards the sign-in routes to the upstream: checks each request, adapts headers, bodies, URLs and cookies in both
//! directions, and evicts the cached sessions that a request changes.
//!
//! Imports the rooms: `audit`, `cache_control`, `cookie`, `cross_origin`, `dialect`, `error`, `extract`, `forwarded`, `json`, `page`, `path`, `provider`, `revocation`, `session`, `telemetry`, `upstream`, `warnings`.
//! Does without the crates: `aws_lc_rs`, `hyper`, `jsonwebtoken`.

mod answer;
mod body;
mod callback_host;
mod callback_url;
#[cfg(feature = "client-js")]
mod client_js;
mod cors;
mod eviction;
mod foreign_origin;
mod foreign_urls;
mod forward;
mod location;
mod path;
mod plan;
mod read_body;
mod request;
mod revoke;
mod service;
mod session_answer;
mod session_check;
mod sign_in_limit;

use axum::Router;

pub(crate) use self::body::{BodyProgress, Limited};
pub(crate) use self::foreign_origin::origin_advice;
pub(crate) use self::foreign_urls::{Domains, OriginMatch, common_domain, compare_origins, origin_of};
pub(crate) use self::plan::{check_form, trusted_client};

use crate::provider::{AuthProxy, Proxy};

impl<P: AuthProxy> Proxy<P> {
    /// The sign-in routes: everything below `base_path`, forwarded to the upstream. None with `kind: generic`.
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
        self.routes_below(self.config().base_path())
    }

    /// The same routes below `upstream.base_path`. Empty if that is the same as `base_path`.
    ///
    /// The upstream builds its links, forms and callback URLs with its own base path, and with `Host` preserved they
    /// lead to this app. Merge these routes too if the paths differ and the upstream's pages or OAuth are used. They
    /// are separate because two proxies of one app may have upstreams with the same path, which only one of them can
    /// serve.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// auth_proxy! {
    ///     struct Auth { upstream: { base_url: "http://auth.internal", base_path: "/auth" } }
    /// }
    ///
    /// let auth = Auth::from_env()?;
    /// let app: axum::Router = auth.attach(axum::Router::new()).merge(auth.upstream_routes()).with_state(auth);
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    pub fn upstream_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let settings = &self.shared().settings;
        if settings.upstream_base_path == settings.base_path {
            return Router::new();
        }
        self.routes_below(&settings.upstream_base_path)
    }

    fn routes_below<S: Clone + Send + Sync + 'static>(&self, base: &str) -> Router<S> {
        let service = service::service(self);
        // An issuer of tokens has no sign-in. Without routes, its proxy can stand beside that of a login.
        if !self.shared().settings.has_sign_in() {
            return match revoke::path(self.shared()) {
                Some(path) => Router::new().route_service(&path, service),
                None => Router::new(),
            };
        }
        Router::new()
            .route_service(base, service.clone())
            .route_service(&format!("{base}/"), service.clone())
            .route_service(&format!("{base}/{{*rest}}"), service)
    }

    /// Adds the sign-in routes to an app's router, and the [`session_cookie_layer`](Self::session_cookie_layer) that
    /// lets renewed sessions reach the browser.
    ///
    /// ```
    /// # use auth_proxy::{Session, auth_proxy};
    /// # use axum::{Router, routing::get};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// async fn me(session: Session<Auth>) -> String { format!("{:?}", session.user.name) }
    ///
    /// let auth = Auth::from_env()?;
    /// let app: Router = auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone());
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    pub fn attach<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        // The sign-in routes do not need the layer: they look up no session, and they forward the upstream's cookies
        // themselves.
        router.layer(self.session_cookie_layer()).merge(self.router())
    }
}

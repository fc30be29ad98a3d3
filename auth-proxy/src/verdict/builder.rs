//! [`Verdict`]: what the endpoint demands and says.

use std::fmt;
use std::sync::Arc;

use super::headers::IdentityHeader;
use super::rules::PathRules;
use super::token::IdentityToken;
use crate::config::ConfigError;
use crate::provider::{AuthProxy, Proxy};

/// The path of the endpoint, unless another is chosen.
const PATH: &str = "/_auth/verdict";

impl<P: AuthProxy> Proxy<P> {
    /// An endpoint that tells a reverse proxy whether a request may pass, for services that are not written in Rust: nginx
    /// asks it with `auth_request`, Caddy with `forward_auth`, Traefik with ForwardAuth, Envoy with `ext_authz` over HTTP.
    /// See the [module](crate::verdict).
    ///
    /// Name the proxy in `trusted_proxies`: every question of another peer is refused.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # use axum::Router;
    /// auth_proxy! {
    ///     pub struct Auth {
    ///         upstream: { base_url: "http://auth.internal" },
    ///         trusted_proxies: ["127.0.0.1/32"],
    ///     }
    /// }
    ///
    /// let auth = Auth::from_env()?;
    /// let app: Router = auth.attach(Router::new()).merge(auth.verdict().router()).with_state(auth);
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn verdict(&self) -> Verdict<P> {
        Verdict {
            proxy: self.clone(),
            path: PATH.into(),
            headers: IdentityHeader::DEFAULT.into(),
            token: None,
            rules: PathRules::new(),
            refuses_cross_origin: false,
        }
    }
}

/// What the verdict endpoint demands of a visitor, and what it tells the service behind the proxy. See
/// [`Proxy::verdict`].
///
/// ```
/// # use auth_proxy::{auth_proxy, verdict::IdentityHeader};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" }, trusted_proxies: ["10.0.0.0/8"] } }
/// # let auth = Auth::from_env()?;
/// let verdict = auth
///     .verdict()
///     .at("/internal/verdict")?
///     .identity_headers([IdentityHeader::Subject, IdentityHeader::Roles])
///     .refuse_cross_origin();
/// let app: axum::Router = verdict.router();
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub struct Verdict<P: AuthProxy> {
    pub(super) proxy: Proxy<P>,
    pub(super) path: Arc<str>,
    pub(super) headers: Arc<[IdentityHeader]>,
    pub(super) token: Option<IdentityToken>,
    pub(super) rules: PathRules<P>,
    pub(super) refuses_cross_origin: bool,
}

impl<P: AuthProxy> Verdict<P> {
    /// Sets the path of the endpoint, in place of `/_auth/verdict`.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not a plain path, such as `/internal/verdict`.
    pub fn at(mut self, path: &str) -> Result<Self, ConfigError> {
        let path = auth_proxy_rules::path(path)
            .map_err(|error| ConfigError::of(P::SPEC.name, "verdict", error.to_string()))?;
        self.path = path.into();
        Ok(self)
    }

    /// The path of the endpoint.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Chooses the identity headers, in place of subject, name and email. None are sent for an empty list.
    #[must_use]
    pub fn identity_headers(mut self, headers: impl IntoIterator<Item = IdentityHeader>) -> Self {
        self.headers = headers.into_iter().collect();
        self
    }

    /// Sends a signed token too, in `X-Auth-Token`: see [`IdentityToken`].
    #[must_use]
    pub fn signed_token(mut self, token: IdentityToken) -> Self {
        self.token = Some(token);
        self
    }

    /// Requires different things for different paths. Without rules, and for paths without one, a session is required.
    #[must_use]
    pub fn rules(mut self, rules: PathRules<P>) -> Self {
        self.rules = rules;
        self
    }

    /// Refuses writes that pages of other origins send with the visitor's cookie, by the rules of
    /// [`cross_origin_protection`](Proxy::cross_origin_protection): 403 `cross_origin_refused`.
    ///
    /// It is off by default, since a service may have protection of its own, and pages of other origins that it trusts. Use it
    /// for a service that has none. The proxy must pass `Origin` and the `Sec-*` headers to the endpoint.
    #[must_use]
    pub fn refuse_cross_origin(mut self) -> Self {
        self.refuses_cross_origin = true;
        self
    }
}

impl<P: AuthProxy> Clone for Verdict<P> {
    fn clone(&self) -> Self {
        Self {
            proxy: self.proxy.clone(),
            path: Arc::clone(&self.path),
            headers: Arc::clone(&self.headers),
            token: self.token.clone(),
            rules: self.rules.clone(),
            refuses_cross_origin: self.refuses_cross_origin,
        }
    }
}

impl<P: AuthProxy> fmt::Debug for Verdict<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdict")
            .field("path", &self.path)
            .field("headers", &self.headers)
            .field("token", &self.token)
            .field("rules", &self.rules)
            .field("refuses_cross_origin", &self.refuses_cross_origin)
            .finish_non_exhaustive()
    }
}

//! [`ReverseProxyBuilder`]: the app and the limits of its requests.

use std::sync::Arc;
use std::time::Duration;

use super::destination::App;
use super::service::ReverseProxy;
use crate::config::ConfigError;
use crate::error::Causes;
use crate::provider::{AuthProxy, Proxy, Shared};
use crate::upstream::AppClient;

impl<P: AuthProxy> Proxy<P> {
    /// A service that forwards requests to an app at this address, such as `http://127.0.0.1:3001` or
    /// `unix:/run/app.sock`: for an app that is not written with axum. Put a guard in front of it.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// use axum::Router;
    ///
    /// let auth = Auth::from_env()?;
    /// let app = auth.reverse_proxy("http://127.0.0.1:3001").build()?;
    /// let inside = Router::new().fallback_service(app).layer(auth.require_any_session());
    /// let router: Router = auth.attach(inside).with_state(auth.clone());
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    pub fn reverse_proxy(&self, url: impl Into<String>) -> ReverseProxyBuilder {
        ReverseProxyBuilder {
            shared: Arc::clone(self.shared()),
            name: P::SPEC.name,
            url: url.into(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(3600),
            preserves_host: true,
            passes_session: false,
        }
    }
}

/// Sets the limits of a [`ReverseProxy`]. See [`Proxy::reverse_proxy`].
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # use std::time::Duration;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let app = auth
///     .reverse_proxy("http://127.0.0.1:3001")
///     .connect_timeout(Duration::from_secs(1))
///     .timeout(Duration::from_secs(10))
///     .idle_timeout(Duration::from_secs(600))
///     .preserve_host(false) // the app sees `Host: 127.0.0.1:3001`
///     .pass_session(true) // the app reads the session cookie itself
///     .build()?;
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub struct ReverseProxyBuilder {
    shared: Arc<Shared>,
    name: &'static str,
    url: String,
    connect_timeout: Duration,
    timeout: Duration,
    idle_timeout: Duration,
    preserves_host: bool,
    passes_session: bool,
}

impl ReverseProxyBuilder {
    /// How long connecting to the app may take. Default: 2 seconds.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// The longest wait for the head of a response. While the app reads the body of the request, the wait begins anew.
    /// Default: 60 seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The longest pause within the body of a response, such as a stream of events. Default: 1 hour.
    pub fn idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout, ..self }
    }

    /// Whether the app gets the host of the browser as `Host`. It is in `X-Forwarded-Host` in any case. Default: yes.
    pub fn preserve_host(self, preserves_host: bool) -> Self {
        Self { preserves_host, ..self }
    }

    /// Whether the app gets the session cookies, and the Bearer token that let a visitor through. An app that reads
    /// the identity headers does not need them. Default: no.
    pub fn pass_session(self, passes_session: bool) -> Self {
        Self { passes_session, ..self }
    }

    /// Checks the address and makes the client.
    ///
    /// # Errors
    /// When the address is neither an origin nor a Unix socket, or the certificates of the system cannot be read for an https address.
    pub fn build(self) -> Result<ReverseProxy, ConfigError> {
        let problem = |message: String| ConfigError::of(self.name, "the address of the app", message);
        let app =
            auth_proxy_rules::app_url(&self.url).map_err(|error| problem(error.message().to_owned()))?;
        let client = AppClient::new(&app, self.connect_timeout, self.idle_timeout)
            .map_err(|error| problem(format!("no client for it: {}", Causes(error.as_ref()))))?;
        Ok(ReverseProxy::new(App {
            shared: self.shared,
            client,
            timeout: self.timeout,
            preserves_host: self.preserves_host,
            passes_session: self.passes_session,
        }))
    }
}

impl std::fmt::Debug for ReverseProxyBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReverseProxyBuilder").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

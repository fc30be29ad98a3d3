//! The layer that refuses cross-origin writes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_proxy_rules::{InvalidValue, Origin, origin};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use tower::{Layer, Service};

use super::check;
use crate::config::ConfigError;
use crate::provider::{AuthProxy, Proxy};

impl<P: AuthProxy> Proxy<P> {
    /// A layer against cross-site request forgery: pages of other origins cannot write with the visitor's session.
    ///
    /// A request is refused with 403 `cross_origin_refused` when all of this holds:
    ///
    /// - its method is none of GET, HEAD, OPTIONS and TRACE, or it asks for an `Upgrade`, as WebSockets do;
    /// - it carries a session cookie. A request without one passes, with a Bearer token or without: a browser does not add
    ///   Bearer tokens by itself. With both, the cookie counts, as in the extractors;
    /// - `Sec-Fetch-Site` is neither `same-origin` nor `none`. Where a browser does not send it (over plain
    ///   http, before 2023, for WebSockets): `Origin` is not this app's, by `public_url`, else by the host of the request.
    ///   `Origin: null` is no origin. A request with neither header comes from no browser, and passes;
    /// - `Origin` is none of `cors.origins`, and none that was [trusted](CrossOriginProtection::trust_origin).
    ///
    /// Without `public_url` an `Origin` may be https where the request came as http, since TLS may end
    /// before this app; never the other way round. Set `public_url`, and HSTS, to have the scheme compared.
    ///
    /// It needs no token in forms and no state; a GET must change nothing. `SameSite=Lax`, which Auth.js sets, does not
    /// replace it: a page on another host of the same site sends the cookie too. Put it on the app's own routes, before [`attach`](Self::attach): the sign-in
    /// routes have Auth.js's CSRF token, which also prevents a sign-in under a foreign account, and providers post to
    /// them.
    ///
    /// Sources: [Fetch Metadata](https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header),
    /// [`Origin` in Fetch](https://fetch.spec.whatwg.org/#origin-header), and OWASP's
    /// [cheat sheet](https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
    /// Go's `http.CrossOriginProtection` decides alike.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, require_session};
    /// # use axum::{Router, routing::post};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// #[require_session]
    /// async fn transfer() -> &'static str { "done" }
    ///
    /// # let auth = Auth::from_env()?;
    /// let writes = Router::new().route("/transfer", post(transfer)).layer(auth.cross_origin_protection());
    /// let app: Router = auth.attach(writes).with_state(auth);
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn cross_origin_protection(&self) -> CrossOriginProtection<P> {
        CrossOriginProtection { proxy: self.clone(), trusted: Arc::default() }
    }
}

/// Refuses writes that pages of other origins make. See [`Proxy::cross_origin_protection`].
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # use axum::{Router, routing::post};
/// # let auth = Auth::from_env()?;
/// let protection = auth.cross_origin_protection().trust_origin("https://admin.example.com")?;
/// let writes: Router = Router::new().route("/transfer", post(|| async { "done" })).layer(protection);
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub struct CrossOriginProtection<P> {
    proxy: Proxy<P>,
    trusted: Arc<[Origin]>,
}

impl<P: AuthProxy> CrossOriginProtection<P> {
    /// Lets pages of one more origin write with their visitor's session, besides those of `cors.origins`.
    /// They still need CORS of the app to read the answers, or to send more than a form could.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let protection = auth.cross_origin_protection().trust_origin("https://admin.example.com")?;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] when the text is no http(s) origin.
    pub fn trust_origin(mut self, text: &str) -> Result<Self, ConfigError> {
        let invalid = |error: InvalidValue| ConfigError::of(P::SPEC.name, "trust_origin", error.to_string());
        let trusted = origin(text).map_err(invalid)?;
        self.trusted = self.trusted.iter().cloned().chain([trusted]).collect();
        Ok(self)
    }
}

impl<P> Clone for CrossOriginProtection<P> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), trusted: Arc::clone(&self.trusted) }
    }
}

impl<P> fmt::Debug for CrossOriginProtection<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrossOriginProtection").field("trusted", &self.trusted).finish_non_exhaustive()
    }
}

impl<P, S> Layer<S> for CrossOriginProtection<P> {
    type Service = CrossOriginService<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        CrossOriginService { protection: self.clone(), inner }
    }
}

/// A service behind [`CrossOriginProtection`].
pub struct CrossOriginService<P, S> {
    protection: CrossOriginProtection<P>,
    inner: S,
}

impl<P, S: Clone> Clone for CrossOriginService<P, S> {
    fn clone(&self) -> Self {
        Self { protection: self.protection.clone(), inner: self.inner.clone() }
    }
}

impl<P, S> fmt::Debug for CrossOriginService<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrossOriginService")
    }
}

impl<P, S> Service<Request<Body>> for CrossOriginService<P, S>
where
    P: AuthProxy,
    S: Service<Request<Body>, Response: IntoResponse, Future: Send>,
    S::Future: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (parts, body) = request.into_parts();
        if let Err(error) = check(&parts, self.protection.proxy.shared(), &self.protection.trusted) {
            return Box::pin(async move { Ok(error.into_response()) });
        }
        let response = self.inner.call(Request::from_parts(parts, body));
        Box::pin(async move { response.await.map(IntoResponse::into_response) })
    }
}

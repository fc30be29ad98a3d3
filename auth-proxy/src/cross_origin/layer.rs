//! The tower layer that refuses cross-origin writes (CSRF).

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
    /// A layer against cross-site request forgery (CSRF): pages of other origins cannot write with the visitor's
    /// session.
    ///
    /// A request is refused with 403 `cross_origin_refused` when all of these conditions hold:
    ///
    /// - The method is not GET, HEAD, OPTIONS or TRACE, or the request has an `Upgrade` header, as WebSockets do.
    /// - The request has a session cookie. Without one it passes, even with a Bearer token: a browser does not add
    ///   Bearer tokens by itself. With both, the cookie counts, as in the extractors.
    /// - `Sec-Fetch-Site` is neither `same-origin` nor `none`. If it is missing (browsers before 2023, plain http,
    ///   WebSockets): `Origin` is not this app's origin, which is `public_url`, else the host of the request.
    ///   `Origin: null` is never this app's origin. A request with neither header is not from a browser, and passes.
    /// - `Origin` is not in `cors.origins`, and was not [trusted](CrossOriginProtection::trust_origin).
    ///
    /// Without `public_url`, an https `Origin` is accepted for a request over http, since TLS may end before this app.
    /// An http `Origin` is refused for a request over https. Set `public_url` to have the schemes compared, and use
    /// HSTS.
    ///
    /// Forms need no token, and the server no state. A GET must change nothing. The cookie attribute `SameSite=Lax`,
    /// which Auth.js sets, is not enough: pages on other hosts of the same site send the cookie too.
    ///
    /// Add the layer to the app's own routes, before [`attach`](Self::attach). The sign-in routes do not need it: they
    /// have Auth.js's CSRF token, which also prevents a sign-in to an attacker's account, and providers post to them.
    ///
    /// Sources: [Fetch Metadata](https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header), [`Origin` in
    /// Fetch](https://fetch.spec.whatwg.org/#origin-header), and OWASP's [cheat
    /// sheet](https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
    /// Go's `http.CrossOriginProtection` has the same rules.
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

/// Refuses writes that pages of other origins send. See [`Proxy::cross_origin_protection`].
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
    /// Allows pages of one more origin, besides `cors.origins`, to write with the visitor's session. They still need
    /// the app's CORS headers to read responses, or to send what an HTML form cannot send.
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
    /// [`ConfigError`] when the text is not an http or https origin.
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
        let shared = self.protection.proxy.shared();
        if let Err(error) = check(&parts, shared, &self.protection.trusted) {
            shared.audit.cross_origin_refused(|| shared.about(&parts));
            return Box::pin(async move { Ok(error.into_response()) });
        }
        let response = self.inner.call(Request::from_parts(parts, body));
        Box::pin(async move { response.await.map(IntoResponse::into_response) })
    }
}

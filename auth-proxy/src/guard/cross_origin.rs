use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use auth_proxy_rules::origin;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ORIGIN, UPGRADE};
use http::request::Parts;
use http::{HeaderName, Method, Request};
use tower::{Layer, Service};

use crate::error::{AuthError, Reason};
use crate::provider::{Provider, Proxy, Shared};
use crate::upstream::Front;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl<P: Provider> Proxy<P> {
    /// A layer that refuses writes which pages of other origins have a visitor's browser send (cross-site
    /// request forgery, CSRF).
    ///
    /// For the app's own routes; the sign-in routes have the upstream's CSRF token. A request is refused
    /// with 403 `cross_origin_refused` when all of this holds:
    ///
    /// - it changes something: its method is not GET, HEAD, OPTIONS or TRACE (RFC 9110, section 9.2.1), or
    ///   it opens a WebSocket, which has no such protection of its own;
    /// - it carries the session cookie, which browsers add by themselves. A Bearer token, and a request
    ///   without a session, are nobody's to abuse;
    /// - its browser says that it comes from another origin: by `Sec-Fetch-Site` (Fetch Metadata), or, where
    ///   a browser does not know that, by `Origin` (Fetch, section 3.1). A request with neither is no
    ///   browser's.
    ///
    /// The app's own origin is `public_url`, or else the host that was asked for, which a page cannot
    /// choose. Pages of `cors.origins` may write. It is about other *origins*: a sister app below the same
    /// domain is another one.
    ///
    /// `GET` must not change anything for this to be of use.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # use axum::{Router, routing::post};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let app: Router<Auth> = Router::new()
    ///     .route("/orders", post(|| async { "ordered" }))
    ///     .layer(auth.cross_origin_protection());
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn cross_origin_protection(&self) -> CrossOriginLayer<P> {
        CrossOriginLayer { proxy: self.clone() }
    }
}

/// Refuses writes from pages of other origins. See [`Proxy::cross_origin_protection`].
pub struct CrossOriginLayer<P> {
    proxy: Proxy<P>,
}

impl<P> Clone for CrossOriginLayer<P> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone() }
    }
}

impl<P> fmt::Debug for CrossOriginLayer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrossOriginLayer")
    }
}

impl<P, S> Layer<S> for CrossOriginLayer<P> {
    type Service = CrossOriginService<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        CrossOriginService { proxy: self.proxy.clone(), inner }
    }
}

/// A service behind [`CrossOriginLayer`].
pub struct CrossOriginService<P, S> {
    proxy: Proxy<P>,
    inner: S,
}

impl<P, S: Clone> Clone for CrossOriginService<P, S> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), inner: self.inner.clone() }
    }
}

impl<P, S> fmt::Debug for CrossOriginService<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrossOriginService")
    }
}

impl<P, S> Service<Request<Body>> for CrossOriginService<P, S>
where
    S: Service<Request<Body>, Response: IntoResponse, Future: Send + 'static>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (parts, body) = request.into_parts();
        match check(&parts, self.proxy.shared()) {
            Ok(()) => {
                let response = self.inner.call(Request::from_parts(parts, body));
                Box::pin(async move { response.await.map(IntoResponse::into_response) })
            }
            Err(error) => Box::pin(async { Ok(error.into_response()) }),
        }
    }
}

fn check(parts: &Parts, shared: &Shared) -> Result<(), AuthError> {
    let is_read = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if is_read && !parts.headers.contains_key(UPGRADE) {
        return Ok(());
    }
    // A credential that cannot be read may still be one to somebody else.
    let is_by_cookie =
        shared.credential(&parts.headers).map_or(true, |sent| sent.is_some_and(|sent| !sent.is_bearer()));
    if !is_by_cookie || is_own_page(parts, shared)? {
        return Ok(());
    }
    Err(AuthError::new(Reason::CROSS_ORIGIN_REFUSED))
}

/// Whether the page that sends it may, as far as the browser tells. Of several values of a header the
/// worst counts: no browser sends them.
fn is_own_page(parts: &Parts, shared: &Shared) -> Result<bool, AuthError> {
    let mut pages = parts.headers.get_all(ORIGIN).iter().peekable();
    let mut sites = parts.headers.get_all(SEC_FETCH_SITE).iter().peekable();
    // Typed into the address bar, a bookmark: `none`.
    let says_own = sites.peek().is_some() && sites.all(|site| site == "same-origin" || site == "none");
    if says_own {
        return Ok(true);
    }
    let says_nothing = !parts.headers.contains_key(SEC_FETCH_SITE);
    if pages.peek().is_none() {
        return Ok(says_nothing);
    }
    let front = Front::of(parts, &shared.settings.trusted_proxies)?;
    Ok(pages.all(|page| {
        // `null`, of a sandboxed frame among others, is no origin.
        let Some(page) = page.to_str().ok().and_then(|text| origin(text).ok()) else { return false };
        let is_named = shared.settings.cors_origins.iter().any(|named| named.is_same(&page));
        // Where the browser has said that it is another, that a page of this host says so, too, over
        // plain http for example, is no reason.
        let is_own = || match &shared.settings.public_url {
            Some(own) => own.is_same(&page),
            None => front.is_host_of(&page),
        };
        is_named || (says_nothing && is_own())
    }))
}

//! The layer that relays renewed session cookies to the browser.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tower::{Layer, Service};

use super::RequestAuth;
use super::memo::{self, ResponseMemo};
use crate::cache_control::{Cacheable, make_private};
use crate::error::AuthError;
use crate::page;
use crate::provider::{AuthProxy, Proxy, Shared};
use crate::session::{CachedSession, Renewed};

/// The response header that marks a response made with a stale session.
const SESSION_STATE: HeaderName = HeaderName::from_static("auth-proxy-session");

impl<P: AuthProxy> Proxy<P> {
    /// A layer that lets renewed sessions reach the browser.
    ///
    /// Auth.js renews the session cookie at every request for `/session` (`docs/authjs.md#session-renew`), and clears
    /// an invalid cookie. This layer adds the session cookies of a lookup to the handler's response, and no other
    /// cookies of the lookup. A response that sets the session cookie itself, as a sign-out does, stays as it is.
    /// Lookups by Bearer token set no cookies. Nothing is added if the session ended while the request was under way,
    /// such as by a sign-out in another tab.
    ///
    /// The response is marked as private (`Cache-Control: private`, `Vary: Cookie, Authorization`) when an extractor or
    /// a guard looked at the request's session or token, unless it carries [`Cacheable`].
    ///
    /// A response that was made with a stale session (`session.stale_if_error`) gets `auth-proxy-session: stale`.
    ///
    /// A browser navigation that ends in an [`AuthError`](crate::AuthError) with 403, 421, 429 or 502 to 504 is answered with a
    /// page; see [`error_page`](crate::options::Builder::error_page).
    ///
    /// [`attach`](Self::attach) includes it.
    ///
    /// ```
    /// # use auth_proxy::{Session, auth_proxy};
    /// # use axum::{Router, routing::get};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # async fn me(_session: Session<Auth>) {}
    /// # let auth = Auth::from_env()?;
    /// let app: Router<Auth> = Router::new().route("/me", get(me)).layer(auth.session_cookie_layer());
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn session_cookie_layer(&self) -> SessionCookieLayer<P> {
        SessionCookieLayer { proxy: self.clone() }
    }
}

/// Relays renewed session cookies. See [`Proxy::session_cookie_layer`].
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # use axum::{Router, routing::get};
/// # let auth = Auth::from_env()?;
/// let app: Router = Router::new().route("/", get(|| async { "hello" })).layer(auth.session_cookie_layer());
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub struct SessionCookieLayer<P> {
    proxy: Proxy<P>,
}

impl<P> Clone for SessionCookieLayer<P> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone() }
    }
}

impl<P> fmt::Debug for SessionCookieLayer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionCookieLayer")
    }
}

impl<P, S> Layer<S> for SessionCookieLayer<P> {
    type Service = SessionCookieService<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionCookieService { proxy: self.proxy.clone(), inner }
    }
}

/// A service behind [`SessionCookieLayer`].
pub struct SessionCookieService<P, S> {
    proxy: Proxy<P>,
    inner: S,
}

impl<P, S: Clone> Clone for SessionCookieService<P, S> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), inner: self.inner.clone() }
    }
}

impl<P, S> fmt::Debug for SessionCookieService<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionCookieService")
    }
}

impl<P, S, B> Service<Request<B>> for SessionCookieService<P, S>
where
    P: AuthProxy,
    S: Service<Request<B>, Response: IntoResponse, Future: Send> + Send,
    S::Future: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let memo = memo::for_relay(&self.proxy, &parts.headers, &mut parts.extensions);
        let proxy = self.proxy.clone();
        let navigates = page::is_navigation(&parts.headers);
        let response = self.inner.call(Request::from_parts(parts, body));
        Box::pin(async move {
            let response = Arc::clone(&memo).run_handler(response).await?.into_response();
            let is_cacheable = response.extensions().get::<Cacheable>().is_some();
            let mut response = page::shown(response, navigates, proxy.shared().error_page.as_ref());
            finish(&memo, proxy.shared(), is_cacheable, &mut response);
            Ok(response)
        })
    }
}

/// Adds to a response what it depends on: the session cookies of a lookup, and the marks of a private or stale response.
fn finish(memo: &ResponseMemo, shared: &Shared, is_cacheable: bool, response: &mut Response) {
    let headers = response.headers_mut();
    let was_renewed = memo.renewed().is_some_and(|renewed| add_session_cookies(headers, renewed, shared));
    let sets_session_cookie = || {
        let mut cookies = headers.get_all(SET_COOKIE).iter();
        cookies.any(|cookie| shared.names.set_cookie_kind(cookie.as_bytes()).is_some())
    };
    if was_renewed || sets_session_cookie() || (memo.is_personal() && !is_cacheable) {
        make_private(headers);
    }
    if memo.is_stale() {
        headers.insert(SESSION_STATE, HeaderValue::from_static("stale"));
    }
}

/// The response that `answer` makes of the session of a request, in place of the upstream's, with its renewed cookies. `None`
/// if the upstream has to be asked: see [`RequestAuth::session_to_answer`].
///
/// # Errors
/// Those of a lookup.
pub(crate) async fn answered<P: AuthProxy>(
    proxy: &Proxy<P>,
    parts: &mut Parts,
    answer: impl FnOnce(&CachedSession) -> Option<Response>,
) -> Result<Option<Response>, AuthError> {
    let memo = memo::for_relay(proxy, &parts.headers, &mut parts.extensions);
    let Some(session) = RequestAuth::of(proxy.clone(), parts).session_to_answer().await? else {
        return Ok(None);
    };
    Ok(answer(&session).map(|mut response| {
        finish(&memo, proxy.shared(), false, &mut response);
        response
    }))
}

/// Adds the cookies of a lookup, unless the session has ended since, or the response sets or clears the session cookie
/// itself. Returns whether any was added.
fn add_session_cookies(headers: &mut HeaderMap, renewed: &Renewed, shared: &Shared) -> bool {
    let is_own = |own: &HeaderValue| shared.names.set_cookie_kind(own.as_bytes()).is_some();
    let cookies = renewed.cookies();
    if cookies.is_empty() || headers.get_all(SET_COOKIE).iter().any(is_own) {
        return false;
    }
    // A later sign-out with the new token must find the session.
    shared.sessions.note_relayed(renewed);
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie.clone());
    }
    true
}

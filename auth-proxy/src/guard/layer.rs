//! The guard as a layer.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use tower::{Layer, Service};

use super::extract::check;
use super::{AnySession, Policy};
use crate::cache_control::{Cacheable, make_private};
use crate::provider::{AuthProxy, Proxy};

impl<P: AuthProxy> Proxy<P> {
    /// A layer that protects a group of routes as [`RequireSession`](crate::RequireSession) protects
    /// one. Handlers behind it that take a [`Session`](crate::Session) share its lookup.
    ///
    /// Use it with `route_layer`, so that unknown paths stay 404.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # use axum::{Router, routing::get};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let inside = Router::new().route("/reports", get(|| async { "the figures" }));
    /// let inside: Router = inside.route_layer(auth.require_any_session());
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn require_any_session<A>(&self) -> RequireLayer<P, A>
    where
        Self: WithoutPolicy<A>,
    {
        RequireLayer { proxy: self.clone(), policy: PhantomData }
    }

    /// Like [`require_any_session`](Self::require_any_session), with a policy: `auth.require_policy::<Admin>()`.
    // Because of the alias, rustc advises this method for `auth.require::<Admin>()`.
    #[doc(alias = "require")]
    #[must_use]
    pub fn require_policy<A: Policy<P>>(&self) -> RequireLayer<P, A> {
        RequireLayer { proxy: self.clone(), policy: PhantomData }
    }
}

/// The parameter of [`Proxy::require_any_session`], which is always [`AnySession`].
///
/// Without a parameter, rustc would advise to remove the policy of `auth.require_any_session::<Admin>()`, and the
/// program would compile without it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`require_any_session` takes no policy",
    label = "write `require_policy::<{A}>()`"
)]
pub trait WithoutPolicy<A> {}

// The only implementation, so that rustc infers `A`.
#[diagnostic::do_not_recommend]
impl<P> WithoutPolicy<AnySession> for Proxy<P> {}

/// Protects a group of routes. See [`Proxy::require_any_session`].
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # use axum::{Router, routing::get};
/// # let auth = Auth::from_env()?;
/// let members = Router::new().route("/members", get(|| async { "hello" }));
/// let members: Router = members.route_layer(auth.require_any_session());
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub struct RequireLayer<P, A = AnySession> {
    proxy: Proxy<P>,
    policy: PhantomData<fn() -> A>,
}

impl<P, A> Clone for RequireLayer<P, A> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), policy: PhantomData }
    }
}

impl<P, A> fmt::Debug for RequireLayer<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireLayer")
    }
}

impl<P, A, S> Layer<S> for RequireLayer<P, A> {
    type Service = RequireService<P, A, S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireService { guard: self.clone(), inner }
    }
}

/// A service behind [`RequireLayer`].
pub struct RequireService<P, A, S> {
    guard: RequireLayer<P, A>,
    inner: S,
}

impl<P, A, S: Clone> Clone for RequireService<P, A, S> {
    fn clone(&self) -> Self {
        Self { guard: self.guard.clone(), inner: self.inner.clone() }
    }
}

impl<P, A, S> fmt::Debug for RequireService<P, A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireService")
    }
}

impl<P, A, S> Service<Request<Body>> for RequireService<P, A, S>
where
    P: AuthProxy,
    A: Policy<P>,
    S: Service<Request<Body>, Response: IntoResponse, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Call the service that was polled ready: its clone may not be ready
        // (https://docs.rs/tower/latest/tower/trait.Service.html#be-careful-when-cloning-inner-services).
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare);
        let proxy = self.guard.proxy.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if let Err(rejection) = check::<P, A>(&proxy, &mut parts).await {
                return Ok(rejection.into_response());
            }
            let mut response = inner.call(Request::from_parts(parts, body)).await?.into_response();
            // The app may use this guard without the session cookie layer, which marks responses as private.
            if response.extensions().get::<Cacheable>().is_none() {
                make_private(response.headers_mut());
            }
            Ok(response)
        })
    }
}

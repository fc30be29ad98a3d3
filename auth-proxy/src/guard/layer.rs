//! The guard as a layer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use http::request::Parts;
use tower::{Layer, Service};

use super::extract::check;
use super::rule::{DynRule, IntoRule, Rule, SignedIn};
use super::{AnySession, ByPolicy, GuardRejection, Policy};
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
    pub fn require_any_session<A>(&self) -> RequireLayer<P>
    where
        Self: WithoutPolicy<A>,
    {
        RequireLayer::new(self, SignedIn)
    }

    /// Like [`require_any_session`](Self::require_any_session), with a policy: `auth.require_policy::<Admin>()`.
    #[must_use]
    pub fn require_policy<A: Policy<P>>(&self) -> RequireLayer<P, ByPolicy<A>> {
        RequireLayer::new(self, ByPolicy::new())
    }

    /// Like [`require_any_session`](Self::require_any_session), with a rule, a policy or a function:
    /// `auth.require(role("admin"))`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use axum::{Router, routing::get};
    /// use auth_proxy::{auth_proxy, rules::{all, max_age, role}};
    ///
    /// auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    ///
    /// # let auth = Auth::from_env()?;
    /// let users = Router::new().route("/users", get(|| async { "all users" }));
    /// let recent_admin = all((role("admin"), max_age(Duration::from_secs(600))));
    /// let users: Router = users.route_layer(auth.require(recent_admin));
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn require<M>(&self, rule: impl IntoRule<P, M>) -> RequireLayer<P, DynRule<P>> {
        RequireLayer::new(self, DynRule::new(rule))
    }

    /// Checks a rule for a request, where neither a layer nor a guard can: in a handler, or in a service of your own. In a
    /// handler take the [`Parts`] as an argument; the session is not looked up a second time.
    ///
    /// # Errors
    /// Why the visitor may not pass: [`GuardRejection`] is a response, as that of a guard.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use auth_proxy::{auth_proxy, guards::GuardRejection, rules::max_age};
    /// use axum::extract::State;
    /// use http::request::Parts;
    ///
    /// auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    ///
    /// async fn delete(State(auth): State<Auth>, mut parts: Parts) -> Result<&'static str, GuardRejection> {
    ///     auth.authorize(&mut parts, max_age(Duration::from_secs(600))).await?;
    ///     Ok("deleted")
    /// }
    /// ```
    pub async fn authorize<M>(
        &self,
        parts: &mut Parts,
        rule: impl IntoRule<P, M>,
    ) -> Result<(), GuardRejection> {
        check(self, parts, &rule.into_rule()).await
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
pub struct RequireLayer<P, R = SignedIn> {
    proxy: Proxy<P>,
    rule: Arc<R>,
}

impl<P: AuthProxy, R> RequireLayer<P, R> {
    fn new(proxy: &Proxy<P>, rule: R) -> Self {
        Self { proxy: proxy.clone(), rule: Arc::new(rule) }
    }
}

impl<P, R> Clone for RequireLayer<P, R> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), rule: Arc::clone(&self.rule) }
    }
}

impl<P, R> fmt::Debug for RequireLayer<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireLayer")
    }
}

impl<P, R, S> Layer<S> for RequireLayer<P, R> {
    type Service = RequireService<P, R, S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireService { guard: self.clone(), inner }
    }
}

/// A service behind [`RequireLayer`].
pub struct RequireService<P, R, S> {
    guard: RequireLayer<P, R>,
    inner: S,
}

impl<P, R, S: Clone> Clone for RequireService<P, R, S> {
    fn clone(&self) -> Self {
        Self { guard: self.guard.clone(), inner: self.inner.clone() }
    }
}

impl<P, R, S> fmt::Debug for RequireService<P, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireService")
    }
}

impl<P, R, S> Service<Request<Body>> for RequireService<P, R, S>
where
    P: AuthProxy,
    R: Rule<P>,
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
        let RequireLayer { proxy, rule } = self.guard.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if let Err(rejection) = check(&proxy, &mut parts, &*rule).await {
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

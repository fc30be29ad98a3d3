//! The guard as a layer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use tower::{Layer, Service};

use super::answer::{Answer, Axum, Grpc, RespondWith};
use super::extract::check;
use super::gate::{Gate, Guests};
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

    /// A layer that puts the [`Session`](crate::Session) into the extensions of each request, for services that take no
    /// extractors of axum. Visitors who are signed out pass without one; an invalid Bearer token and an unavailable
    /// upstream are errors. So it is `Option<Session<Auth>>` as a layer, and no guard.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let layer = auth.session_layer().grpc();
    /// # let _ = layer;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn session_layer(&self) -> RequireLayer<P, Guests> {
        RequireLayer { gate: Gate::Everybody, ..RequireLayer::new(self, Guests(())) }
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

/// Protects a group of routes, or a service of tower. See [`Proxy::require_any_session`].
///
/// `R` is the rule, and `A` how it answers: [`Axum`], unless [`grpc`](Self::grpc) or [`respond_with`](Self::respond_with)
/// was called. It works in front of every service of [`http::Request`], whatever the body.
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
pub struct RequireLayer<P, R = SignedIn, A = Axum> {
    proxy: Proxy<P>,
    rule: Arc<R>,
    answer: A,
    gate: Gate,
}

impl<P: AuthProxy, R> RequireLayer<P, R> {
    fn new(proxy: &Proxy<P>, rule: R) -> Self {
        Self { proxy: proxy.clone(), rule: Arc::new(rule), answer: Axum, gate: Gate::Rule }
    }
}

impl<P, R, A> RequireLayer<P, R, A> {
    /// Puts the [`Session`](crate::Session) into the extensions of the request, for handlers that take no extractors of
    /// axum: `request.extensions().get::<Session<Auth>>()`. It is looked up even if the guard could decide without.
    ///
    /// ```
    /// use auth_proxy::{Session, auth_proxy};
    ///
    /// auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    ///
    /// /// In a service behind `auth.require_any_session().with_session()`.
    /// fn name<B>(request: &http::Request<B>) -> Option<String> {
    ///     request.extensions().get::<Session<Auth>>()?.user.name.clone()
    /// }
    /// ```
    #[must_use]
    pub fn with_session(mut self) -> Self {
        if matches!(self.gate, Gate::Rule) {
            self.gate = Gate::RuleAndSession;
        }
        self
    }

    /// Answers with the status of gRPC in place of an HTTP error, and never with a redirect: 16 (`UNAUTHENTICATED`), 7
    /// (`PERMISSION_DENIED`) or 14 (`UNAVAILABLE`); see [`AuthError::grpc_code`](crate::AuthError::grpc_code). The message
    /// has the error code.
    ///
    /// For tonic and every other service whose response body has a default, which must be the empty body.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// // tonic: `Server::builder().layer(layer).add_service(GreeterServer::new(greeter))`
    /// let layer = auth.require_any_session().with_session().grpc();
    /// # let _ = layer;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn grpc(self) -> RequireLayer<P, R, Grpc> {
        self.answering(Grpc)
    }

    /// Answers a refused request with the response that this function makes, for a service whose response is not one of
    /// axum. [`GuardRejection::into_http`] is the usual response, with its body as bytes.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # use http_body_util::Full;
    /// # let auth = Auth::from_env()?;
    /// // For a service of hyper with the response `Response<Full<Bytes>>`.
    /// let layer = auth.require_any_session().respond_with(|rejection| rejection.into_http().map(Full::new));
    /// # let _ = layer;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn respond_with<F, B>(self, response: F) -> RequireLayer<P, R, RespondWith<F>>
    where
        F: Fn(GuardRejection) -> Response<B> + Clone + Send + 'static,
    {
        self.answering(RespondWith(response))
    }

    fn answering<Other>(self, answer: Other) -> RequireLayer<P, R, Other> {
        RequireLayer { proxy: self.proxy, rule: self.rule, answer, gate: self.gate }
    }
}

impl<P, R, A: Clone> Clone for RequireLayer<P, R, A> {
    fn clone(&self) -> Self {
        Self {
            proxy: self.proxy.clone(),
            rule: Arc::clone(&self.rule),
            answer: self.answer.clone(),
            gate: self.gate,
        }
    }
}

impl<P, R, A> fmt::Debug for RequireLayer<P, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireLayer")
    }
}

impl<P, R, A: Clone, S> Layer<S> for RequireLayer<P, R, A> {
    type Service = RequireService<P, R, S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireService { guard: self.clone(), inner }
    }
}

/// A service behind [`RequireLayer`].
pub struct RequireService<P, R, S, A = Axum> {
    guard: RequireLayer<P, R, A>,
    inner: S,
}

impl<P, R, S: Clone, A: Clone> Clone for RequireService<P, R, S, A> {
    fn clone(&self) -> Self {
        Self { guard: self.guard.clone(), inner: self.inner.clone() }
    }
}

impl<P, R, S, A> fmt::Debug for RequireService<P, R, S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireService")
    }
}

impl<P, R, S, A, B> Service<Request<B>> for RequireService<P, R, S, A>
where
    P: AuthProxy,
    R: Rule<P>,
    S: Service<Request<B>, Future: Send> + Clone + Send + 'static,
    A: Answer<S::Response>,
    B: Send + 'static,
{
    type Response = Response<A::Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Call the service that was polled ready: its clone may not be ready
        // (https://docs.rs/tower/latest/tower/trait.Service.html#be-careful-when-cloning-inner-services).
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare);
        let RequireLayer { proxy, rule, answer, gate } = self.guard.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if let Err(rejection) = gate.pass(&proxy, &mut parts, &*rule).await {
                return Ok(answer.refused(rejection));
            }
            let mut response = A::passed(inner.call(Request::from_parts(parts, body)).await?);
            // The app may use this guard without the session cookie layer, which marks responses as private.
            if response.extensions().get::<Cacheable>().is_none() {
                make_private(response.headers_mut());
            }
            Ok(response)
        })
    }
}

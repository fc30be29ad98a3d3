//! How the layer answers: in the form of axum, of gRPC, or of another server.

use axum::response::IntoResponse;
use http::Response;

use super::GuardRejection;

/// How a [`RequireLayer`](super::RequireLayer) answers a refused request, in front of a service with this response.
///
/// [`Axum`], [`Grpc`] and [`RespondWith`] implement it.
pub trait Answer<R>: Clone + Send + 'static {
    /// The body of the responses.
    type Body;

    /// The response of the service.
    fn passed(response: R) -> Response<Self::Body>;

    /// The response to a refused request.
    fn refused(&self, rejection: GuardRejection) -> Response<Self::Body>;
}

/// Answers as the extractors do: `application/problem+json`, or a redirect to the sign-in page. For every service whose
/// response is one of axum.
///
/// ```
/// # auth_proxy::auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// use auth_proxy::{layers::{Axum, RequireLayer}, rules::SignedIn};
///
/// fn members(auth: &Auth) -> RequireLayer<Auth, SignedIn, Axum> {
///     auth.require_any_session()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Axum;

impl<R: IntoResponse> Answer<R> for Axum {
    type Body = axum::body::Body;

    fn passed(response: R) -> Response<Self::Body> {
        response.into_response()
    }

    fn refused(&self, rejection: GuardRejection) -> Response<Self::Body> {
        rejection.into_response()
    }
}

/// Answers with the status of gRPC, and never with a redirect: see [`RequireLayer::grpc`](super::RequireLayer::grpc).
///
/// ```
/// # auth_proxy::auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// use auth_proxy::{layers::{Grpc, RequireLayer}, rules::SignedIn};
///
/// fn members(auth: &Auth) -> RequireLayer<Auth, SignedIn, Grpc> {
///     auth.require_any_session().grpc()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Grpc;

impl<B: Default> Answer<Response<B>> for Grpc {
    type Body = B;

    fn passed(response: Response<B>) -> Response<B> {
        response
    }

    fn refused(&self, rejection: GuardRejection) -> Response<B> {
        rejection.error().clone().into_grpc()
    }
}

/// Answers with the response that a function makes: see [`RequireLayer::respond_with`](super::RequireLayer::respond_with).
///
/// ```
/// # auth_proxy::auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// use auth_proxy::{guards::GuardRejection, layers::{RequireLayer, RespondWith}, rules::SignedIn};
/// use http::Response;
///
/// type Refusal = fn(GuardRejection) -> Response<String>;
///
/// fn members(auth: &Auth) -> RequireLayer<Auth, SignedIn, RespondWith<Refusal>> {
///     auth.require_any_session().respond_with(|rejection| Response::new(rejection.error().code().to_owned()))
/// }
/// ```
#[derive(Clone, Copy)]
pub struct RespondWith<F>(pub(super) F);

impl<B, F> Answer<Response<B>> for RespondWith<F>
where
    F: Fn(GuardRejection) -> Response<B> + Clone + Send + 'static,
{
    type Body = B;

    fn passed(response: Response<B>) -> Response<B> {
        response
    }

    fn refused(&self, rejection: GuardRejection) -> Response<B> {
        self.0(rejection)
    }
}

impl<F> std::fmt::Debug for RespondWith<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RespondWith")
    }
}

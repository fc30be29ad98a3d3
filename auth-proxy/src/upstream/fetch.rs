//! `upstream.fetch`: the trait for an HTTP client of the app that replaces the built-in one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use tower::{Service, ServiceExt};

use crate::error::BoxError;

/// Sends requests to the upstream.
///
/// The request has an absolute URI, and all its headers, `Host` included. An implementation must not follow redirects,
/// must not decode the body, must not add headers that describe the client, and must not repeat a request that the
/// upstream may have processed: the URL of a callback works only once.
///
/// Implemented for every `Clone` tower [`Service`] of the same types, an axum `Router` included:
///
/// ```
/// # use auth_proxy::auth_proxy;
/// use axum::{Router, routing::get};
///
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// let upstream: Router = Router::new().route("/api/auth/session", get(|| async { "null" }));
/// let auth = Auth::builder().upstream_fetch(upstream).build()?;
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[cfg_attr(
    feature = "reqwest",
    diagnostic::on_unimplemented(
        message = "`{Self}` cannot carry requests to the upstream",
        label = "not a `Fetch`",
        note = "give a tower `Service<http::Request<axum::body::Body>>` that is `Clone + Send + Sync`, \
                `auth_proxy::fetch::Reqwest::new(client)`, or implement `auth_proxy::fetch::Fetch`",
        note = "for a function or a closure, write `tower::service_fn(..)` around it; its argument is a \
                `http::Request<axum::body::Body>`"
    )
)]
#[cfg_attr(
    not(feature = "reqwest"),
    diagnostic::on_unimplemented(
        message = "`{Self}` cannot carry requests to the upstream",
        label = "not a `Fetch`",
        note = "give a tower `Service<http::Request<axum::body::Body>>` that is `Clone + Send + Sync`, enable the feature \
                `reqwest` for `auth_proxy::fetch::Reqwest::new(client)`, or implement `auth_proxy::fetch::Fetch`",
        note = "for a function or a closure, write `tower::service_fn(..)` around it; its argument is a \
                `http::Request<axum::body::Body>`"
    )
)]
pub trait Fetch: Send + Sync + 'static {
    /// Sends a request. Returns as soon as the head of the response has arrived; the body is streamed.
    ///
    /// # Errors
    /// When no response head arrived. The error must not contain header values, because it is logged.
    fn fetch(&self, request: Request<Body>) -> impl Future<Output = Result<Response<Body>, BoxError>> + Send;
}

impl<S, B> Fetch for S
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let response = self.clone().oneshot(request).await.map_err(Into::into)?;
        Ok(response.map(Body::new))
    }
}

type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn fetch(&self, request: Request<Body>) -> FetchFuture<'_>;
}

impl<F: Fetch> Erased for F {
    fn fetch(&self, request: Request<Body>) -> FetchFuture<'_> {
        Box::pin(Fetch::fetch(self, request))
    }
}

/// A [`Fetch`] of any type.
#[derive(Clone)]
pub struct DynFetch(Arc<dyn Erased>);

impl DynFetch {
    /// Wraps a [`Fetch`], erasing its type.
    pub fn new(fetch: impl Fetch) -> Self {
        Self(Arc::new(fetch))
    }

    pub(crate) fn fetch(&self, request: Request<Body>) -> FetchFuture<'_> {
        self.0.fetch(request)
    }
}

impl fmt::Debug for DynFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynFetch")
    }
}

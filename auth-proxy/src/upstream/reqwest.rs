//! A client of reqwest as `upstream.fetch`.

use axum::body::Body;
use http::{Request, Response};

use super::Fetch;
use crate::error::BoxError;

/// A [`reqwest`] client as [`Fetch`], for `upstream.fetch`: for a program that needs reqwest's proxies, resolvers or
/// certificates. Behind the feature `reqwest`; the built-in client does not need it.
///
/// A request without `Accept` is sent with `*/*`, which means the same (RFC 9110, section 12.5.1).
///
/// ```
/// use auth_proxy::{auth_proxy, fetch::Reqwest};
/// use reqwest::redirect::Policy;
///
/// auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
///
/// let client = reqwest::Client::builder().redirect(Policy::none()).build()?;
/// let auth = Auth::builder().upstream_fetch(Reqwest::new(client)).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reqwest(reqwest::Client);

impl Reqwest {
    /// Uses this client. Build it with `redirect(Policy::none())`, and with `no_gzip()` and its siblings
    /// where those features are on: a redirect belongs to the browser, and a decoded body no longer fits
    /// its headers. HTTP/2 carries no `Host` but that of the URL: where the upstream is to see another
    /// (`upstream.host`), it needs `http1_only()`.
    #[must_use]
    pub fn new(client: reqwest::Client) -> Self {
        Self(client)
    }
}

impl Fetch for Reqwest {
    async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let request = request.map(|body| {
            // A body that is known to be empty: no `Transfer-Encoding: chunked` on a GET.
            if http_body::Body::is_end_stream(&body) {
                reqwest::Body::default()
            } else {
                reqwest::Body::wrap(SyncBody::new(body))
            }
        });
        let request = reqwest::Request::try_from(request)?;
        let response = self.0.execute(request).await.map_err(reqwest::Error::without_url)?;
        Ok(Response::from(response).map(Body::new))
    }
}

/// `reqwest::Body::wrap` requires `Sync`, which axum's body is not.
struct SyncBody(std::sync::Mutex<Body>);

impl SyncBody {
    fn new(body: Body) -> Self {
        Self(std::sync::Mutex::new(body))
    }
}

impl http_body::Body for SyncBody {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        // `get_mut` takes no lock: the exclusive borrow proves that there is no other user.
        let body = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::pin::Pin::new(body).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).size_hint()
    }
}

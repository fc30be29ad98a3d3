//! Adapter that lets `upstream.fetch` use a reqwest client.

use axum::body::Body;
use http::{Request, Response};

use super::Fetch;
use crate::error::BoxError;

/// Makes a [`reqwest`] client a [`Fetch`], for programs that need reqwest's proxies, resolvers or certificates.
/// Requires the feature `reqwest`; the built-in client does not.
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
    /// Uses this client. Build it with `redirect(Policy::none())`, because the browser must follow redirects itself.
    /// Where reqwest's decompression features are on, add `no_gzip()`, `no_brotli()` and so on: a decoded body does not
    /// match its headers. If `upstream.host` sets a host other than that of the URL, add `http1_only()`: HTTP/2 sends
    /// the URL's host.
    #[must_use]
    pub fn new(client: reqwest::Client) -> Self {
        Self(client)
    }
}

impl Fetch for Reqwest {
    async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let request = request.map(|body| {
            // An empty body is sent as such, so that a GET has no `Transfer-Encoding: chunked`.
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
        // `get_mut` needs no lock, because the borrow is exclusive.
        let body = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::pin::Pin::new(body).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).size_hint()
    }
}

use std::error::Error;

use auth_proxy_rules::{Host, Settings};
use axum::body::Body;
use http::{Request, Response};

use super::Fetch;
use crate::error::{AuthError, BoxError, Reason};

/// A reqwest client as [`Fetch`].
///
/// The default one follows no redirects, decodes no bodies, keeps no cookies and uses no system
/// proxy, whatever features of reqwest other crates of the program turn on. Where a request has no
/// `Accept` it sends `*/*`, which means the same (RFC 9110, section 12.5.1).
#[derive(Clone, Debug)]
pub struct Reqwest(reqwest::Client);

impl Reqwest {
    /// Uses a client of your own. Build it with `redirect(Policy::none())`, and with `no_gzip()`
    /// and its siblings where those features are on: a redirect belongs to the browser, and a
    /// decoded body no longer fits its headers.
    #[must_use]
    pub fn new(client: reqwest::Client) -> Self {
        Self(client)
    }

    pub(super) fn with_defaults(settings: &Settings) -> Result<Self, BoxError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .referer(false)
            .tcp_nodelay(true);
        if !settings.base_url.origin.https {
            // No TLS, no roots: an image without CA certificates can talk to an internal upstream.
            builder = builder.tls_certs_only([]);
        }
        if settings.host != Host::Upstream {
            // HTTP/2 takes `:authority` from the URI, so that only HTTP/1.1 can carry another Host.
            builder = builder.http1_only();
        }
        Ok(Self(builder.build()?))
    }
}

impl Fetch for Reqwest {
    async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let request = request.map(|body| {
            // An empty body known to be empty: no `Transfer-Encoding: chunked` on a GET.
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

/// `reqwest::Body::wrap` asks for `Sync`, which axum's body is not.
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
        // `get_mut` takes no lock: the exclusive borrow is the proof that nobody else has it.
        let body = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::pin::Pin::new(body).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).size_hint()
    }
}

/// What a failed fetch means. Looks through the causes, since clients wrap one another.
pub(super) fn classify(error: BoxError) -> AuthError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
    let mut reason = Reason::UPSTREAM_FAILED;
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<AuthError>() {
            // Our own, from within the request body: over the limit.
            return found.clone();
        }
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            if error.is_timeout() {
                reason = Reason::UPSTREAM_TIMEOUT;
            } else if error.is_connect() {
                reason = Reason::UPSTREAM_UNREACHABLE;
            }
        } else if error.is::<tokio::time::error::Elapsed>() {
            reason = Reason::UPSTREAM_TIMEOUT;
        } else if let Some(error) = error.downcast_ref::<std::io::Error>() {
            match error.kind() {
                std::io::ErrorKind::ConnectionRefused
                | std::io::ErrorKind::HostUnreachable
                | std::io::ErrorKind::NetworkUnreachable => reason = Reason::UPSTREAM_UNREACHABLE,
                std::io::ErrorKind::TimedOut => reason = Reason::UPSTREAM_TIMEOUT,
                _ => {}
            }
        }
        cause = error.source();
    }
    AuthError::new(reason).because(error)
}

//! Sends one request for a check of the deployment.
//!
//! Unlike a lookup it passes an open circuit breaker, has one attempt, and tells the breaker nothing: a check asks about
//! addresses that may be wrong, and its result must not decide about the requests of visitors.

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use super::Upstream;
use super::error::body_error;
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::telemetry::{Exchange, Purpose};

/// The most bytes of a response body that are read.
const BODY_LIMIT: usize = 64 * 1024;

/// Which host the upstream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeHost {
    /// By `upstream.host`, as in other requests without a client.
    Configured,
    /// That of `upstream.base_url`.
    Upstream,
}

impl Upstream {
    /// A request for a path of the upstream's origin: `path` begins with `/` and has the base path in it. It has nothing of
    /// any client.
    ///
    /// # Errors
    /// `path_invalid` when the path does not form a URI; `host_invalid` for a configured host that is no header value.
    pub(crate) fn probe_request(
        &self,
        method: Method,
        path: &str,
        host: ProbeHost,
    ) -> Result<Request<()>, AuthError> {
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = self.address.at(path)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.finish_head(headers, &ClientInfo::own(&self.settings))?;
        if host == ProbeHost::Upstream {
            // The client takes the host from the URL.
            headers.remove(HOST);
        }
        Ok(request)
    }

    /// Sends such a request and reads the whole response, whatever its status is. The body is empty if it is longer than
    /// 64 KiB, or breaks off with another status than 200.
    ///
    /// # Errors
    /// `upstream_unreachable`, `upstream_failed` or `upstream_timeout`.
    pub(crate) async fn probe(
        &self,
        request: &Request<()>,
        deadline: Instant,
    ) -> Result<Response<Bytes>, AuthError> {
        // Boxed: a check has many of these futures, and that of the client is large.
        match Box::pin(self.try_probe(request, deadline)).await {
            // The upstream may have closed the idle connection that was used. Try once more. If nobody listens then, the
            // first error tells more: the request may have ended the server.
            Err(first) if first.is(Reason::UPSTREAM_FAILED) => {
                let again = Box::pin(self.try_probe(request, deadline)).await;
                again.map_err(|again| if again.is(Reason::UPSTREAM_UNREACHABLE) { first } else { again })
            }
            result => result,
        }
    }

    async fn try_probe(
        &self,
        request: &Request<()>,
        deadline: Instant,
    ) -> Result<Response<Bytes>, AuthError> {
        let exchange = Exchange::begin(Purpose::Check, request, 0, self.socket());
        let sending = self.client.send(request.clone().map(|()| Body::empty()), self.settings.timeout);
        let whole = async {
            let (parts, body) = sending.await.map_err(|failure| failure.error)?.into_parts();
            let body = match Limited::new(body, BODY_LIMIT).collect().await {
                Ok(body) => body.to_bytes(),
                // The status alone is needed. Node resets the connection after a 431, and the body may not arrive.
                Err(_) if parts.status != StatusCode::OK => Bytes::new(),
                Err(error) if error.is::<LengthLimitError>() => Bytes::new(),
                Err(error) => return Err(body_error(axum::Error::new(error))),
            };
            Ok(Response::from_parts(parts, body))
        };
        let response = exchange
            .run(timeout_at(deadline, whole))
            .await
            .unwrap_or_else(|elapsed| Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)));
        exchange.end(response.as_ref().map(Response::status).map_err(AuthError::code));
        response
    }
}

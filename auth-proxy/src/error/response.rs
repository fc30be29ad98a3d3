//! The HTTP response of an error: `application/problem+json` (RFC 9457) and its headers.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::AuthError;
use super::reason::Outcome;

/// The `Content-Type` of a problem body (RFC 9457, section 3).
pub(crate) const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An `application/problem+json` response (RFC 9457) with `Cache-Control: no-store`. Its extensions have the
/// `AuthError`.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.into_http().map(Body::from)
    }
}

impl AuthError {
    /// The same response for a server without axum, with the body as bytes.
    ///
    /// ```
    /// use auth_proxy::AuthError;
    /// use http_body_util::Full;
    ///
    /// /// The body type of many services of hyper.
    /// fn refused(error: AuthError) -> http::Response<Full<bytes::Bytes>> {
    ///     error.into_http().map(Full::new)
    /// }
    /// ```
    #[must_use]
    pub fn into_http(self) -> http::Response<Bytes> {
        let status = self.status();
        let error = self.clone();
        self.log();
        // Code and detail are constants of `reason.rs`: nothing needs escaping.
        let body = format!(
            r#"{{"type":"about:blank","title":"{}","status":{},"code":"{}","detail":"{}"}}"#,
            status.canonical_reason().unwrap_or_default(),
            status.as_u16(),
            self.reason.code,
            self.reason.detail,
        );
        let mut response = http::Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED && self.challenge {
            // RFC 6750, section 3.1: no error code when no credential of this scheme was sent.
            let challenge = match &self.step_up {
                Some(step_up) => step_up.challenge(),
                None if self.from_bearer => HeaderValue::from_static(r#"Bearer error="invalid_token""#),
                None => HeaderValue::from_static("Bearer"),
            };
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(methods) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        let default = || (self.outcome() == Outcome::Unavailable).then_some(HeaderValue::from_static("5"));
        if let Some(wait) = self.retry_after.clone().or_else(default) {
            headers.insert(RETRY_AFTER, wait);
        }
        // A layer that knows the request may replace the body by a page.
        response.extensions_mut().insert(error);
        response
    }

    /// Logs that a request is refused.
    pub(super) fn log(&self) {
        tracing::debug!(
            target: "auth_proxy::guard",
            code = self.code(),
            status = self.status().as_u16(),
            cause = self.cause(),
            "request refused"
        );
    }
}

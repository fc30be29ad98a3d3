//! The response to a request that a guard refuses.

use std::fmt;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use super::{redirect, step_up_cookie};
use crate::error::AuthError;
use crate::extract::Rejection;
use crate::forwarded::ClientInfo;
use crate::provider::Shared;
use crate::warnings::Warning;

/// The response of a guard to a refused request: the error, or a redirect to the sign-in page for a browser navigation
/// without a session, or one whose sign-in is not new or strong enough.
///
/// ```
/// use auth_proxy::{RequireSession, auth_proxy, guards::GuardRejection};
///
/// auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
///
/// async fn page(guard: Result<RequireSession<Auth>, GuardRejection>) -> String {
///     match guard {
///         Ok(_) => "hello".to_owned(),
///         Err(rejection) => format!("not allowed: {}", rejection.error().code()),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct GuardRejection {
    error: AuthError,
    sign_in: Option<HeaderValue>,
    /// Notes a redirect to a new sign-in, or forgets it.
    cookie: Option<HeaderValue>,
}

impl GuardRejection {
    pub(crate) fn new(error: AuthError, parts: &Parts, shared: &Shared) -> Self {
        let sign_in = redirect::sign_in(&error, parts, &shared.settings);
        let Some(mark) = error.mark().filter(|_| sign_in.is_some()) else {
            return Self { error, sign_in, cookie: None };
        };
        let is_secure = match &shared.settings.public_url {
            Some(url) => url.https,
            None => ClientInfo::scheme(parts, &shared.settings) == Some(true),
        };
        if step_up_cookie::is_set(&parts.headers, mark, is_secure) {
            shared.warn_once(Warning::SignInChangedNothing);
            return Self { error, sign_in: None, cookie: step_up_cookie::clear(is_secure) };
        }
        let cookie = step_up_cookie::set(mark, is_secure);
        Self { error, sign_in, cookie }
    }

    /// The address of the sign-in page, if the response is a redirect to it.
    pub(crate) fn sign_in(&self) -> Option<&HeaderValue> {
        self.sign_in.as_ref()
    }

    /// Why the request is refused.
    #[must_use]
    pub fn error(&self) -> &AuthError {
        &self.error
    }
}

impl GuardRejection {
    /// The response for a server without axum, with the body as bytes; see
    /// [`respond_with`](crate::layers::RequireLayer::respond_with).
    #[must_use]
    pub fn into_http(self) -> http::Response<Bytes> {
        let mut response = match self.sign_in {
            None => self.error.into_http(),
            Some(location) => {
                tracing::debug!(target: "auth_proxy::guard", code = self.error.code(), "sent to the sign-in page");
                let mut response = http::Response::new(Bytes::new());
                *response.status_mut() = StatusCode::SEE_OTHER;
                response.headers_mut().insert(LOCATION, location);
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                // `testing::assert_outcome` reads the error from the extensions.
                response.extensions_mut().insert(self.error);
                response
            }
        };
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

impl Rejection for GuardRejection {
    fn auth_error(&self) -> &AuthError {
        &self.error
    }
}

impl IntoResponse for GuardRejection {
    fn into_response(self) -> Response {
        self.into_http().map(Body::from)
    }
}

impl fmt::Debug for GuardRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardRejection")
            .field("error", &self.error)
            .field("redirects", &self.sign_in.is_some())
            .finish()
    }
}

impl fmt::Display for GuardRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for GuardRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // `Display` shows the error itself, so the chain starts with its source.
        std::error::Error::source(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::error::Reason;

    #[test]
    fn guard_rejection_names_each_error_of_its_chain_once() {
        let error = AuthError::new(Reason::UPSTREAM_FAILED).because("connection reset");
        let rejection = GuardRejection { error, sign_in: None, cookie: None };
        let mut causes = Vec::new();
        let mut cause = rejection.source();
        while let Some(found) = cause {
            causes.push(found.to_string());
            cause = found.source();
        }
        assert!(rejection.to_string().ends_with("(upstream_failed)"), "{rejection}");
        assert_eq!(causes, ["connection reset"]);
    }
}

//! The one error of requests: which of the outcomes it is, its status, and its problem body.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

/// A boxed error, as tower and axum have it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The ways in which a request can fail. An outage is never a sign-out, and neither is ever a sign-in.
///
/// ```
/// use auth_proxy::{AuthError, errors::Outcome};
///
/// fn is_our_fault(error: &AuthError) -> bool {
///     error.outcome() == Outcome::Unavailable
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The visitor is signed out: no cookie was sent, or the upstream knows no session. 401.
    Absent,
    /// An invalid credential was sent: tampered, expired, under another key, or refused by the upstream. 401.
    Invalid,
    /// The visitor is signed in, and a [`Policy`](crate::Policy) refused; or a page of another origin sent a write with the
    /// visitor's cookie. 403.
    Forbidden,
    /// It is unknown whether the visitor is signed in: the upstream is down, late, or its answer is invalid. 502, 503 or
    /// 504.
    Unavailable,
    /// The request cannot be forwarded. 4xx, or 508 for a loop.
    BadRequest,
}

impl Outcome {
    /// As it is logged.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Invalid => "invalid",
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
            Self::BadRequest => "bad_request",
        }
    }
}

/// Why a request got no session, no token, or was not forwarded.
///
/// Its response has an `application/problem+json` body (RFC 9457) with the status, a stable [`code`](Self::code) and a sentence. Behind [`attach`](crate::Proxy::attach) or
/// [`session_cookie_layer`](crate::Proxy::session_cookie_layer), and on the sign-in routes, a browser navigation gets a page in its place for 403 and
/// 502 to 504; see [`error_page`](crate::options::Builder::error_page). It never carries a token, a cookie, a
/// secret or an upstream address. The cause is in [`Error::source`] for logs.
///
/// | code | status | outcome |
/// |---|---|---|
/// | `session_absent` | 401 | absent |
/// | `session_refused` | 401 | invalid: the upstream cleared the cookie |
/// | `token_malformed`, `token_tampered`, `token_unknown_key`, `token_expired`, `token_not_yet_valid`, `token_unsupported`, `token_too_large`, `bearer_malformed` | 401 | invalid |
/// | `token_not_a_session` | 401 | invalid: genuine, and without `sub`, `email` and `name`: it names no user |
/// | `token_wrong_audience`, `token_wrong_issuer` | 401 | invalid: not what `upstream.audience` and `issuer` ask for |
/// | `token_ambiguous` | 401 | invalid: two tokens were sent, and the scheme of the request, which decides between them, is not known |
/// | `lookup_too_large` | 401 | invalid: more than 12 KiB, which no upstream takes |
/// | `policy_refused` | 403 | forbidden |
/// | `cross_origin_refused` | 403 | forbidden: see [`cross_origin_protection`](crate::Proxy::cross_origin_protection) |
/// | `upstream_unreachable`, `upstream_failed`, `upstream_invalid_response`, `upstream_ambiguous_session` | 502 | unavailable |
/// | `user_mismatch`, `claims_mismatch` | 502 | unavailable: the data does not fit the app's types |
/// | `upstream_overloaded` | 503 | unavailable: the upstream says so, or too many requests wait for it |
/// | `circuit_open` | 503 | unavailable: the upstream failed several times in a row (`upstream.circuit_breaker`) |
/// | `upstream_timeout` | 504 | unavailable |
/// | `path_invalid`, `host_invalid` (also for no `Host`), `target_absolute`, `upgrade_refused`, `body_broken` | 400 | bad request |
/// | `host_unknown` | 421 | bad request: neither `public_url` nor `hosts` nor a trusted proxy says that the host is this app's |
/// | `route_unknown` | 404 | bad request |
/// | `method_not_allowed` | 405 | bad request |
/// | `body_late` | 408 | bad request |
/// | `body_too_large` | 413 | bad request |
/// | `headers_too_large` | 431 | bad request |
/// | `loop_detected` | 508 | bad request: the address of the upstream is that of this service |
///
/// ```
/// use auth_proxy::{AuthError, Session, auth_proxy};
///
/// auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
///
/// async fn greeting(session: Result<Session<Auth>, AuthError>) -> Result<String, AuthError> {
///     match session {
///         Ok(session) => Ok(format!("hello, {}", session.user.name.as_deref().unwrap_or("you"))),
///         Err(error) if error.is_absent() => Ok("please sign in".to_owned()),
///         // 401 for an invalid token, 502 to 504 for an outage.
///         Err(error) => Err(error),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct AuthError {
    reason: &'static Reason,
    from_bearer: bool,
    retry_after: Option<HeaderValue>,
    allow: Option<&'static str>,
    /// Whether the upstream fails for every client, as far as is known here.
    outage: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// A row of the table of errors.
pub(crate) struct Reason {
    outcome: Outcome,
    status: u16,
    code: &'static str,
    detail: &'static str,
}

macro_rules! reasons {
    ($($name:ident = $outcome:ident $status:literal $code:literal $detail:literal;)+) => {
        impl Reason {
            $(pub(crate) const $name: &'static Self = &Self {
                outcome: Outcome::$outcome,
                status: $status,
                code: $code,
                detail: $detail,
            };)+

            #[cfg(test)]
            pub(crate) const ALL: &'static [&'static Self] = &[$(Self::$name,)+];
        }
    };
}

reasons! {
    SESSION_ABSENT = Absent 401 "session_absent" "You are not signed in.";
    SESSION_REFUSED = Invalid 401 "session_refused" "The session has ended; sign in again.";
    TOKEN_MALFORMED = Invalid 401 "token_malformed" "The session token is not well formed.";
    TOKEN_TAMPERED = Invalid 401 "token_tampered" "The session token does not decrypt under any configured key.";
    TOKEN_UNKNOWN_KEY = Invalid 401 "token_unknown_key" "The session token names a key that is not configured.";
    TOKEN_EXPIRED = Invalid 401 "token_expired" "The session token has expired.";
    TOKEN_NOT_YET_VALID = Invalid 401 "token_not_yet_valid" "The session token is not valid yet.";
    TOKEN_UNSUPPORTED = Invalid 401 "token_unsupported" "The session token is protected in a way that is not configured.";
    TOKEN_TOO_LARGE = Invalid 401 "token_too_large" "The session token is too large.";
    BEARER_MALFORMED = Invalid 401 "bearer_malformed" "The Authorization header is not well formed.";
    TOKEN_NOT_A_SESSION = Invalid 401 "token_not_a_session" "The token names no user.";
    TOKEN_WRONG_AUDIENCE = Invalid 401 "token_wrong_audience" "The token is for another service.";
    TOKEN_WRONG_ISSUER = Invalid 401 "token_wrong_issuer" "The token is of another issuer.";
    TOKEN_AMBIGUOUS = Invalid 401 "token_ambiguous" "Two session tokens were sent, and it is not known which of them counts.";
    LOOKUP_TOO_LARGE = Invalid 401 "lookup_too_large" "The session token is larger than the sign-in service accepts.";
    POLICY_REFUSED = Forbidden 403 "policy_refused" "You are signed in, but not allowed to do this.";
    CROSS_ORIGIN_REFUSED = Forbidden 403 "cross_origin_refused" "A page of another origin may not do this in your name.";
    UPSTREAM_UNREACHABLE = Unavailable 502 "upstream_unreachable" "The sign-in service cannot be reached.";
    UPSTREAM_FAILED = Unavailable 502 "upstream_failed" "The sign-in service failed.";
    UPSTREAM_INVALID_RESPONSE = Unavailable 502 "upstream_invalid_response" "The sign-in service gave an invalid answer.";
    UPSTREAM_AMBIGUOUS_SESSION = Unavailable 502 "upstream_ambiguous_session" "The sign-in service neither confirmed nor ended the session.";
    USER_MISMATCH = Unavailable 502 "user_mismatch" "The session does not have the shape that this service expects.";
    CLAIMS_MISMATCH = Unavailable 502 "claims_mismatch" "The token does not have the shape that this service expects.";
    CIRCUIT_OPEN = Unavailable 503 "circuit_open" "The sign-in service has failed several times. It is not asked for a moment.";
    UPSTREAM_OVERLOADED = Unavailable 503 "upstream_overloaded" "The sign-in service is overloaded.";
    UPSTREAM_TIMEOUT = Unavailable 504 "upstream_timeout" "The sign-in service did not answer in time.";
    PATH_INVALID = BadRequest 400 "path_invalid" "The path has an empty, dot or encoded segment that could leave the sign-in routes.";
    HOST_INVALID = BadRequest 400 "host_invalid" "The Host header is missing or is not a host.";
    HOST_UNKNOWN = BadRequest 421 "host_unknown" "The Host header does not name this service.";
    TARGET_ABSOLUTE = BadRequest 400 "target_absolute" "The request target is an absolute URL; this is not a forward proxy.";
    UPGRADE_REFUSED = BadRequest 400 "upgrade_refused" "Sign-in routes do not upgrade the connection.";
    ROUTE_UNKNOWN = BadRequest 404 "route_unknown" "There is no such sign-in route.";
    METHOD_NOT_ALLOWED = BadRequest 405 "method_not_allowed" "The sign-in route does not answer this method.";
    BODY_BROKEN = BadRequest 400 "body_broken" "The request body broke off or is not well formed.";
    BODY_LATE = BadRequest 408 "body_late" "The request body did not arrive in time.";
    BODY_TOO_LARGE = BadRequest 413 "body_too_large" "The request body is too large.";
    LOOP_DETECTED = BadRequest 508 "loop_detected" "The request came back to this service; its upstream is itself.";
    HEADERS_TOO_LARGE = BadRequest 431 "headers_too_large" "The request headers are too large.";
}

impl AuthError {
    pub(crate) fn new(reason: &'static Reason) -> Self {
        Self { reason, from_bearer: false, retry_after: None, allow: None, outage: false, source: None }
    }

    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn by_bearer(mut self, from_bearer: bool) -> Self {
        self.from_bearer = from_bearer;
        self
    }

    pub(crate) fn retry_after(mut self, value: Option<HeaderValue>) -> Self {
        self.retry_after = value;
        self
    }

    /// Marks a failure that no client can cause: there was no connection, or a request of the proxy's own failed too.
    pub(crate) fn outage(mut self) -> Self {
        self.outage = true;
        self
    }

    /// Whether the upstream fails for every client.
    pub(crate) fn is_outage(&self) -> bool {
        self.outage
    }

    pub(crate) fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// The outcome.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.reason.outcome
    }

    /// The stable name of the reason, such as `token_expired`. New codes may be added.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.reason.code
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.reason.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether the visitor is signed out: no credential was sent, or the upstream knows no session.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.outcome() == Outcome::Absent
    }

    /// Whether an invalid credential was sent.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.outcome() == Outcome::Invalid
    }

    /// Whether it is unknown if the visitor is signed in: the upstream is unavailable.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.outcome() == Outcome::Unavailable
    }

    /// Whether this is the reason.
    pub(crate) fn is(&self, reason: &Reason) -> bool {
        self.reason.code == reason.code
    }

    /// Whether the credential came in an `Authorization` header rather than in a cookie.
    pub(crate) fn is_from_bearer(&self) -> bool {
        self.from_bearer
    }

    /// Absent, or invalid in a cookie: on a public page that visitor is signed out. An invalid Bearer token is an error of
    /// the program that sent it, and stays one.
    pub(crate) fn is_signed_out(&self) -> bool {
        self.is_absent() || (self.is_invalid() && !self.from_bearer)
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthError")
            .field("code", &self.reason.code)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Error messages begin in lower case and have no full stop (Rust API guidelines, C-GOOD-ERR).
        let detail = self.reason.detail.trim_end_matches('.');
        let (first, rest) = detail.split_at_checked(1).unwrap_or((detail, ""));
        write!(f, "{}{rest} ({})", first.to_ascii_lowercase(), self.reason.code)
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

/// `application/problem+json` (RFC 9457), never cached. The error itself is in the response's extensions.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let status = self.status();
        let kept = self.clone();
        tracing::debug!(target: "auth_proxy::guard", code = self.code(), status = status.as_u16(), source = ?self.source, "request refused");
        // Every text is one of the constants above: nothing needs escaping.
        let body = format!(
            r#"{{"type":"about:blank","title":"{}","status":{},"code":"{}","detail":"{}"}}"#,
            status.canonical_reason().unwrap_or_default(),
            status.as_u16(),
            self.reason.code,
            self.reason.detail,
        );
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3.1: no error code when no credential of this scheme was sent.
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(if self.from_bearer {
                    r#"Bearer error="invalid_token""#
                } else {
                    "Bearer"
                }),
            );
        }
        if let Some(methods) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        if self.outcome() == Outcome::Unavailable {
            headers.insert(RETRY_AFTER, self.retry_after.unwrap_or(HeaderValue::from_static("5")));
        }
        // The request is not known here. A layer that knows it may show a page in place of the body.
        response.extensions_mut().insert(kept);
        response
    }
}

/// RFC 9457, section 3.
pub(crate) const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_documented_and_need_no_escaping() {
        let source = include_str!("error.rs");
        let mut seen = std::collections::HashSet::new();
        for reason in Reason::ALL {
            assert!(seen.insert(reason.code), "{}", reason.code);
            assert!(source.contains(&format!("`{}`", reason.code)), "{} is not in the table", reason.code);
            assert!(!reason.detail.contains(['"', '\\']) && reason.detail.is_ascii());
            assert!(StatusCode::from_u16(reason.status).is_ok());
        }
    }
}

//! The error type of this crate: `AuthError`, its error codes, and its HTTP response.
//!
//! Imports the rooms: none.
//! Does without the crates: `auth_proxy_rules`, `hyper`, `jsonwebtoken`, `serde`, `tokio`, `tower`.

mod causes;
mod grpc;
mod reason;
mod response;
mod step_up;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, StatusCode};

pub(crate) use self::causes::Causes;
pub use self::reason::Outcome;
pub(crate) use self::reason::Reason;
pub(crate) use self::response::PROBLEM;
pub use self::step_up::StepUp;

/// A boxed error, the same type as tower's and axum's.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a request got no session, no token, or was not forwarded.
///
/// Its response has an `application/problem+json` body (RFC 9457) with the status, a stable [`code`](Self::code) and a
/// sentence. Behind [`attach`](crate::Proxy::attach) or [`session_cookie_layer`](crate::Proxy::session_cookie_layer),
/// and on the sign-in routes, a browser navigation gets an HTML page instead for 403, 421, 429, 502 to 504 and `step_up_required`; see
/// [`error_page`](crate::options::Builder::error_page). The response never has a token, a cookie, a secret or an
/// upstream address. The cause is in [`Error::source`], for logs.
///
/// | code | status | outcome |
/// |---|---|---|
/// | `session_absent` | 401 | absent |
/// | `session_refused` | 401 | invalid: the upstream cleared the cookie |
/// | `session_revoked` | 401 | invalid: the token is on the list of revoked tokens (`session.revocation`) |
/// | `token_malformed`, `token_tampered`, `token_unknown_key`, `token_expired`, `token_not_yet_valid`, `token_unsupported`, `token_too_large`, `bearer_malformed` | 401 | invalid |
/// | `token_not_a_session` | 401 | invalid: the token is valid, but has no `sub`, `email` or `name`, so it names no user, or it is a security event, such as a logout token |
/// | `token_wrong_audience`, `token_wrong_issuer` | 401 | invalid: `aud` or `iss` is not `upstream.audience` or `upstream.issuer` |
/// | `token_ambiguous` | 401 | invalid: two tokens were sent, and the scheme of the request, which decides between them, is unknown |
/// | `lookup_too_large` | 401 | invalid: more than 12 KiB, which no upstream accepts |
/// | `signature_missing`, `signature_malformed`, `signature_late`, `signature_wrong` | 401 | invalid: a message to `_revoke` is not signed with `revocation.webhook_secret` |
/// | `policy_refused` | 403 | forbidden |
/// | `sign_in_time_unknown` | 403 | forbidden: a rule limits the age of the sign-in, and nothing says when it was |
/// | `step_up_required` | 401 | forbidden: a rule wants a newer or stronger sign-in, see [`step_up`](Self::step_up) |
/// | `policy_unavailable` | 503 | unavailable: a rule could not decide |
/// | `cross_origin_refused` | 403 | forbidden: see [`cross_origin_protection`](crate::Proxy::cross_origin_protection) |
/// | `upstream_unreachable`, `upstream_failed`, `upstream_invalid_response`, `upstream_ambiguous_session` | 502 | unavailable |
/// | `user_mismatch`, `claims_mismatch` | 502 | unavailable: the data does not fit the app's types |
/// | `upstream_overloaded` | 503 | unavailable: the upstream reports overload, or too many requests wait for it |
/// | `circuit_open` | 503 | unavailable: the upstream failed several times in a row (`upstream.circuit_breaker`) |
/// | `revocation_unknown` | 503 | unavailable: the list of revoked tokens may be incomplete |
/// | `revocation_not_stored` | 503 | unavailable: the other instances may not know of a revocation by `_revoke` |
/// | `keys_unavailable` | 503 | unavailable: the published keys cannot be fetched, or not the one that a token names |
/// | `upstream_timeout` | 504 | unavailable |
/// | `app_unreachable`, `app_failed` | 502 | unavailable: the app behind [`reverse_proxy`](crate::Proxy::reverse_proxy) |
/// | `app_timeout` | 504 | unavailable: the app behind [`reverse_proxy`](crate::Proxy::reverse_proxy) |
/// | `path_invalid`, `host_invalid` (also without `Host`), `target_absolute`, `upgrade_refused`, `revocation_invalid`, `body_broken` | 400 | bad request |
/// | `logout_token_missing`, `logout_token_malformed`, `logout_token_unsupported`, `logout_token_untrusted`, `logout_token_wrong_issuer`, `logout_token_wrong_audience`, `logout_token_expired`, `logout_token_late`, `logout_token_invalid`, `logout_token_replayed` | 400 | bad request: `_revoke` does not accept this logout token (`revocation.back_channel`) |
/// | `revocation_without_tokens` | 422 | bad request: a message to `_revoke` names a session or a user, and no token is decoded here |
/// | `revocation_kind_off` | 415 | bad request: the option for this kind of message to `_revoke` is not set |
/// | `host_unknown` | 421 | bad request: neither `public_url` nor `hosts` nor a trusted proxy confirms that the host is this app's |
/// | `proxy_untrusted` | 403 | bad request: the peer that asks for a [verdict](crate::verdict) is not in `trusted_proxies` |
/// | `original_request_missing`, `original_request_invalid` | 400 | bad request: a proxy does not say clearly which request it asks about |
/// | `path_ambiguous` | 400 | bad request: different [rules of paths](crate::verdict::PathRules) may hold for the path |
/// | `route_unknown` | 404 | bad request |
/// | `method_not_allowed` | 405 | bad request |
/// | `body_late` | 408 | bad request |
/// | `body_too_large` | 413 | bad request |
/// | `headers_too_large` | 431 | bad request |
/// | `sign_in_limited` | 429 | bad request: too many attempts to sign in (`sign_in_limit`) |
/// | `sign_in_unreadable` | 400 | bad request: the account of an attempt to sign in cannot be read (`sign_in_limit.per_account`) |
/// | `loop_detected` | 508 | bad request: the upstream's address leads back to this service |
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
    /// Whether a 401 asks for a Bearer token.
    challenge: bool,
    /// Whether the upstream is known to fail for every client.
    outage: bool,
    /// Whether the upstream was not asked, because the error was found before.
    unasked: bool,
    step_up: Option<Arc<StepUp>>,
    /// What a new sign-in has to change, so that a second redirect to the sign-in page makes sense.
    mark: Option<Arc<str>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl AuthError {
    pub(crate) fn new(reason: &'static Reason) -> Self {
        let (retry_after, allow, source) = (None, None, None);
        let (from_bearer, challenge, outage, unasked) = (false, true, false, false);
        let (step_up, mark) = (None, None);
        Self { reason, from_bearer, retry_after, allow, challenge, outage, unasked, step_up, mark, source }
    }

    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// The same failure with another code.
    pub(crate) fn with_reason(self, reason: &'static Reason) -> Self {
        Self { reason, ..self }
    }

    pub(crate) fn by_bearer(mut self, from_bearer: bool) -> Self {
        self.from_bearer = from_bearer;
        self
    }

    pub(crate) fn retry_after(mut self, value: Option<HeaderValue>) -> Self {
        self.retry_after = value;
        self
    }

    /// Marks a failure that no client can cause: there was no connection, or a health check failed too.
    pub(crate) fn outage(mut self) -> Self {
        self.outage = true;
        self
    }

    /// Whether the upstream is known to fail for every client.
    pub(crate) fn is_outage(&self) -> bool {
        self.outage
    }

    /// Marks an error that was found before the upstream was asked. The upstream may answer with the same code.
    pub(crate) fn unasked(mut self) -> Self {
        self.unasked = true;
        self
    }

    /// Whether the upstream was not asked.
    pub(crate) fn is_unasked(&self) -> bool {
        self.unasked
    }

    pub(crate) fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// Leaves `WWW-Authenticate` out of a 401, for a route that takes no Bearer token.
    pub(crate) fn without_challenge(mut self) -> Self {
        self.challenge = false;
        self
    }

    /// The refusal of a visitor who has to sign in again, or in a stronger way.
    pub(crate) fn step_up_required(step_up: StepUp) -> Self {
        Self { step_up: Some(Arc::new(step_up)), ..Self::new(Reason::STEP_UP_REQUIRED) }
    }

    /// Notes what a new sign-in has to change.
    pub(crate) fn with_mark(mut self, mark: Option<String>) -> Self {
        self.mark = mark.map(Arc::from);
        self
    }

    /// What a new sign-in has to change. `None` if the visitor need not sign in again.
    pub(crate) fn mark(&self) -> Option<&str> {
        self.mark.as_deref()
    }

    /// What a new sign-in has to bring. `None` if the code is not `step_up_required`.
    #[must_use]
    pub fn step_up(&self) -> Option<&StepUp> {
        self.step_up.as_deref()
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

    /// Whether the upstream is unavailable, so that it is unknown whether the visitor is signed in.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.outcome() == Outcome::Unavailable
    }

    /// Whether the error has this reason.
    pub(crate) fn is(&self, reason: &Reason) -> bool {
        self.reason.code == reason.code
    }

    /// Whether the credential came in an `Authorization` header rather than in a cookie.
    pub(crate) fn is_from_bearer(&self) -> bool {
        self.from_bearer
    }

    /// Whether a public page shows the visitor as signed out: no credential, or an invalid cookie. An invalid Bearer
    /// token is a mistake of the program that sent it, so it remains an error.
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

impl AuthError {
    /// The cause with its own causes, for a log event. `None` if there is none.
    pub(crate) fn cause(&self) -> Option<tracing::field::DisplayValue<Causes<'_>>> {
        self.source().map(|source| tracing::field::display(Causes(source)))
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_unique_documented_and_need_no_escaping() {
        let source = include_str!("mod.rs");
        let mut seen = std::collections::HashSet::new();
        for reason in Reason::ALL {
            assert!(seen.insert(reason.code), "{}", reason.code);
            assert!(source.contains(&format!("`{}`", reason.code)), "{} is not in the table", reason.code);
            assert!(!reason.detail.contains(['"', '\\']) && reason.detail.is_ascii());
            assert!(StatusCode::from_u16(reason.status).is_ok());
        }
    }
}

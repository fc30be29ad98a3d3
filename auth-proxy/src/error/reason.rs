//! The table of all error codes, each with its outcome, status and text.

/// The ways in which a request can fail. An outage never signs a visitor in or out.
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
    /// The visitor is signed out: no cookie was sent, or the upstream has no session. 401.
    Absent,
    /// An invalid credential was sent: tampered, expired, under another key, or refused by the upstream. 401.
    Invalid,
    /// A [`Policy`](crate::Policy) or a rule refused a signed-in visitor, or a page of another origin sent a write with
    /// the visitor's cookie. 403, or 401 if a new sign-in helps (`step_up_required`).
    Forbidden,
    /// It is unknown whether the visitor is signed in: the upstream is down or late, or its response is invalid. 502,
    /// 503 or 504.
    Unavailable,
    /// The request cannot be forwarded. 4xx, or 508 for a loop.
    BadRequest,
}

impl Outcome {
    /// The name in logs.
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

/// One error code with its outcome, status and text.
pub(crate) struct Reason {
    pub(super) outcome: Outcome,
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) detail: &'static str,
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
    SESSION_REVOKED = Invalid 401 "session_revoked" "The session was revoked; sign in again.";
    TOKEN_MALFORMED = Invalid 401 "token_malformed" "The session token is not well formed.";
    TOKEN_TAMPERED = Invalid 401 "token_tampered" "No configured key decrypts or verifies the session token.";
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
    SIGNATURE_MISSING = Invalid 401 "signature_missing" "Send one header `X-Auth-Proxy-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of t.body>`.";
    SIGNATURE_MALFORMED = Invalid 401 "signature_malformed" "Write `X-Auth-Proxy-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of t.body>`.";
    SIGNATURE_LATE = Invalid 401 "signature_late" "The signed time differs from the time here by more than 300 seconds.";
    SIGNATURE_WRONG = Invalid 401 "signature_wrong" "No configured secret made this signature of the time, a dot, and the body.";
    LOOKUP_TOO_LARGE = Invalid 401 "lookup_too_large" "The session token is larger than the sign-in service accepts.";
    POLICY_REFUSED = Forbidden 403 "policy_refused" "You are signed in, but not allowed to do this.";
    CROSS_ORIGIN_REFUSED = Forbidden 403 "cross_origin_refused" "A page of another origin may not do this in your name.";
    SIGN_IN_TIME_UNKNOWN = Forbidden 403 "sign_in_time_unknown" "This needs a recent sign-in, and it is not known when you signed in.";
    STEP_UP_REQUIRED = Forbidden 401 "step_up_required" "You are signed in, but this needs a newer or stronger sign-in.";
    POLICY_UNAVAILABLE = Unavailable 503 "policy_unavailable" "It cannot be decided right now whether you may do this.";
    UPSTREAM_UNREACHABLE = Unavailable 502 "upstream_unreachable" "The sign-in service cannot be reached.";
    UPSTREAM_FAILED = Unavailable 502 "upstream_failed" "The sign-in service failed.";
    UPSTREAM_INVALID_RESPONSE = Unavailable 502 "upstream_invalid_response" "The sign-in service gave an invalid answer.";
    UPSTREAM_AMBIGUOUS_SESSION = Unavailable 502 "upstream_ambiguous_session" "The sign-in service neither confirmed nor ended the session.";
    USER_MISMATCH = Unavailable 502 "user_mismatch" "The session does not have the shape that this service expects.";
    CLAIMS_MISMATCH = Unavailable 502 "claims_mismatch" "The token does not have the shape that this service expects.";
    CIRCUIT_OPEN = Unavailable 503 "circuit_open" "The sign-in service has failed several times. It is not asked for a moment.";
    UPSTREAM_OVERLOADED = Unavailable 503 "upstream_overloaded" "The sign-in service is overloaded.";
    KEYS_UNAVAILABLE = Unavailable 503 "keys_unavailable" "The keys that tokens are signed with cannot be fetched.";
    REVOCATION_UNKNOWN = Unavailable 503 "revocation_unknown" "It is not known whether the session was revoked.";
    REVOCATION_NOT_STORED = Unavailable 503 "revocation_not_stored" "Only this instance knows of the revocation; send it again.";
    UPSTREAM_TIMEOUT = Unavailable 504 "upstream_timeout" "The sign-in service did not answer in time.";
    APP_UNREACHABLE = Unavailable 502 "app_unreachable" "The app behind this service cannot be reached.";
    APP_FAILED = Unavailable 502 "app_failed" "The app behind this service closed the connection or sent an invalid answer.";
    APP_TIMEOUT = Unavailable 504 "app_timeout" "The app behind this service did not answer in time.";
    PATH_INVALID = BadRequest 400 "path_invalid" "The path has an empty, dot or encoded segment that could leave the sign-in routes.";
    HOST_INVALID = BadRequest 400 "host_invalid" "The Host header is missing or is not a host.";
    HOST_UNKNOWN = BadRequest 421 "host_unknown" "The Host header does not name this service.";
    TARGET_ABSOLUTE = BadRequest 400 "target_absolute" "The request target is an absolute URL; this is not a forward proxy.";
    UPGRADE_REFUSED = BadRequest 400 "upgrade_refused" "Sign-in routes do not upgrade the connection.";
    ROUTE_UNKNOWN = BadRequest 404 "route_unknown" "There is no such sign-in route.";
    METHOD_NOT_ALLOWED = BadRequest 405 "method_not_allowed" "This method is not answered here.";
    REVOCATION_INVALID = BadRequest 400 "revocation_invalid" "Send JSON with one of `token_hash` (64 hexadecimal digits), `session` (text) and `subject` (text); beside `subject`, `issued_before` may be seconds since 1970, not in the future.";
    REVOCATION_WITHOUT_TOKENS = BadRequest 422 "revocation_without_tokens" "This service decodes no tokens, so it knows neither their sessions nor their users: send `token_hash`.";
    REVOCATION_KIND_OFF = BadRequest 415 "revocation_kind_off" "This service takes no messages of this kind: `application/x-www-form-urlencoded` is for logout tokens, every other content type for signed messages.";
    LOGOUT_TOKEN_MISSING = BadRequest 400 "logout_token_missing" "Send a form with one `logout_token`.";
    LOGOUT_TOKEN_MALFORMED = BadRequest 400 "logout_token_malformed" "The logout token is not well formed.";
    LOGOUT_TOKEN_UNSUPPORTED = BadRequest 400 "logout_token_unsupported" "The logout token has a `typ`, a `crit` or an algorithm that is not accepted.";
    LOGOUT_TOKEN_UNTRUSTED = BadRequest 400 "logout_token_untrusted" "No published key of the issuer made the signature of the logout token.";
    LOGOUT_TOKEN_WRONG_ISSUER = BadRequest 400 "logout_token_wrong_issuer" "The logout token is of another issuer.";
    LOGOUT_TOKEN_WRONG_AUDIENCE = BadRequest 400 "logout_token_wrong_audience" "The logout token is for another service.";
    LOGOUT_TOKEN_EXPIRED = BadRequest 400 "logout_token_expired" "The logout token has expired.";
    LOGOUT_TOKEN_LATE = BadRequest 400 "logout_token_late" "The `iat` of the logout token differs from the time here by more than 300 seconds.";
    LOGOUT_TOKEN_INVALID = BadRequest 400 "logout_token_invalid" "A logout token has `iat`, `exp`, `jti`, `sub` or `sid`, an object for the logout in `events`, and no `nonce`.";
    LOGOUT_TOKEN_REPLAYED = BadRequest 400 "logout_token_replayed" "The logout token was accepted before.";
    PROXY_UNTRUSTED = BadRequest 403 "proxy_untrusted" "Only a trusted proxy may ask for a verdict.";
    ORIGINAL_REQUEST_MISSING = BadRequest 400 "original_request_missing" "The proxy does not say which request it asks about: both the URI and the method are needed.";
    ORIGINAL_REQUEST_INVALID = BadRequest 400 "original_request_invalid" "The proxy describes the request that it asks about in an invalid or contradictory way.";
    PATH_AMBIGUOUS = BadRequest 400 "path_ambiguous" "Servers may read the path in different ways, for which different rules hold.";
    BODY_BROKEN = BadRequest 400 "body_broken" "The request body broke off or is not well formed.";
    BODY_LATE = BadRequest 408 "body_late" "The request body did not arrive in time.";
    BODY_TOO_LARGE = BadRequest 413 "body_too_large" "The request body is too large.";
    SIGN_IN_LIMITED = BadRequest 429 "sign_in_limited" "There were too many attempts to sign in; try again later.";
    SIGN_IN_UNREADABLE = BadRequest 400 "sign_in_unreadable" "Send JSON or a form in UTF-8, without compression, and each field of the account once, for at most two accounts.";
    LOOP_DETECTED = BadRequest 508 "loop_detected" "The request came back to this service; its upstream is itself.";
    HEADERS_TOO_LARGE = BadRequest 431 "headers_too_large" "The request headers are too large.";
}

//! The table of all codes of findings.

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// Some visitors may have trouble, or a part of the deployment does not work as configured.
    Warning,
    /// Sign-in or sessions do not work.
    Error,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// The kind of a finding. A code never changes its meaning; new ones may be added.
///
/// ```
/// for code in auth_proxy::doctor::CODES {
///     println!("{} ({}): {}", code.name, code.severity.name(), code.summary);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// The name, such as `secret_wrong`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub summary: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $severity:ident $name:literal $summary:literal;)+) => {
        impl Code {
            $(pub(super) const $constant: Self =
                Self { name: $name, severity: Severity::$severity, summary: $summary };)+
        }

        /// All codes, in the order in which they are looked for.
        pub const CODES: &[Code] = &[$(Code::$constant,)+];
    };
}

codes! {
    HOST_UNRESOLVED = Error "host_unresolved" "the host of the upstream has no address";
    CONNECTION_REFUSED = Error "connection_refused" "nothing listens at the address of the upstream";
    SOCKET_MISSING = Error "socket_missing" "there is no Unix socket at the path of `upstream.base_url`";
    SOCKET_DENIED = Error "socket_denied" "this app may not connect to the Unix socket of `upstream.base_url`";
    CONNECTION_TIMEOUT = Error "connection_timeout" "there is no connection to the upstream within `upstream.connect_timeout`";
    CERTIFICATE_EXPIRED = Error "certificate_expired" "the certificate of the upstream has expired";
    CERTIFICATE_NOT_YET_VALID = Error "certificate_not_yet_valid" "the certificate of the upstream is not yet valid";
    CERTIFICATE_UNTRUSTED = Error "certificate_untrusted" "this machine does not trust the certificate of the upstream";
    CERTIFICATE_WRONG_HOST = Error "certificate_wrong_host" "the certificate of the upstream is for other hosts";
    UPSTREAM_SPEAKS_HTTP = Error "upstream_speaks_http" "`upstream.base_url` is https, and the server speaks plain http";
    UPSTREAM_SPEAKS_HTTPS = Error "upstream_speaks_https" "`upstream.base_url` is http, and the server speaks https";
    TLS_FAILED = Error "tls_failed" "the TLS handshake with the upstream fails";
    RESPONSE_TIMEOUT = Error "response_timeout" "the upstream does not answer within `upstream.timeout`";
    RESPONSE_BROKEN = Error "response_broken" "the upstream answers with something that is not HTTP, or closes the connection";
    UPSTREAM_IS_THIS_APP = Error "upstream_is_this_app" "`upstream.base_url` leads back to this app";
    HOST_NOT_SERVED = Error "host_not_served" "the upstream answers for its own host only, and `upstream.host` tells it another one";
    UPSTREAM_REDIRECTS = Error "upstream_redirects" "the upstream redirects to another address";
    UPSTREAM_REFUSES = Error "upstream_refuses" "the upstream refuses requests of this app";
    UPSTREAM_RATE_LIMITED = Warning "upstream_rate_limited" "the upstream limits the rate of requests of this app";
    UPSTREAM_UNAVAILABLE = Error "upstream_unavailable" "a proxy before the upstream does not reach it";
    UPSTREAM_MISCONFIGURED = Error "upstream_misconfigured" "the upstream says that its own configuration is wrong";
    UPSTREAM_FAILING = Error "upstream_failing" "the upstream fails";
    BASE_PATH_WRONG = Error "base_path_wrong" "the login is below another path than `upstream.base_path`";
    LOGIN_NOT_FOUND = Error "login_not_found" "there is no login server at `upstream.base_url`";
    KIND_WRONG = Error "kind_wrong" "the upstream is another server than `upstream.kind` says";
    COOKIE_NAME_WRONG = Error "cookie_name_wrong" "the session cookie of the upstream has another name";
    COOKIE_PREFIX_WRONG = Error "cookie_prefix_wrong" "the name of the session cookie of the upstream differs in its prefix";
    SESSION_COOKIE_IGNORED = Error "session_cookie_ignored" "the upstream does not read its session cookie, or its database fails";
    SECRET_WRONG = Error "secret_wrong" "the upstream has another secret than `upstream.secret`";
    SECRET_OUTDATED = Warning "secret_outdated" "the upstream still has an older secret than the first of `upstream.secret`";
    DATABASE_FAILED = Error "database_failed" "the upstream cannot read its sessions";
    CALLBACK_ORIGIN_WRONG = Error "callback_origin_wrong" "the upstream builds its URLs with another origin than this app's";
    COOKIES_NOT_SHARED = Error "cookies_not_shared" "sign-ins end at the host of the upstream, whose cookies this app does not get";
    ORIGIN_NOT_TRUSTED = Error "origin_not_trusted" "the upstream does not trust the origin of this app";
    CLOCK_DIFFERS = Warning "clock_differs" "the clocks of this machine and of the upstream differ by more than 15 seconds";
    CLOCK_WRONG = Error "clock_wrong" "the clocks of this machine and of the upstream differ by more than 5 minutes";
    KEYS_NOT_FETCHED = Error "keys_not_fetched" "the published keys cannot be fetched";
    KEYS_UNUSABLE = Error "keys_unusable" "no published key can verify a token";
    STORE_FAILED = Warning "store_failed" "the shared store does not work";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_summaries_are_clauses() {
        let mut seen = std::collections::HashSet::new();
        for code in CODES {
            assert!(seen.insert(code.name), "{}", code.name);
            assert!(code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", code.name);
            assert!(!code.summary.ends_with('.') && !code.summary.contains('|'), "{}", code.name);
        }
    }
}

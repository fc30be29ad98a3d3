//! The span of one HTTP request to the upstream or to an issuer.
//!
//! Its fields are those of the HTTP client span of OpenTelemetry's semantic conventions 1.29. The URL is left out: the paths
//! and queries of sign-in routes contain one-time codes.

use std::time::Instant;

use http::uri::Scheme;
use http::{Method, Request, StatusCode, Uri};
use tracing::Span;
use tracing::field::Empty;
use tracing::instrument::{Instrument as _, Instrumented};

use super::metrics::{CANCELLED, NONE, REQUEST_SECONDS, REQUESTS, RETRIES, count, record};

/// Why a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A session is looked up.
    Lookup,
    /// A request of a client to a sign-in route is forwarded.
    Forward,
    /// The keys of an issuer are fetched.
    Keys,
    /// A health check after failures.
    Health,
    /// A check of the deployment asks something.
    Check,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Forward => "forward",
            Self::Keys => "keys",
            Self::Health => "health",
            Self::Check => "check",
        }
    }
}

/// The span of one request, from its start to the head of the response, or to its end if the whole body is awaited.
///
/// The upstream may have carried out a request that is dropped before. So it counts then too.
pub(crate) struct Exchange {
    span: Span,
    purpose: Purpose,
    /// `None` once it has ended.
    began: Option<Instant>,
}

impl Exchange {
    /// Begins the span. `resent` is the number of this retry: zero for the first attempt. `socket` is the path of the Unix
    /// socket that the request is sent to, which stands in `server.address`, without a port.
    pub(crate) fn begin<B>(
        purpose: Purpose,
        request: &Request<B>,
        resent: u32,
        socket: Option<&str>,
    ) -> Self {
        let (method, uri) = (request.method(), request.uri());
        // The target of a span has to be a constant.
        macro_rules! span {
            ($target:literal) => {
                tracing::info_span!(
                    target: $target,
                    "HTTP request",
                    otel.kind = "client",
                    otel.name = name_of(method),
                    otel.status_code = Empty,
                    http.request.method = name_of(method),
                    http.request.resend_count = (resent > 0).then_some(resent),
                    server.address = socket.or_else(|| uri.host().map(|host| host.trim_matches(['[', ']']))),
                    server.port = socket.is_none().then(|| port_of(uri)),
                    http.response.status_code = Empty,
                    error.type = Empty,
                    auth.request = purpose.name(),
                )
            };
        }
        if resent > 0 {
            count(RETRIES, [purpose.name()]);
        }
        let span = match purpose {
            Purpose::Lookup | Purpose::Health | Purpose::Check => span!("auth_proxy::lookup"),
            Purpose::Forward => span!("auth_proxy::proxy"),
            Purpose::Keys => span!("auth_proxy::jwks"),
        };
        Self { span, purpose, began: Some(Instant::now()) }
    }

    /// Runs code within the span, so that the trace context of the span is the current one.
    pub(crate) fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.span.in_scope(run)
    }

    /// Runs the request within the span.
    pub(crate) fn run<F: Future>(&self, request: F) -> Instrumented<F> {
        // Not an `async fn`: its future would hold the request twice, as the argument and as what it awaits.
        request.instrument(self.span.clone())
    }

    /// Ends the span. `Err` has the code of the failure.
    pub(crate) fn end(mut self, result: Result<StatusCode, &'static str>) {
        self.end_once(result);
    }

    fn end_once(&mut self, result: Result<StatusCode, &'static str>) {
        let Some(began) = self.began.take() else { return };
        let purpose = self.purpose.name();
        record(REQUEST_SECONDS, [purpose], began.elapsed());
        match result {
            Ok(status) => count(REQUESTS, [purpose, class_of(status), NONE]),
            Err(code) => count(REQUESTS, [purpose, NONE, code]),
        }
        if self.span.is_disabled() {
            return;
        }
        match result {
            Ok(status) => {
                self.span.record("http.response.status_code", status.as_u16());
                if status.is_client_error() || status.is_server_error() {
                    self.span.record("error.type", status.as_str());
                    self.span.record("otel.status_code", "ERROR");
                }
            }
            Err(code) => {
                self.span.record("error.type", code);
                self.span.record("otel.status_code", "ERROR");
            }
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end_once(Err(CANCELLED));
    }
}

/// The class of a status. A server can send a thousand statuses, which would be as many label values.
fn class_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "other",
    }
}

fn port_of(uri: &Uri) -> u16 {
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    uri.port_u16().unwrap_or(default)
}

/// The name of a method. A client can send any text, so only the standard ones are shown.
fn name_of(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 9] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::HEAD, "HEAD"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::TRACE, "TRACE"),
        (Method::CONNECT, "CONNECT"),
    ];
    KNOWN.into_iter().find(|(known, _)| known == method).map_or("_OTHER", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_follows_the_scheme() {
        for (uri, port) in
            [("http://a/b", 80), ("https://a", 443), ("https://a:8443", 8443), ("http://[::1]:1", 1)]
        {
            assert_eq!(port_of(&uri.parse().unwrap()), port, "{uri}");
        }
    }

    #[test]
    fn unknown_methods_are_not_shown() {
        assert_eq!(name_of(&Method::DELETE), "DELETE");
        assert_eq!(name_of(&Method::from_bytes(b"SECRET").unwrap()), "_OTHER");
        assert_eq!(name_of(&Method::from_bytes(b"get").unwrap()), "_OTHER");
    }
}

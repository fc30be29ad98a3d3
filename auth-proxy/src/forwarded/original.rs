//! The request that a reverse proxy asks the verdict endpoint about, as that proxy describes it.

use auth_proxy_rules::Settings;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{is_trusted, peer};
use crate::error::{AuthError, Reason};

const X_ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const X_ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");

/// The method and the target of a request that a trusted proxy asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginalRequest {
    pub(crate) method: Method,
    pub(crate) target: PathAndQuery,
    pub(crate) form: QuestionForm,
}

/// How a proxy describes the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuestionForm {
    /// `X-Original-URI` and `X-Original-Method`, as in most configurations of nginx.
    XOriginal,
    /// `X-Forwarded-Uri` and `X-Forwarded-Method`, as Traefik and Caddy do.
    XForwarded,
    /// The path and the method of the question itself, as Envoy does.
    Path,
}

impl OriginalRequest {
    /// Reads the request from the headers of a question.
    ///
    /// A proxy passes on headers of the client that it does not overwrite. So each header may occur only once, and only one of
    /// the pairs: otherwise the client would choose the request, or the form of the answer.
    ///
    /// # Errors
    /// `proxy_untrusted`, `original_request_missing`, `original_request_invalid`.
    pub(crate) fn of_headers(parts: &Parts, settings: &Settings) -> Result<Self, AuthError> {
        require_trusted_peer(parts, settings)?;
        let headers = &parts.headers;
        let original = pair(headers, &X_ORIGINAL_URI, &X_ORIGINAL_METHOD, QuestionForm::XOriginal)?;
        let forwarded = pair(headers, &X_FORWARDED_URI, &X_FORWARDED_METHOD, QuestionForm::XForwarded)?;
        match (original, forwarded) {
            (Some(one), None) | (None, Some(one)) => Ok(one),
            (Some(_), Some(_)) => Err(invalid(
                "there are `X-Original-*` and `X-Forwarded-*`: have the proxy remove those that it does not write",
            )),
            (None, None) => Err(AuthError::new(Reason::ORIGINAL_REQUEST_MISSING)),
        }
    }

    /// Reads the request from the path of a question: the part after `prefix`. Headers do not count.
    ///
    /// # Errors
    /// `proxy_untrusted`, `original_request_missing`, `original_request_invalid`.
    pub(crate) fn of_path(parts: &Parts, prefix: &str, settings: &Settings) -> Result<Self, AuthError> {
        require_trusted_peer(parts, settings)?;
        let asked = parts.uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
        let rest = asked.strip_prefix(prefix).unwrap_or_default();
        if rest.is_empty() || rest.starts_with('?') {
            return Err(AuthError::new(Reason::ORIGINAL_REQUEST_MISSING));
        }
        Ok(Self { method: parts.method.clone(), target: target(rest)?, form: QuestionForm::Path })
    }
}

/// Refuses a question of a peer that is not in `trusted_proxies`.
///
/// # Errors
/// `proxy_untrusted`.
fn require_trusted_peer(parts: &Parts, settings: &Settings) -> Result<(), AuthError> {
    let because = |cause: String| Err(AuthError::new(Reason::PROXY_UNTRUSTED).because(cause));
    match peer(parts) {
        Some(peer) if is_trusted(peer, settings) => Ok(()),
        Some(peer) => because(format!("{peer} is not in `trusted_proxies`")),
        None => because("the address of the peer is not known".to_owned()),
    }
}

/// The request in a pair of headers. `None` if both are missing.
fn pair(
    headers: &HeaderMap,
    uri: &HeaderName,
    method: &HeaderName,
    form: QuestionForm,
) -> Result<Option<OriginalRequest>, AuthError> {
    let (uri, method) = match (single(headers, uri)?, single(headers, method)?) {
        (Some(uri), Some(method)) => (uri, method),
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(missing(method)),
        (None, Some(_)) => return Err(missing(uri)),
    };
    let target = target(uri.to_str().map_err(|_| invalid("the target is not ASCII"))?)?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| invalid("the method is not a token"))?;
    Ok(Some(OriginalRequest { method, target, form }))
}

/// The value of a header that may occur only once. An empty value is none: nginx sends no empty header, others do.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, AuthError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(invalid(format!("there are several `{name}`"))),
        (first, None) => Ok(first.filter(|value| !value.is_empty())),
    }
}

/// Parses the target of a request: a path with a query. A `#` ends the target for some servers and not for others.
fn target(text: &str) -> Result<PathAndQuery, AuthError> {
    if !text.starts_with('/') || text.contains('#') {
        return Err(invalid("the target is not a path with a query"));
    }
    text.parse().map_err(|_| invalid("the target is not a path with a query"))
}

fn missing(name: &HeaderName) -> AuthError {
    AuthError::new(Reason::ORIGINAL_REQUEST_MISSING).because(format!("there is no `{name}`"))
}

fn invalid(cause: impl Into<crate::error::BoxError>) -> AuthError {
    AuthError::new(Reason::ORIGINAL_REQUEST_INVALID).because(cause)
}

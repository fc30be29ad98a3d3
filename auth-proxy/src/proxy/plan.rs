//! The request filter: whether a request is forwarded, and where it goes.

use auth_proxy_rules::Routes;
use http::header::{CONTENT_LENGTH, ORIGIN, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};

use super::{callback_url, path};
use crate::cross_origin;
use crate::dialect::{Dialect, Purpose};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::provider::Shared;
use crate::warnings::Warning;

/// The largest request head, in bytes. Node itself refuses heads over 16 KiB. This limit also holds for other
/// upstreams.
const HEAD_LIMIT: usize = 64 * 1024;

/// A request that passed the filter.
#[derive(Debug)]
pub(super) struct Plan {
    /// The method that the upstream gets: GET in place of HEAD where the route permits it.
    pub(super) method: Method,
    pub(super) target: Uri,
    pub(super) client: ClientInfo,
    pub(super) purpose: Purpose,
    /// The client sent HEAD.
    pub(super) is_head: bool,
    /// The client sent POST.
    pub(super) is_post: bool,
    /// The page that sent the request is this app's or one of `cors.origins`, and not that of a provider.
    pub(super) is_of_known_page: bool,
    /// The `Origin` of the page that sent the request.
    pub(super) page: Option<HeaderValue>,
    /// The request asks for `/session` with a cookie that the upstream uses, so the response can be checked.
    pub(super) checks_session: bool,
}

impl Plan {
    /// Decides whether a request is forwarded, and where to.
    ///
    /// # Errors
    /// A 4xx if the request is refused.
    pub(super) fn of(parts: &Parts, shared: &Shared) -> Result<Self, AuthError> {
        let settings = &shared.settings;
        check_kind(parts)?;
        let below = |base: &&str| {
            let rest = parts.uri.path().strip_prefix(base);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let base = settings.bases().find(below).unwrap_or(&settings.base_path);
        let rest = path::below(parts.uri.path(), base)?;
        if content_length(&parts.headers).is_some_and(|length| length > settings.body_limit) {
            return Err(AuthError::new(Reason::BODY_TOO_LARGE));
        }
        let method = upstream_method(shared.dialect, &parts.method, rest, settings.routes)?;
        let client = trusted_client(parts, shared)?;
        let absolute = callback_url::absolute(shared.dialect, &parts.uri, rest, &method, settings);
        let target = shared.upstream.target(absolute.as_ref().unwrap_or(&parts.uri), rest)?;
        let purpose = shared.dialect.purpose(&method, rest);
        Ok(Self {
            method,
            target,
            client,
            purpose,
            is_head: parts.method == Method::HEAD,
            is_post: parts.method == Method::POST,
            is_of_known_page: cross_origin::is_of_known_page(parts, shared),
            page: parts.headers.get(ORIGIN).cloned(),
            checks_session: purpose.is_session && has_session_cookie(shared, parts),
        })
    }
}

/// Refuses kinds of requests that no sign-in server answers.
fn check_kind(parts: &Parts) -> Result<(), AuthError> {
    check_form(parts, "GET, HEAD, POST")?;
    if parts.headers.contains_key(UPGRADE) {
        return Err(AuthError::new(Reason::UPGRADE_REFUSED));
    }
    Ok(())
}

/// Refuses requests that are never forwarded, whatever server is behind: those to a forward proxy, `TRACE`, which returns
/// the headers of the request to the client, and heads that are too large. `methods` is the value of `Allow`.
///
/// # Errors
/// `method_not_allowed`, `target_absolute`, `headers_too_large`.
pub(crate) fn check_form(parts: &Parts, methods: &'static str) -> Result<(), AuthError> {
    if matches!(parts.method, Method::TRACE | Method::CONNECT) {
        return Err(AuthError::new(Reason::METHOD_NOT_ALLOWED).allow(methods));
    }
    // In HTTP/2 and 3 a request always has a scheme. In HTTP/1 a scheme means a request to a forward proxy.
    if parts.version <= Version::HTTP_11 && parts.uri.scheme().is_some() {
        return Err(AuthError::new(Reason::TARGET_ABSOLUTE));
    }
    if head_size(&parts.headers) > HEAD_LIMIT {
        return Err(AuthError::new(Reason::HEADERS_TOO_LARGE));
    }
    Ok(())
}

fn upstream_method(
    dialect: &dyn Dialect,
    method: &Method,
    rest: &str,
    routes: Routes,
) -> Result<Method, AuthError> {
    match dialect.route(rest) {
        Some(route) if *method == Method::HEAD && route.head => Ok(Method::GET),
        Some(route) if route.allows(method) => Ok(method.clone()),
        Some(route) => Err(AuthError::new(Reason::METHOD_NOT_ALLOWED).allow(route.allow)),
        None if routes == Routes::Strict => Err(AuthError::new(Reason::ROUTE_UNKNOWN)),
        None => Ok(method.clone()),
    }
}

/// The client of a request, as its headers describe it. An error if the requested host is not trusted.
///
/// # Errors
/// `host_invalid`, `host_unknown`.
pub(crate) fn trusted_client(parts: &Parts, shared: &Shared) -> Result<ClientInfo, AuthError> {
    let public_url = shared.settings.public_url.as_ref();
    let client = ClientInfo::of(parts, &shared.settings)?;
    client.require_trusted_host(public_url).inspect_err(|_| {
        shared.warn_once_with(Warning::UntrustedHost, || client.requested_host().to_owned());
    })?;
    if client.ignores_https_claim(public_url) {
        shared.warn_once(Warning::IgnoredHttpsClaim);
    }
    Ok(client)
}

/// Whether the request carries a session cookie that the upstream uses. For other cookies and for Bearer tokens the
/// upstream's `/session` says nothing.
fn has_session_cookie(shared: &Shared, parts: &Parts) -> bool {
    let names = shared.names_of(Some(parts));
    let sent = shared.candidate(&parts.headers, names).ok().flatten();
    sent.filter(|candidate| !candidate.is_bearer())
        .and_then(|candidate| names.get(candidate.name()))
        .is_some_and(|name| !shared.names.is_foreign(name.index))
}

fn head_size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

//! Protection against cross-site request forgery (CSRF): refuses writes that a page of another origin sends with the
//! visitor's cookies.
//!
//! Imports the rooms: `config`, `error`, `forwarded`, `provider`.
//! Does without the crates: `aws_lc_rs`, `hyper`, `jsonwebtoken`, `tokio`.

mod layer;

use auth_proxy_rules::{Origin, origin};
use http::header::{ORIGIN, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

pub use self::layer::{CrossOriginProtection, CrossOriginService};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::provider::Shared;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a write that a page of another origin sends with the visitor's session cookie.
///
/// # Errors
/// `cross_origin_refused`.
pub(crate) fn check(parts: &Parts, shared: &Shared, trusted: &[Origin]) -> Result<(), AuthError> {
    if is_safe(parts)
        || is_own_page_or_no_browser(parts, shared)
        || is_trusted(&parts.headers, shared, trusted)
    {
        return Ok(());
    }
    // A browser adds cookies by itself, but no Bearer token: a page of another origin would have to know it.
    match shared.candidate(&parts.headers, shared.names.in_play(None)) {
        Ok(None) => Ok(()),
        Ok(Some(candidate)) if candidate.is_bearer() => Ok(()),
        Err(error) if error.is(Reason::BEARER_MALFORMED) => Ok(()),
        Ok(Some(_)) | Err(_) => Err(AuthError::new(Reason::CROSS_ORIGIN_REFUSED)),
    }
}

/// Whether this app's page sent the request, or one of `cors.origins`, or a program that is not a browser. The form of a
/// provider that posts to a callback is none of them.
pub(crate) fn is_of_known_page(parts: &Parts, shared: &Shared) -> bool {
    is_own_page_or_no_browser(parts, shared) || is_trusted(&parts.headers, shared, &[])
}

/// Whether the method is safe (RFC 9110, section 9.2.1). A WebSocket counts as a write although it begins with GET
/// (CONNECT over HTTP/2): CORS does not apply to it, and a page can send data on it. A proxy that asks about a request drops
/// `Upgrade`, which is hop-by-hop, and not `Sec-WebSocket-Version` (RFC 6455, section 4.1).
fn is_safe(parts: &Parts) -> bool {
    matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
        && !parts.headers.contains_key(UPGRADE)
        && !parts.headers.contains_key(SEC_WEBSOCKET_VERSION)
}

/// Whether a page of this app sent the request, or a program that is not a browser.
///
/// Browsers send `Sec-Fetch-Site` (Fetch Metadata, section 2.3) to https and localhost, and no page can set it. To
/// other sites, before 2023, and for WebSockets in Chromium they send only `Origin` (Fetch, section 3.2). A request
/// with neither header comes from a program, which chose its cookies itself.
fn is_own_page_or_no_browser(parts: &Parts, shared: &Shared) -> bool {
    match single_header(&parts.headers, &SEC_FETCH_SITE) {
        Sent::Once(site) => site == "same-origin" || site == "none",
        Sent::Repeatedly => false,
        Sent::Never => match single_header(&parts.headers, &ORIGIN) {
            Sent::Never => true,
            Sent::Repeatedly => false,
            Sent::Once(page) => parsed(page).is_some_and(|page| is_own_origin(&page, parts, shared)),
        },
    }
}

fn is_own_origin(page: &Origin, parts: &Parts, shared: &Shared) -> bool {
    let client = ClientInfo::of(parts, &shared.settings);
    client.is_ok_and(|client| client.is_own_page(page, shared.settings.public_url.as_ref()))
}

/// Whether `Origin` is trusted: in `cors.origins`, or set with `trust_origin`.
fn is_trusted(headers: &HeaderMap, shared: &Shared, trusted: &[Origin]) -> bool {
    let Sent::Once(page) = single_header(headers, &ORIGIN) else { return false };
    let mut named = shared.settings.cors_origins.iter().chain(trusted);
    parsed(page).is_some_and(|page| named.any(|named| named.is_same(&page)))
}

/// Parses `Origin`. `None` for `null`, which a sandboxed frame or a redirect sends.
fn parsed(value: &HeaderValue) -> Option<Origin> {
    value.to_str().ok().and_then(|text| origin(text).ok())
}

/// How often a header was sent.
enum Sent<'h> {
    Never,
    Once(&'h HeaderValue),
    Repeatedly,
}

fn single_header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Sent<'h> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Sent::Never,
        (Some(value), None) => Sent::Once(value),
        (Some(_), Some(_)) => Sent::Repeatedly,
    }
}

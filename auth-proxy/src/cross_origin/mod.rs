//! Protection against cross-site request forgery: writes that a page of another origin makes with its visitor's cookies.
//!
//! Imports the rooms: `config`, `error`, `forwarded`, `provider`.
//! Does without the crates: `aws_lc_rs`, `hyper`, `jsonwebtoken`, `tokio`.

mod layer;

use auth_proxy_rules::{Origin, origin};
use http::header::{ORIGIN, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

pub use self::layer::{CrossOriginProtection, CrossOriginService};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::provider::Shared;

/// Refuses a write that another origin's page makes with the session cookie of its visitor.
///
/// # Errors
/// `cross_origin_refused`.
fn check(parts: &Parts, shared: &Shared, trusted: &[Origin]) -> Result<(), AuthError> {
    if is_safe(parts) || is_from_here(parts, shared) || is_trusted(&parts.headers, shared, trusted) {
        return Ok(());
    }
    // A browser adds only cookies by itself. A Bearer token must be known to the page that sends it: no CSRF vector.
    match shared.candidate(&parts.headers, shared.names.in_play(None)) {
        Ok(None) => Ok(()),
        Ok(Some(candidate)) if candidate.is_bearer() => Ok(()),
        Err(error) if error.is(Reason::BEARER_MALFORMED) => Ok(()),
        Ok(Some(_)) | Err(_) => Err(AuthError::new(Reason::CROSS_ORIGIN_REFUSED)),
    }
}

/// Whether a request changes nothing, by its method (RFC 9110, section 9.2.1). A WebSocket counts as a write: it begins with
/// GET (CONNECT over HTTP/2), CORS does not apply to it, and a page can write on it.
fn is_safe(parts: &Parts) -> bool {
    matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
        && !parts.headers.contains_key(UPGRADE)
}

/// Whether a page of this app made the request, or no page at all.
///
/// Browsers send `Sec-Fetch-Site` (Fetch Metadata, section 2.3) to https and localhost, and no page can set it. Elsewhere,
/// before 2023, and for WebSockets in Chromium they send `Origin` alone (Fetch, section 3.2). A request with neither comes
/// from no browser, and its cookies were chosen by its sender.
fn is_from_here(parts: &Parts, shared: &Shared) -> bool {
    match only(&parts.headers, "sec-fetch-site") {
        Sent::Once(site) => site == "same-origin" || site == "none",
        Sent::Often => false,
        Sent::Nothing => match only(&parts.headers, ORIGIN.as_str()) {
            Sent::Nothing => true,
            Sent::Often => false,
            Sent::Once(page) => parsed(page).is_some_and(|page| is_own(&page, parts, shared)),
        },
    }
}

fn is_own(page: &Origin, parts: &Parts, shared: &Shared) -> bool {
    let client = ClientInfo::of(parts, &shared.settings);
    client.is_ok_and(|client| client.is_own_page(page, shared.settings.public_url.as_ref()))
}

/// Whether the page's origin is a trusted one.
fn is_trusted(headers: &HeaderMap, shared: &Shared, trusted: &[Origin]) -> bool {
    let Sent::Once(page) = only(headers, ORIGIN.as_str()) else { return false };
    let mut named = shared.settings.cors_origins.iter().chain(trusted);
    parsed(page).is_some_and(|page| named.any(|named| named.is_same(&page)))
}

/// The origin in an `Origin`. `null`, of a sandboxed frame or a redirect, is none.
fn parsed(value: &HeaderValue) -> Option<Origin> {
    value.to_str().ok().and_then(|text| origin(text).ok())
}

/// A header that may be sent once.
enum Sent<'h> {
    Nothing,
    Once(&'h HeaderValue),
    Often,
}

fn only<'h>(headers: &'h HeaderMap, name: &str) -> Sent<'h> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Sent::Nothing,
        (Some(value), None) => Sent::Once(value),
        (Some(_), Some(_)) => Sent::Often,
    }
}

//! The answers to a proxy. Each proxy understands another form of redirect and of renewed cookies.

use auth_proxy_rules::Settings;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::headers::IdentityHeader;
use super::identity::Identity;
use crate::forwarded::{ClientInfo, ToldBy};
use crate::guard::GuardRejection;

/// Where to sign in, for nginx: it understands only 2xx, 401 and 403.
const X_AUTH_REDIRECT: HeaderName = HeaderName::from_static("x-auth-redirect");

/// The headers that Envoy removes from the request in question, separated by commas
/// (<https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/ext_authz/v3/ext_authz.proto>).
const HEADERS_TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// The renewed cookies, one in each header, for nginx: its variable of `Set-Cookie` has the first of several lines, or since
/// 1.23.0 all of them in one line, which no browser can read (<https://nginx.org/en/CHANGES>).
const X_AUTH_SET_COOKIE: [HeaderName; 4] = [
    HeaderName::from_static("x-auth-set-cookie-1"),
    HeaderName::from_static("x-auth-set-cookie-2"),
    HeaderName::from_static("x-auth-set-cookie-3"),
    HeaderName::from_static("x-auth-set-cookie-4"),
];

/// Marks an answer for a proxy that reads cookies from numbered headers.
#[derive(Clone)]
struct NumbersCookies;

/// The answer about a request that may pass.
pub(super) fn allowed(identity: &Identity, told_by: ToldBy) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    identity.append_to(headers);
    if told_by == ToldBy::Path {
        remove_others(headers);
    }
    finished(response, told_by)
}

/// The answer about a request that is refused.
pub(super) fn refused(
    rejection: GuardRejection,
    parts: &Parts,
    told_by: ToldBy,
    settings: &Settings,
) -> Response {
    let Some(sign_in) = rejection.sign_in().map(|path| on_this_origin(path, parts, settings)) else {
        return finished(rejection.into_response(), told_by);
    };
    let problem = rejection.error().clone();
    let mut response = rejection.into_response();
    let headers = response.headers_mut();
    if told_by != ToldBy::XOriginal {
        headers.insert(LOCATION, sign_in);
        return finished(response, told_by);
    }
    headers.remove(LOCATION);
    headers.insert(X_AUTH_REDIRECT, sign_in);
    let headers = std::mem::take(headers);
    let mut response = problem.into_response();
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().extend(headers);
    finished(response, told_by)
}

/// The URL of a path on the origin that the visitor sees. Traefik resolves a path against the address of the endpoint.
fn on_this_origin(path: &HeaderValue, parts: &Parts, settings: &Settings) -> HeaderValue {
    let origin = ClientInfo::of(parts, settings).ok();
    let origin = origin.and_then(|client| client.origin(settings.public_url.as_ref()));
    let url = origin.zip(path.to_str().ok()).map(|(origin, path)| format!("{origin}{path}"));
    url.and_then(|url| HeaderValue::try_from(url).ok()).unwrap_or_else(|| path.clone())
}

fn finished(mut response: Response, told_by: ToldBy) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if told_by == ToldBy::XOriginal {
        response.extensions_mut().insert(NumbersCookies);
    }
    response
}

/// Has Envoy remove the identity headers that the answer does not set. It would pass on the client's otherwise.
fn remove_others(headers: &mut HeaderMap) {
    let names = IdentityHeader::ALL.map(IdentityHeader::name);
    let missing: Vec<_> =
        names.iter().filter(|name| !headers.contains_key(*name)).map(HeaderName::as_str).collect();
    if let Ok(value) = HeaderValue::try_from(missing.join(",")) {
        headers.insert(HEADERS_TO_REMOVE, value);
    }
}

/// Copies the renewed cookies into numbered headers, for nginx.
///
/// None are copied if there are more than the numbers: with some chunks of a new token and some of the old one, the visitor
/// would be signed out. The old token stays valid meanwhile.
pub(super) fn with_numbered_cookies(mut response: Response) -> Response {
    if response.extensions().get::<NumbersCookies>().is_none() {
        return response;
    }
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
    if cookies.len() <= X_AUTH_SET_COOKIE.len() {
        response.headers_mut().extend(X_AUTH_SET_COOKIE.into_iter().zip(cookies));
    }
    response
}

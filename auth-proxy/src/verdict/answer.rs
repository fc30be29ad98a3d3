//! The answers to a proxy. Each proxy understands another form of redirect and of renewed cookies.

use auth_proxy_rules::Settings;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::headers;
use super::identity::Identity;
use crate::forwarded::{ClientInfo, QuestionForm};
use crate::guard::GuardRejection;

/// Where to sign in, for nginx: it understands only 2xx, 401 and 403.
const X_AUTH_REDIRECT: HeaderName = HeaderName::from_static("x-auth-redirect");

/// The headers that Envoy removes from the request in question, separated by commas
/// (<https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/ext_authz/v3/ext_authz.proto>).
const HEADERS_TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// The renewed cookies, one in each header, for nginx and Caddy. The variable of nginx for `Set-Cookie` has the first of several
/// lines, or since 1.23.0 all of them in one line (<https://nginx.org/en/CHANGES>), as the placeholder of Caddy has. No browser
/// can read that. The names do not begin with `X-Auth-`, so that no proxy takes them for an identity.
const X_SET_COOKIE: [HeaderName; 4] = [
    HeaderName::from_static("x-set-cookie-1"),
    HeaderName::from_static("x-set-cookie-2"),
    HeaderName::from_static("x-set-cookie-3"),
    HeaderName::from_static("x-set-cookie-4"),
];

/// Marks an answer for a proxy that reads cookies from numbered headers.
#[derive(Clone)]
struct NumbersCookies;

/// The answer about a request that may pass.
pub(super) fn allowed(identity: &Identity, form: QuestionForm) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    identity.append_to(headers);
    match form {
        QuestionForm::Path => remove_others(headers),
        QuestionForm::XOriginal | QuestionForm::XForwarded => {
            response.extensions_mut().insert(NumbersCookies);
        }
    }
    finished(response)
}

/// The keys that check the signed tokens. They are public.
pub(super) fn key_set(keys: String) -> Response {
    let mut response = keys.into_response();
    // RFC 7517, section 8.5.2.
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The answer about a request that is refused.
pub(super) fn refused(
    rejection: GuardRejection,
    parts: &Parts,
    form: QuestionForm,
    settings: &Settings,
) -> Response {
    let sign_in = rejection.sign_in().map(|path| on_this_origin(path, parts, settings));
    let problem = rejection.error().clone();
    let mut response = rejection.into_response();
    if form == QuestionForm::XOriginal {
        // nginx passes no header of this answer to the client, unless it is configured to.
        response.extensions_mut().insert(NumbersCookies);
    }
    let Some(sign_in) = sign_in else { return finished(response) };
    if form == QuestionForm::XOriginal {
        let mut headers = std::mem::take(response.headers_mut());
        headers.remove(LOCATION);
        headers.insert(X_AUTH_REDIRECT, sign_in);
        let extensions = std::mem::take(response.extensions_mut());
        response = problem.into_response();
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().extend(headers);
        response.extensions_mut().extend(extensions);
    } else {
        response.headers_mut().insert(LOCATION, sign_in);
    }
    finished(response)
}

/// The URL of a path on the origin that the visitor sees. Traefik resolves a path against the address of the endpoint.
fn on_this_origin(path: &HeaderValue, parts: &Parts, settings: &Settings) -> HeaderValue {
    let origin = ClientInfo::of(parts, settings).ok();
    let origin = origin.and_then(|client| client.origin(settings.public_url.as_ref()));
    let url = origin.zip(path.to_str().ok()).map(|(origin, path)| format!("{origin}{path}"));
    url.and_then(|url| HeaderValue::try_from(url).ok()).unwrap_or_else(|| path.clone())
}

fn finished(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Has Envoy remove the identity headers that the answer does not set. It would pass on the client's otherwise.
fn remove_others(headers: &mut HeaderMap) {
    let names = headers::all();
    let missing: Vec<_> =
        names.iter().filter(|name| !headers.contains_key(*name)).map(HeaderName::as_str).collect();
    if let Ok(value) = HeaderValue::try_from(missing.join(",")) {
        headers.insert(HEADERS_TO_REMOVE, value);
    }
}

/// Copies the renewed cookies into numbered headers. Scripts of a page can read these, other than `Set-Cookie`, so they are
/// only in answers that the proxy does not pass on.
///
/// None are copied if there are more than the numbers: with some chunks of a new token and some of the old one, the visitor
/// would be signed out. The old token stays valid meanwhile.
pub(super) fn with_numbered_cookies(mut response: Response) -> Response {
    if response.extensions().get::<NumbersCookies>().is_none() {
        return response;
    }
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
    if cookies.len() <= X_SET_COOKIE.len() {
        response.headers_mut().extend(X_SET_COOKIE.into_iter().zip(cookies));
    }
    response
}

//! CORS headers of the sign-in routes: preflight responses and `Access-Control-*`.

use auth_proxy_rules::{Origin, Settings, origin};
use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

/// Cross-origin resource sharing of the sign-in routes (Fetch, section 3.2). A page of an origin in `cors.origins` may
/// use every route with its visitor's cookies. Off while the list is empty.
pub(super) struct Cors {
    /// The page's origin, if it is in `cors.origins`.
    allowed: Option<HeaderValue>,
}

impl Cors {
    /// Reads the `Origin` of a request. `None` if `cors.origins` is empty.
    pub(super) fn of(headers: &HeaderMap, settings: &Settings) -> Option<Self> {
        if settings.cors_origins.is_empty() {
            return None;
        }
        let is_allowed = |page: &Origin| settings.cors_origins.iter().any(|allowed| allowed.is_same(page));
        let page = headers.get(ORIGIN);
        let allowed = page.filter(|value| {
            let page = value.to_str().ok().and_then(|text| origin(text).ok());
            page.is_some_and(|page| is_allowed(&page))
        });
        Some(Self { allowed: allowed.cloned() })
    }

    /// The response to a preflight request of an allowed origin. It allows the headers that clients of Auth.js send.
    pub(super) fn preflight(&self, parts: &Parts) -> Option<Response> {
        let is_preflight =
            parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight || self.allowed.is_none() {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "accept, authorization, content-type, x-auth-return-redirect"),
            (ACCESS_CONTROL_MAX_AGE, "600"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Some(response)
    }

    /// Adds the headers that let an allowed page read the response.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        // Also for an origin that is not allowed: a cache must not answer one origin with the response for another.
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(page) = &self.allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, page.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// Removes the CORS headers of the upstream, which are about its own origin. An upstream that reflects any origin would
/// open this app to every page.
pub(super) fn remove_headers(headers: &mut HeaderMap) {
    const HEADERS: [HeaderName; 6] = [
        ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_ALLOW_CREDENTIALS,
        ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE,
    ];
    // Few upstreams send one, and a response has fewer headers than there are names.
    if headers.keys().any(|name| HEADERS.contains(name)) {
        for name in HEADERS {
            headers.remove(name);
        }
    }
}

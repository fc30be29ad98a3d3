//! The browser client, served at `{base_path}/client.js`.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use crate::dialect::BrowserClient;

/// Serves the browser client: `/client.js`, a module without dependencies, and its types. `None` for
/// any other path or method.
pub(super) fn file(client: &BrowserClient, parts: &Parts, rest: &str) -> Option<Response> {
    let (kind, text) = match rest {
        "/client.js" => ("text/javascript; charset=utf-8", client.script),
        "/client.d.ts" => ("text/plain; charset=utf-8", client.types),
        _ => return None,
    };
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return None;
    }
    let known = parts.headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known =
        known.flat_map(|value| value.split(',')).any(|tag| tag.trim().trim_start_matches("W/") == client.tag);
    let send = parts.method == Method::GET && !is_known;
    let mut response = Response::new(if send { Body::from(text) } else { Body::empty() });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    for (name, value) in [
        (CONTENT_TYPE, kind),
        // Browsers may use their copy for an hour, so that they get a new version of the app soon.
        (CACHE_CONTROL, "public, max-age=3600"),
        (ETAG, client.tag),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

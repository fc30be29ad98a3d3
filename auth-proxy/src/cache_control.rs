//! Sets `Cache-Control` and `Vary` on responses that depend on the visitor, so that no shared cache keeps them.
//!
//! Imports the rooms: none.
//! Does without the crates: `hyper`, `jsonwebtoken`, `serde`, `tokio`, `tower`, `tracing`.

use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use http::header::{CACHE_CONTROL, Entry, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Marks a response as the same for every visitor, although the session was read: the response keeps its own
/// `Cache-Control`, and shared caches may store it.
///
/// Behind [`Proxy::session_cookie_layer`](crate::Proxy::session_cookie_layer), a response becomes private
/// (`Cache-Control: private`, `Vary: Cookie, Authorization`) when an extractor or a guard read the request's session or
/// token. Add `Cacheable` to a response that does not depend on the visitor. A response that sets a session cookie
/// becomes private all the same.
///
/// ```
/// # use auth_proxy::{Session, auth_proxy, layers::Cacheable};
/// # use axum::response::IntoResponse;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: env("URL") } } }
/// async fn prices(_session: Option<Session<Auth>>) -> impl IntoResponse {
///     (Cacheable, [("cache-control", "public, max-age=60")], "the same for all")
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cacheable;

impl IntoResponseParts for Cacheable {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Self::Error> {
        response.extensions_mut().insert(self);
        Ok(response)
    }
}

impl IntoResponse for Cacheable {
    fn into_response(self) -> Response {
        (self, ()).into_response()
    }
}

/// Headers that only shared caches read. They prefer these to `Cache-Control`, so a private response must not have them.
/// The recipe for nginx, which has no wildcards, names the same ones.
const FOR_SHARED_CACHES: &[&str] = &[
    // Targeted cache control (RFC 9213), of all CDNs and of single products.
    "cdn-cache-control",
    "akamai-cache-control",
    "cloudflare-cdn-cache-control",
    "netlify-cdn-cache-control",
    "vercel-cdn-cache-control",
    // Edge Architecture Specification.
    "surrogate-control",
    "surrogate-key",
    // nginx, Akamai, Netlify.
    "x-accel-expires",
    "edge-control",
    "cdn-cache-tag",
];

/// Whether only shared caches read this header: also the targeted cache control of a product that is not in the list.
fn is_for_shared_caches(name: &HeaderName) -> bool {
    let name = name.as_str();
    FOR_SHARED_CACHES.contains(&name) || (name.ends_with("cache-control") && name != "cache-control")
}

/// Marks a response as private, so that no shared cache sends it to another visitor (RFC 9111, section 3).
///
/// Keeps `no-store`, and directives for the browser's own cache, such as `max-age`.
pub(crate) fn make_private(headers: &mut HeaderMap) {
    let targeted: Vec<_> = headers.keys().filter(|name| is_for_shared_caches(name)).cloned().collect();
    for name in targeted {
        headers.remove(name);
    }
    if !headers.contains_key(CACHE_CONTROL) && !headers.contains_key(VARY) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
        headers.insert(VARY, HeaderValue::from_static("cookie, authorization"));
        return;
    }
    let lines: Vec<_> =
        headers.get_all(CACHE_CONTROL).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    let directives: Vec<&str> = lines.iter().flat_map(|line| directives(line)).collect();
    let is_private = directives.iter().any(|directive| directive.eq_ignore_ascii_case("no-store"))
        || directives.iter().any(|directive| directive.eq_ignore_ascii_case("private"));
    // The result is one line. `private="x"` is dropped because it covers only some headers, and because some caches
    // misread it. Directives for shared caches are dropped too.
    // A cache that knows `must-understand` ignores `no-store` beside it (RFC 9111, section 5.2.2.3), so it is dropped.
    let kept = directives.into_iter().filter(|directive| {
        let name = directive.split('=').next().unwrap_or_default().trim();
        !["public", "s-maxage", "private", "proxy-revalidate", "must-understand"]
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
            || (is_private && directive.eq_ignore_ascii_case("private"))
    });
    let mut value = kept.collect::<Vec<_>>().join(", ");
    if !is_private {
        value = if value.is_empty() { "private".to_owned() } else { format!("private, {value}") };
    }
    let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("private, no-store"));
    headers.insert(CACHE_CONTROL, value);
    vary(headers);
}

/// Splits `Cache-Control` into its directives. A comma in a quoted string does not separate directives. An escaped
/// quote does not end a string.
fn directives(line: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = line.split(move |c: char| {
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        c == ',' && !quoted
    });
    parts.map(str::trim).filter(|directive| !directive.is_empty())
}

/// Adds `Cookie` and `Authorization` to `Vary` (RFC 9110, section 12.5.5).
fn vary(headers: &mut HeaderMap) {
    let lines = headers.get_all(VARY).iter().filter_map(|line| line.to_str().ok());
    let named: Vec<String> =
        lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    if named.iter().any(|name| name == "*") {
        return;
    }
    let missing =
        ["cookie", "authorization"].into_iter().filter(|name| !named.iter().any(|other| other == name));
    let missing = missing.collect::<Vec<_>>().join(", ");
    let Ok(value) = HeaderValue::try_from(missing) else { return };
    match headers.entry(VARY) {
        _ if value.is_empty() => {}
        Entry::Occupied(mut lines) => lines.append(value),
        Entry::Vacant(place) => drop(place.insert(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        make_private(&mut headers);
        headers
    }

    #[test]
    fn visitor_response_gets_cache_control_private_or_no_store() {
        for (lines, expected) in [
            (&[][..], "private"),
            (&["public, max-age=60"], "private, max-age=60"),
            (&["s-maxage=60"], "private"),
            (&["max-age=60", "public"], "private, max-age=60"),
            (&["private=\"x, no-store\""], "private"),
            (&["private=\"x\", max-age=1"], "private, max-age=1"),
            (&["no-store"], "no-store"),
            (&["No-Store, public"], "No-Store"),
            (&["max-age=60", "no-store"], "max-age=60, no-store"),
            (&["private, max-age=60"], "private, max-age=60"),
            (&["Private"], "Private"),
            (&["no-cache"], "private, no-cache"),
            (&["no-store, must-understand, max-age=60"], "no-store, max-age=60"),
            (&["x=\"\\\"\", public"], "private, x=\"\\\"\""),
            (&["ext=\"private\""], "private, ext=\"private\""),
            (&[",, ,"], "private"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("cache-control", *line)).collect();
            let headers = marked(&lines);
            assert_eq!(headers.get_all(CACHE_CONTROL).iter().collect::<Vec<_>>(), [expected], "{lines:?}");
            assert_eq!(headers[VARY], "cookie, authorization");
        }
    }

    #[test]
    fn headers_for_shared_caches_are_removed_from_private_responses() {
        let headers = marked(&[
            ("cdn-cache-control", "max-age=60"),
            ("cloudflare-cdn-cache-control", "max-age=60"),
            ("surrogate-control", "max-age=60"),
            ("x-accel-expires", "60"),
            ("edge-control", "cache-maxage=60"),
            ("etag", "\"1\""),
        ]);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["cache-control", "etag", "vary"]);
    }

    #[test]
    fn vary_keeps_its_names_and_gains_cookie_and_authorization() {
        for (has, expected) in [
            (&["origin"][..], &["origin", "cookie, authorization"][..]),
            (&["Origin, COOKIE"], &["Origin, COOKIE", "authorization"]),
            (&["cookie", "authorization"], &["cookie", "authorization"]),
            (&["*"], &["*"]),
        ] {
            let lines: Vec<_> = has.iter().map(|line| ("vary", *line)).collect();
            assert_eq!(marked(&lines).get_all(VARY).iter().collect::<Vec<_>>(), expected);
        }
    }
}

use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method, Version};

use super::claims_of_clients::is_claim;
use super::hop_by_hop::strip_hop_by_hop;
use super::{path, routes};
use crate::cookie::{join_cookie_lines, restore_prefixes};
use crate::error::{AuthError, Reason};
use crate::provider::Shared;
use auth_proxy_rules::Routes;

/// Node refuses heads over 16 KiB itself; this bounds what we copy for upstreams that do not.
const HEAD_LIMIT: usize = 64 * 1024;

/// What goes up for a request, once it is found fit to be forwarded.
#[derive(Debug)]
pub(super) struct Plan<'r> {
    pub(super) method: Method,
    /// The path below the base path, byte for byte.
    pub(super) rest: &'r str,
}

/// Decides whether and how a request is forwarded.
///
/// # Errors
/// The 4xx that says why not.
pub(super) fn plan<'r>(parts: &'r Parts, shared: &Shared) -> Result<Plan<'r>, AuthError> {
    if matches!(parts.method, Method::TRACE | Method::CONNECT) {
        return Err(AuthError::new(Reason::METHOD_NOT_ALLOWED).allow("GET, HEAD, POST"));
    }
    // HTTP/2 and 3 always carry a scheme; in HTTP/1 it means a request to a forward proxy.
    if parts.version <= Version::HTTP_11 && parts.uri.scheme().is_some() {
        return Err(AuthError::new(Reason::TARGET_ABSOLUTE));
    }
    if parts.headers.contains_key(UPGRADE) {
        return Err(AuthError::new(Reason::UPGRADE_REFUSED));
    }
    if head_size(&parts.headers) > HEAD_LIMIT {
        return Err(AuthError::new(Reason::HEADERS_TOO_LARGE));
    }
    let settings = &shared.settings;
    let path = parts.uri.path();
    let below =
        |base: &&str| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let base = settings.bases().find(below).unwrap_or(&settings.base_path);
    let rest = path::below(path, base)?;
    if content_length(&parts.headers).is_some_and(|length| length > settings.body_limit) {
        return Err(AuthError::new(Reason::BODY_TOO_LARGE));
    }
    let method = match routes::find(rest) {
        Some(route) if parts.method == Method::HEAD && route.head => Method::GET,
        Some(route) if route.allows(&parts.method) => parts.method.clone(),
        Some(route) => return Err(AuthError::new(Reason::METHOD_NOT_ALLOWED).allow(route.allow)),
        None if settings.routes == Routes::Strict => return Err(AuthError::new(Reason::ROUTE_UNKNOWN)),
        None => parts.method.clone(),
    };
    Ok(Plan { method, rest })
}

/// Cleans a request head in place: what the proxy mode of `@robojs/auth` documents (`host`,
/// `content-length`, `connection`, `accept-encoding`), every other hop-by-hop header (RFC 9110,
/// section 7.6.1), and whatever a client says about forwarding, which only a trusted proxy may say.
/// With `raise`, cookies get back the prefix that they lost on the way down.
pub(super) fn clean(headers: &mut HeaderMap, is_peer_trusted: bool, raise: bool) {
    strip_hop_by_hop(headers);
    // `Expect` too: the server in front has answered it already.
    for name in [HOST, CONTENT_LENGTH, ACCEPT_ENCODING, EXPECT, FORWARDED] {
        headers.remove(name);
    }
    let said: Vec<_> =
        headers.keys().filter(|name| is_claim(name.as_str(), is_peer_trusted)).cloned().collect();
    for name in said {
        headers.remove(name);
    }
    join_cookie_lines(headers);
    if raise {
        restore_prefixes(headers);
    }
}

fn head_size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn cleans_what_is_documented_and_what_connection_names() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "evil"),
            ("content-length", "3"),
            ("connection", "x-secret, Keep-Alive"),
            ("accept-encoding", "gzip"),
            ("x-secret", "1"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "x"),
            ("trailer", "x"),
            ("proxy-connection", "x"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "ftp"),
            ("forwarded", "for=1"),
            ("x-real-ip", "1.2.3.4"),
            ("x-forwarded-ssl", "on"),
            ("x-forwarded_host", "evil.example"),
            ("x_real-ip", "1.2.3.4"),
            ("http2-settings", "AAMAAABkAAQAAP__"),
            ("x-original-url", "/admin"),
            ("true-client-ip", "1.2.3.4"),
            ("content-type", "application/json"),
            ("accept", "text/html"),
            ("authorization", "Bearer x"),
            ("expect", "100-continue"),
            ("x-forwardedness", "1"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers.append("cookie", HeaderValue::from_static("a=1"));
        headers.append("cookie", HeaderValue::from_static("b=2"));
        clean(&mut headers, false, false);
        let mut left: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "authorization", "content-type", "cookie", "x-forwardedness"]);
        assert_eq!(headers["cookie"], "a=1; b=2");
    }
}

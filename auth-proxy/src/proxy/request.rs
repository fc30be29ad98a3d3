//! Removes headers from a request before it goes to the upstream.

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, EXPECT, FORWARDED, HOST};

use crate::cookie::{join_cookie_lines, restore_prefixes};
use crate::forwarded::{drop_spoofable, strip_hop_by_hop};

/// Removes the headers that must not reach the upstream.
///
/// These are the headers that the proxy mode of `@robojs/auth` removes (`docs/authjs.md#proxy-mode-robo`), every other
/// hop-by-hop header (RFC 9110, section 7.6.1), headers that a client can forge, and those whose names some servers read as
/// other names. With `restores_prefixes`, cookies get back the prefix that this app removed for the browser.
pub(super) fn clean(headers: &mut HeaderMap, restores_prefixes: bool) {
    strip_hop_by_hop(headers);
    // hyper has answered `Expect` already.
    for name in [HOST, CONTENT_LENGTH, ACCEPT_ENCODING, EXPECT, FORWARDED] {
        headers.remove(name);
    }
    drop_spoofable(headers);
    join_cookie_lines(headers);
    if restores_prefixes {
        restore_prefixes(headers);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn hop_by_hop_spoofable_and_connection_headers_are_removed() {
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
            ("x.real.ip", "1.2.3.4"),
            ("script_name", "/admin"),
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
        clean(&mut headers, false);
        let mut left: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "authorization", "content-type", "cookie", "x-forwardedness"]);
        assert_eq!(headers["cookie"], "a=1; b=2");
    }
}

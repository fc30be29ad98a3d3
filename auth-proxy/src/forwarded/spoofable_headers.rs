//! Headers that only a proxy in front of this app should send: the client's address, the scheme, another method or
//! path. A client can forge them, so they are removed before a request goes to the upstream.

use http::HeaderMap;

/// Headers of a client that are removed. `X-Forwarded-*` is not among them: those headers are written anew.
///
/// A trusted proxy is believed in `X-Forwarded-*` only. It may pass on any other header of the client, as nginx does, so its
/// headers are removed too.
const REMOVED: &[&str] = &[
    // The client, its address or its scheme.
    // Cloudflare, "Cloudflare HTTP headers".
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-pseudo-ipv4",
    "cf-ipcountry",
    "cf-visitor",
    // Akamai and Cloudflare Enterprise, "True-Client-IP".
    "true-client-ip",
    // Fastly, "Fastly-Client-IP" and "Fastly-SSL".
    "fastly-client-ip",
    "fastly-ssl",
    // AWS CloudFront, "Add CloudFront request headers".
    "cloudfront-viewer-address",
    "cloudfront-forwarded-proto",
    // Azure Front Door, "Protocol support for HTTP headers"; IIS Application Request Routing.
    "x-azure-clientip",
    "x-azure-socketip",
    "x-arr-ssl",
    // Google App Engine, "Request headers".
    "x-appengine-user-ip",
    "x-appengine-remote-addr",
    // Fly.io, Netlify, DigitalOcean App Platform, Vercel, in their documentation of request headers.
    "fly-client-ip",
    "fly-forwarded-proto",
    "x-nf-client-connection-ip",
    "do-connecting-ip",
    "x-vercel-forwarded-for",
    // Envoy, "HTTP header manipulation".
    "x-envoy-external-address",
    "x-envoy-internal",
    // nginx, ngx_http_realip_module; Rackspace; WebLogic's plug-in.
    "x-real-ip",
    "x-cluster-client-ip",
    "wl-proxy-client-ip",
    "proxy-client-ip",
    // Names that libraries look for when they are asked for the client's address (npm request-ip, PHP's
    // `HTTP_CLIENT_IP`).
    "x-client-ip",
    "client-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-proxyuser-ip",
    "forwarded-for",
    "x-forwarded",
    // Microsoft TMG and Azure; nginx recipes for Rails and Zope.
    "front-end-https",
    "x-url-scheme",
    "x-scheme",
    // Another method, path or host than the request has. No sign-in server needs them.
    // Method overriding: Rack::MethodOverride, Express `method-override`, ASP.NET, Symfony.
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    // Next.js: the first skips the middleware with its access checks (CVE-2025-29927). The others are internal routing.
    "x-middleware-subrequest",
    "x-middleware-rewrite",
    "x-middleware-invoke",
    "x-middleware-next",
    "x-invoke-path",
    "x-invoke-query",
    "x-invoke-status",
    "x-matched-path",
    "x-nextjs-data",
    // Envoy: internal routing.
    "x-envoy-original-path",
    "x-envoy-original-host",
    // Another host than `Host` (WordPress plug-ins, PHP frameworks).
    "x-host",
    "x-http-host-override",
];

/// Prefixes of headers that are always removed. `X-Forwarded-*` is written anew. `X-Original-URL` and `X-Rewrite-URL`
/// name another path (IIS, Symfony, Zend: CVE-2018-14773).
const PREFIXES: &[&str] = &["x-forwarded-", "x-original-", "x-rewrite-"];

/// By the first byte of a name: the lengths of the names in [`REMOVED`] that begin with it, a bit for each. Most headers are
/// told from all of these names by it, which takes a tenth of the instructions.
#[expect(clippy::indexing_slicing, reason = "a constant does not compile if it panics")]
const LENGTHS: [u64; 256] = {
    let mut lengths = [0; 256];
    let mut rest = REMOVED;
    while let [name, others @ ..] = rest {
        // A longer name does not compile.
        lengths[name.as_bytes()[0] as usize] |= 1 << name.len();
        rest = others;
    }
    lengths
};

/// Whether a client's header must be removed. Names of a `HeaderMap` are in lower case.
fn must_remove(name: &str) -> bool {
    !is_read_alike(name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || is_removed(name)
}

fn is_removed(name: &str) -> bool {
    let lengths = name.bytes().next().and_then(|first| LENGTHS.get(usize::from(first)));
    let has_length = |lengths: &u64| name.len() < 64 && lengths & (1 << name.len()) != 0;
    lengths.is_some_and(has_length) && REMOVED.contains(&name)
}

/// Whether every server reads a name as it is, as with letters, digits and `-` only.
///
/// Servers that make CGI variables of headers read other characters as `-` (RFC 3875, section 4.1.18): all of them `_`,
/// PHP also `.` (`main/php_variables.c`), and lighttpd every other one (`buffer_copy_string_encoded_cgi_varnames`). gunicorn
/// takes a header `SCRIPT_NAME` for the variable, which moves the path (`http/wsgi.py`).
fn is_read_alike(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Removes the headers that a client can forge, and those whose names some servers read as other names.
pub(crate) fn drop_spoofable(headers: &mut HeaderMap) {
    let spoofable: Vec<_> = headers.keys().filter(|name| must_remove(name.as_str())).cloned().collect();
    for name in spoofable {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spoofable_headers_are_removed_in_every_spelling() {
        for name in REMOVED {
            assert!(must_remove(name), "{name}");
            for other in ["_", ".", "!", "~"] {
                let spelling = name.replace('-', other);
                assert!(must_remove(&spelling), "{spelling}");
            }
        }
        for name in [
            "x-forwarded-for",
            "x_forwarded_host",
            "x.forwarded.host",
            "x-original-url",
            "x-rewrite-url",
            "x-forwarded-anything",
        ] {
            assert!(must_remove(name), "{name}");
        }
        // RFC 9110, section 5.6.2: the characters of a name, other than letters, digits and `-`.
        for other in "!#$%&'*+.^_`|~".chars() {
            assert!(must_remove(&format!("script{other}name")), "{other}");
        }
        for name in
            ["accept", "cookie", "x-api-key", "x-forwardedness", "cf-ray", "x-real-ips", "x-client", ""]
        {
            assert!(!must_remove(name), "{name}");
        }
    }
}

use std::net::{IpAddr, Ipv6Addr};

use http::Uri;
use http::uri::Authority;

use crate::{Bad, path};

/// A scheme, host and port: what a browser calls an origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the scheme is `https`.
    pub https: bool,
    /// The host, with the port where one is written.
    pub authority: String,
}

impl Origin {
    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The host without the port, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        bare_host(&self.authority)
    }
}

impl Origin {
    /// Whether a browser takes both for one: the default port may be written or not.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let bare = |origin: &Self| {
            let port = if origin.https { ":443" } else { ":80" };
            origin.authority.strip_suffix(port).unwrap_or(&origin.authority).to_ascii_lowercase()
        };
        self.https == other.https && bare(self) == bare(other)
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority)
    }
}

/// An origin and the path prefix that every request to it starts with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// Where the upstream listens.
    pub origin: Origin,
    /// Empty, or a path without a trailing `/`.
    pub prefix: String,
}

/// Checks `public_url`: an absolute http(s) origin.
///
/// # Errors
/// Names the first thing that is wrong.
pub fn origin(text: &str) -> Result<Origin, Bad> {
    let (origin, rest) = absolute(text)?;
    match rest.as_str() {
        "" | "/" => Ok(origin),
        path => Err(Bad::part("an origin has no path: write the scheme, host and port only", path)),
    }
}

/// Checks `upstream.base_url`: an absolute http(s) URL, whose path becomes a prefix.
///
/// # Errors
/// Names the first thing that is wrong.
pub fn base_url(text: &str) -> Result<BaseUrl, Bad> {
    let (origin, rest) = absolute(text)?;
    let prefix = if matches!(rest.as_str(), "" | "/") { String::new() } else { path(&rest)? };
    Ok(BaseUrl { origin, prefix })
}

/// Checks a host name or address with an optional port, as in a `Host` header.
///
/// # Errors
/// When the text is not a host.
pub fn host(text: &str) -> Result<String, Bad> {
    let bad = || Bad::part("expected a host such as `app.example.com` or `localhost:3000`", text);
    if text.contains(['@', '/', '?', '#', '\\']) {
        return Err(bad());
    }
    let authority: Authority = text.parse().map_err(|_| bad())?;
    let name = authority.host();
    let name_ok = if let Some(v6) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
        v6.parse::<Ipv6Addr>().is_ok()
    } else {
        let is_label_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name = name.strip_suffix('.').unwrap_or(name);
        name.len() <= 253
            && name
                .split('.')
                .all(|label| (1..=63).contains(&label.len()) && label.chars().all(is_label_char))
    };
    let port = text.strip_prefix(name).unwrap_or_default();
    let port_ok = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => digits.chars().all(|c| c.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
    };
    if name_ok && port_ok { Ok(text.to_ascii_lowercase()) } else { Err(bad()) }
}

/// Whether a browser on this host keeps, and sends back, a cookie of this domain (RFC 6265, section 5.1.3).
#[must_use]
pub fn is_in_domain(host: &str, domain: &str) -> bool {
    let (host, domain) = (bare_host(host).to_ascii_lowercase(), domain.to_ascii_lowercase());
    let domain = domain.strip_prefix('.').unwrap_or(&domain);
    host == domain
        || (host.parse::<IpAddr>().is_err()
            && host.strip_suffix(domain).is_some_and(|front| front.ends_with('.')))
}

/// Whether a host is this machine in every browser: an address of 127.0.0.0/8 or `::1`, or `localhost` and the names
/// below it (RFC 6761, section 6.3).
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let host = bare_host(host).trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Whether a host can only be reached from inside: loopback, a private or link-local address, a
/// single label, or a name below `.internal`, `.local` or `.localhost`.
#[must_use]
pub fn is_internal_host(host: &str) -> bool {
    let host = bare_host(host).trim_end_matches('.').to_ascii_lowercase();
    match host.parse() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified()
        }
        Err(_) => {
            let is_label = !host.contains('.') && !is_number(&host);
            is_label || [".internal", ".local", ".localhost"].iter().any(|end| host.ends_with(end))
        }
    }
}

/// Whether a browser reads a label as an IPv4 address in one number: `134744072` is 8.8.8.8 (WHATWG URL,
/// "ends-in-a-number checker").
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => label.bytes().all(|digit| digit.is_ascii_digit()),
    }
}

fn bare_host(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    match authority.rsplit_once(':') {
        // More than one colon and no brackets: an IPv6 address on its own.
        Some((host, _)) if !host.contains(':') => host,
        _ => authority,
    }
}

fn absolute(text: &str) -> Result<(Origin, String), Bad> {
    const EXPECTED: &str = "expected an absolute URL such as `https://auth.example.com`";
    if text.contains('#') {
        return Err(Bad::new("a base URL has no fragment: remove the `#` and what follows"));
    }
    if text.contains('?') {
        return Err(Bad::new("a base URL has no query: remove the `?` and what follows"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(Bad::new(format!("{EXPECTED}: the scheme is missing")));
    };
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err(Bad::part("the scheme is `http` or `https`", scheme)),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Bad::new(
            "a URL carries no user name or password: send credentials in `upstream.headers`",
        ));
    }
    if authority.is_empty() {
        return Err(Bad::new(format!("{EXPECTED}: the host is missing")));
    }
    let authority = host(authority)?;
    if text.parse::<Uri>().is_err() {
        return Err(Bad::new(EXPECTED));
    }
    let path = rest.split_once('/').map(|(_, path)| format!("/{path}")).unwrap_or_default();
    Ok((Origin { https, authority }, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        let url = base_url("HTTPS://Auth.Example.com:8443/tenant/").unwrap();
        assert_eq!(url.origin.to_string(), "https://auth.example.com:8443");
        assert_eq!(url.origin.host(), "auth.example.com");
        assert_eq!(url.prefix, "/tenant");
        assert_eq!(base_url("http://[::1]:3000").unwrap().origin.host(), "::1");
        assert_eq!(origin("http://localhost:3000/").unwrap().authority, "localhost:3000");
    }

    #[test]
    fn refuses_what_is_not_a_plain_base() {
        let bad = [
            "",
            "auth.example.com",
            "ftp://a",
            "http://",
            "http:///a",
            "https://u:p@a",
            "http://a?b",
            "http://a#b",
            "http://a b",
            "http://a:99999",
            "http://a:",
            "http://a/../b",
            "http://[::1",
            "http://a/%2e",
            "http://-\u{e4}",
            "http://a\\b",
            "javascript://a",
            "http://a..b",
        ];
        for text in bad {
            assert!(base_url(text).is_err(), "{text}");
        }
        assert!(origin("https://a/b").is_err());
    }

    #[test]
    fn loopback_hosts() {
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]:80",
            "::1",
            "a.localhost",
            "localhost.",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "10.0.0.1",
            "evil",
            "evil.local",
            "[fe80::1]",
            "0.0.0.0",
            "localhost.example.com",
            "xlocalhost",
            "2130706433",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }

    #[test]
    fn knows_inside_from_outside() {
        for host in [
            "localhost",
            "localhost:3000",
            "127.0.0.1",
            "127.9.9.9:1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "auth",
            "auth.internal",
            "robo.local:80",
            "[::1]:80",
            "::1",
            "[fd00::1]",
            "a.localhost",
            "AUTH.INTERNAL.",
        ] {
            assert!(is_internal_host(host), "{host}");
        }
        for host in [
            "auth.example.com",
            "8.8.8.8",
            "172.32.0.1",
            "[2001:db8::1]",
            "internal.example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_internal_host(host), "{host}");
        }
    }
}

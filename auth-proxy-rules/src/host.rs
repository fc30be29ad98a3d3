//! Checks host names, and distinguishes loopback and internal hosts from public ones.

use std::net::{IpAddr, Ipv6Addr};

use crate::invalid_value::InvalidValue;

/// Checks a host name or address with an optional port, as in a `Host` header.
///
/// # Errors
/// When the text is not a host.
pub fn host(text: &str) -> Result<String, InvalidValue> {
    let error =
        || InvalidValue::with_part("expected a host such as `app.example.com` or `localhost:3000`", text);
    let (name_ok, port) = if let Some(v6) = text.strip_prefix('[') {
        let (v6, port) = v6.split_once(']').ok_or_else(error)?;
        (v6.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (name, port) = text.split_at(text.bytes().position(|byte| byte == b':').unwrap_or(text.len()));
        let is_label_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_label =
            |label: &[u8]| (1..=63).contains(&label.len()) && label.iter().all(|byte| is_label_byte(*byte));
        (name.len() <= 253 && name.as_bytes().split(|byte| *byte == b'.').all(is_label), port)
    };
    let port_ok = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
    };
    if name_ok && port_ok { Ok(text.to_ascii_lowercase()) } else { Err(error()) }
}

/// Whether a browser accepts a cookie with this `Domain` from this host (RFC 6265, section 5.1.3).
#[must_use]
pub fn is_in_domain(host: &str, domain: &str) -> bool {
    let (host, domain) = (bare_host(host).to_ascii_lowercase(), domain.to_ascii_lowercase());
    let domain = domain.strip_prefix('.').unwrap_or(&domain);
    host == domain
        || (host.parse::<IpAddr>().is_err()
            && host.strip_suffix(domain).is_some_and(|start| start.ends_with('.')))
}

/// Whether a host is the browser's own machine: an address of 127.0.0.0/8, `::1`, `localhost`, or a name below
/// `localhost` (RFC 6761, section 6.3).
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let host = bare_host(host).trim_end_matches('.');
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost")),
    }
}

/// Whether a host can be reached from an internal network only: loopback, a private or link-local address, a single
/// label, or a name below `.internal`, `.local` or `.localhost`.
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

/// Whether a browser reads a label as an IPv4 address: `134744072` is 8.8.8.8 (WHATWG URL, "ends-in-a-number checker").
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => label.bytes().all(|digit| digit.is_ascii_digit()),
    }
}

/// The host without the port, an IPv6 address without its brackets.
pub(crate) fn bare_host(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    let mut colons = authority.bytes().enumerate().filter(|(_, byte)| *byte == b':').map(|(n, _)| n);
    match (colons.next(), colons.next()) {
        // An IPv6 address without brackets has more than one colon and no port.
        (Some(colon), None) => authority.get(..colon).unwrap_or(authority),
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_accepts_names_and_addresses_with_an_optional_port() {
        for text in ["app.example.com", "LOCALHOST:3000", "[::1]:80", "10.0.0.1", "a_b"] {
            assert_eq!(host(text), Ok(text.to_ascii_lowercase()), "{text}");
        }
        for text in ["", "a b", "u@a", "a/b", "a?b", "a:", "a:99999", "a..b", "[::1", "a\\b"] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn is_in_domain_accepts_the_domain_and_its_subdomains() {
        for (host, domain, covers) in [
            ("app.example.com", "example.com", true),
            ("app.example.com:3000", ".Example.com", true),
            ("example.com", "example.com", true),
            ("badexample.com", "example.com", false),
            ("example.com", "app.example.com", false),
            ("10.0.0.1", "0.0.1", false),
        ] {
            assert_eq!(is_in_domain(host, domain), covers, "{host} {domain}");
        }
    }

    #[test]
    fn is_loopback_host_accepts_only_loopback() {
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
    fn is_internal_host_refuses_public_hosts() {
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

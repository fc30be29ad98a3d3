//! Writes the forwarding headers of upstream requests: the client's address, host and scheme.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;
use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderValue};

use super::{ClientInfo, ForwardedAs, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use crate::error::{AuthError, BoxError, Reason};

/// Which addresses `X-Forwarded-For` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// That of the client, and of each trusted proxy after it.
    All,
    /// That of the client.
    Client,
}

impl ClientInfo {
    /// Writes `Host`, `X-Forwarded-*` and `Forwarded` (RFC 7239).
    pub(crate) fn write(
        &self,
        headers: &mut HeaderMap,
        forwarded_as: &ForwardedAs<'_>,
        addresses: Addresses,
    ) -> Result<(), AuthError> {
        // One allocation instead of several.
        headers.reserve(5);
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(forwarded_as.scheme));
        let Texts { all, forwarded, addresses, host } = self.texts(forwarded_as, addresses);
        let value = |place| HeaderValue::from_maybe_shared(all.slice(place)).map_err(invalid);
        if let Some(addresses) = addresses {
            headers.insert(X_FORWARDED_FOR, value(addresses)?);
        }
        headers.insert(FORWARDED, value(forwarded)?);
        let forwarded_host = host.map(value).transpose()?;
        let host = match forwarded_as.host {
            same if same == forwarded_as.forwarded_host => forwarded_host.clone(),
            other => other.map(|host| HeaderValue::from_str(host).map_err(invalid)).transpose()?,
        };
        for (name, host) in [(HOST, host), (X_FORWARDED_HOST, forwarded_host)] {
            if let Some(host) = host {
                headers.insert(name, host);
            }
        }
        Ok(())
    }

    /// Writes the value of `Forwarded` (RFC 7239, section 4): one element for each hop, the newest last. The last one has the
    /// host and the scheme. The other values are parts of that text, except for a list of addresses, which follows it.
    fn texts(&self, forwarded_as: &ForwardedAs<'_>, addresses: Addresses) -> Texts {
        let mut text = String::with_capacity(128);
        let last = self.addresses.len().saturating_sub(1);
        let mut first = None;
        for (n, address) in self.addresses.iter().enumerate() {
            let (before, after) = if address.is_ipv6() { ("for=\"[", "]\"") } else { ("for=", "") };
            text.push_str(before);
            let place = append(&mut text, |text| push_address(text, *address));
            first.get_or_insert(place);
            text.push_str(after);
            text.push_str(if n == last { ";" } else { ", " });
        }
        let host = forwarded_as.forwarded_host.map(|host| {
            text.push_str("host=\"");
            let place = append(&mut text, |text| text.push_str(host));
            text.push_str("\";");
            place
        });
        text.extend(["proto=", forwarded_as.scheme]);
        let forwarded = 0..text.len();
        let addresses = if addresses == Addresses::All && last > 0 {
            for (n, address) in self.addresses.iter().enumerate() {
                text.push_str(if n == 0 { "" } else { ", " });
                push_address(&mut text, *address);
            }
            Some(forwarded.end..text.len())
        } else {
            first
        };
        Texts { all: Bytes::from(text), forwarded, addresses, host }
    }
}

/// The values of several headers in one text, and where each of them is.
struct Texts {
    all: Bytes,
    forwarded: Range<usize>,
    addresses: Option<Range<usize>>,
    host: Option<Range<usize>>,
}

/// Appends a value to a text. Returns where it is.
fn append(text: &mut String, push: impl FnOnce(&mut String)) -> Range<usize> {
    let start = text.len();
    push(text);
    start..text.len()
}

/// Appends an address. Most are IPv4, for which `Display` takes ten times the instructions.
fn push_address(text: &mut String, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        // Writing to a string cannot fail.
        let _ = write!(text, "{address}");
        return;
    };
    for (n, octet) in address.octets().into_iter().enumerate() {
        if n > 0 {
            text.push('.');
        }
        for unit in [100, 10, 1] {
            if octet >= unit || unit == 1 {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
}

fn invalid(error: impl Into<BoxError>) -> AuthError {
    AuthError::new(Reason::HOST_INVALID).because(error)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn addresses_are_written_as_display_does() {
        let of_octet = |octet| IpAddr::from(Ipv4Addr::new(octet, 0, 255 - octet, octet));
        for address in (0..=255).map(of_octet).chain([IpAddr::from(Ipv6Addr::LOCALHOST)]) {
            let mut text = String::new();
            push_address(&mut text, address);
            assert_eq!(text, address.to_string());
        }
    }
}

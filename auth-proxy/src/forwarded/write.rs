//! Writes the forwarding headers of upstream requests: the client's address, host and scheme.

use std::fmt::Write as _;
use std::net::IpAddr;

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
        if !self.addresses.is_empty() {
            headers.insert(X_FORWARDED_FOR, value(self.forwarded_for(addresses))?);
        }
        headers.insert(FORWARDED, value(self.forwarded(forwarded_as.forwarded_host, forwarded_as.scheme))?);
        // Both hosts are usually the same. Then the value is made once and cloned, which is cheap.
        let forwarded_host = forwarded_as
            .forwarded_host
            .map(|host| HeaderValue::from_str(host).map_err(invalid))
            .transpose()?;
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

    fn forwarded_for(&self, addresses: Addresses) -> String {
        let count = if addresses == Addresses::Client { 1 } else { self.addresses.len() };
        let mut list = String::with_capacity(16 * count);
        for address in self.addresses.iter().take(count) {
            let comma = if list.is_empty() { "" } else { ", " };
            let _ = write!(list, "{comma}{address}");
        }
        list
    }

    /// The value of `Forwarded` (RFC 7239, section 4): one element for each hop, the newest last. The last one has the
    /// host and the scheme.
    fn forwarded(&self, host: Option<&str>, scheme: &str) -> String {
        let mut text = String::with_capacity(64);
        let last = self.addresses.len().saturating_sub(1);
        for (n, address) in self.addresses.iter().enumerate() {
            let end = if n == last { ";" } else { ", " };
            // Writing to a string cannot fail.
            let _ = match address {
                IpAddr::V4(v4) => write!(text, "for={v4}{end}"),
                IpAddr::V6(v6) => write!(text, "for=\"[{v6}]\"{end}"),
            };
        }
        if let Some(host) = host {
            text.extend(["host=\"", host, "\";"]);
        }
        text.extend(["proto=", scheme]);
        text
    }
}

fn value(text: String) -> Result<HeaderValue, AuthError> {
    HeaderValue::try_from(text).map_err(invalid)
}

fn invalid(error: impl Into<BoxError>) -> AuthError {
    AuthError::new(Reason::HOST_INVALID).because(error)
}

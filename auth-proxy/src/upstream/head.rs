//! Adds the proxy's own headers to every upstream request: `Host`, forwarding headers, `Via`, `upstream.headers`.

use http::{HeaderMap, HeaderName};

use super::Upstream;
use crate::error::AuthError;
use crate::forwarded::{ClientInfo, ForwardedAs};

impl Upstream {
    /// The host and scheme that the upstream is told for a client's request.
    pub(crate) fn forwarded_as<'f>(&'f self, client: &'f ClientInfo) -> ForwardedAs<'f> {
        client.forwarded_as(&self.settings.host, self.settings.public_url.as_ref())
    }

    /// Sets `Host`, the forwarded headers, `Via` and the configured headers (`upstream.headers`).
    ///
    /// A client's header with the name of a configured header is removed, even if the configured header has no value.
    /// Names that differ only by `-` and `_` count as the same, because some servers treat them so.
    ///
    /// # Errors
    /// `loop_detected` when this proxy already sent the request once; `host_invalid` for a host that is no header
    /// value.
    pub(crate) fn finish_head(&self, headers: &mut HeaderMap, client: &ClientInfo) -> Result<(), AuthError> {
        self.via.add(headers)?;
        client.write(headers, &self.forwarded_as(client), self.needs.addresses)?;
        if self.header_names.is_empty() {
            return Ok(());
        }
        let is_own = |name: &HeaderName| self.header_names.iter().any(|own| is_same_name(own, name));
        let from_client: Vec<HeaderName> = headers.keys().filter(|name| is_own(name)).cloned().collect();
        for name in from_client {
            headers.remove(name);
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        Ok(())
    }
}

/// Whether two header names are equal for a server that treats `-` and `_` alike (RFC 3875, section 4.1.18).
fn is_same_name(one: &HeaderName, other: &HeaderName) -> bool {
    let (one, other) = (one.as_str().bytes(), other.as_str().bytes());
    let dashed = |byte| if byte == b'_' { b'-' } else { byte };
    one.len() == other.len() && one.map(dashed).eq(other.map(dashed))
}

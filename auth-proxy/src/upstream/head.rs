//! The headers that the proxy itself adds to every request.

use http::{HeaderMap, HeaderName};

use super::Upstream;
use crate::error::AuthError;
use crate::forwarded::{ClientInfo, ForwardedAs};

impl Upstream {
    /// What the upstream is told of a client.
    pub(crate) fn forwarded_as<'f>(&'f self, client: &'f ClientInfo) -> ForwardedAs<'f> {
        client.forwarded_as(&self.settings.host, self.settings.public_url.as_ref())
    }

    /// Sets `Host`, the forwarded headers, `Via` and the configured headers (`upstream.headers`).
    ///
    /// The names of the configured headers belong to the proxy, whether they have a value or not. A client's header
    /// of such a name is removed, also under a spelling that some servers take for the same (`-` and `_`).
    ///
    /// # Errors
    /// `loop_detected` when the request has been here before; `host_invalid`.
    pub(crate) fn finish_head(&self, headers: &mut HeaderMap, client: &ClientInfo) -> Result<(), AuthError> {
        self.via.add(headers)?;
        client.write(headers, &self.forwarded_as(client))?;
        if self.header_names.is_empty() {
            return Ok(());
        }
        let is_own = |name: &HeaderName| self.header_names.iter().any(|own| is_alike(own, name));
        let claimed: Vec<HeaderName> = headers.keys().filter(|name| is_own(name)).cloned().collect();
        for name in claimed {
            headers.remove(name);
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        Ok(())
    }
}

/// Whether two names are one to a server that takes `-` and `_` for the same (RFC 3875, section 4.1.18).
fn is_alike(one: &HeaderName, other: &HeaderName) -> bool {
    let (one, other) = (one.as_str().bytes(), other.as_str().bytes());
    let dashed = |byte| if byte == b'_' { b'-' } else { byte };
    one.len() == other.len() && one.map(dashed).eq(other.map(dashed))
}

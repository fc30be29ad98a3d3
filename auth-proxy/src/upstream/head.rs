use std::net::{IpAddr, SocketAddr};

use auth_proxy_rules::{Host, Origin, host, is_hop_by_hop};
use axum::extract::ConnectInfo;
use http::header::{CONNECTION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, uri::Scheme};

use crate::error::{AuthError, Reason};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What the client sees as this app: the host it asked for, the scheme, and its own address.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    host: Option<String>,
    https: bool,
    peer: Option<IpAddr>,
}

impl Front {
    /// Reads it from a request.
    ///
    /// # Errors
    /// `host_invalid` when the `Host` is not a host, or when there are several.
    pub(crate) fn of(parts: &Parts) -> Result<Self, AuthError> {
        let mut front = Self::of_head(&parts.headers, &parts.uri)?;
        front.peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        Ok(front)
    }

    /// Reads it from headers alone, where no request is at hand.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) fn of_headers(headers: &HeaderMap) -> Result<Self, AuthError> {
        Self::of_head(headers, &Uri::default())
    }

    fn of_head(headers: &HeaderMap, uri: &Uri) -> Result<Self, AuthError> {
        let invalid = || AuthError::new(Reason::HOST_INVALID);
        let mut hosts = headers.get_all(HOST).iter();
        let named = match (hosts.next(), hosts.next()) {
            (_, Some(_)) => return Err(invalid()),
            (Some(value), None) => Some(value.to_str().map_err(|error| invalid().because(error))?),
            // HTTP/2 carries it in `:authority`.
            (None, None) => uri.authority().map(http::uri::Authority::as_str),
        };
        let host = named.map(host).transpose().map_err(|bad| invalid().because(bad.message))?;
        Ok(Self { host, https: uri.scheme() == Some(&Scheme::HTTPS), peer: None })
    }

    /// Writes `Host` by the policy and `X-Forwarded-*` as seen by the client. `public_url` decides
    /// over what the request says.
    pub(super) fn write(
        &self,
        headers: &mut HeaderMap,
        policy: &Host,
        public_url: Option<&Origin>,
    ) -> Result<(), AuthError> {
        let seen = public_url.map(|url| url.authority.as_str()).or(self.host.as_deref());
        let sent = match policy {
            Host::Preserve => seen,
            Host::Literal(host) => Some(host.as_str()),
            // The client takes it from the URI.
            Host::Upstream | Host::Auto => None,
        };
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|error| AuthError::new(Reason::HOST_INVALID).because(error))
        };
        if let Some(host) = sent {
            headers.insert(HOST, value(host)?);
        }
        if let Some(host) = seen {
            headers.insert(X_FORWARDED_HOST, value(host)?);
        }
        let https = public_url.map_or(self.https, |url| url.https);
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(if https { "https" } else { "http" }));
        if let Some(peer) = self.peer {
            headers.insert(X_FORWARDED_FOR, value(&peer.to_string())?);
        }
        Ok(())
    }
}

/// Takes out every header that belongs to one connection, and those that `Connection` names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    let listed: Vec<HeaderName> =
        headers.keys().filter(|name| is_hop_by_hop(name.as_str())).cloned().collect();
    for name in listed {
        headers.remove(name);
    }
}

//! The client of a request: its address, the host and the scheme that it asked for, and how the upstream is told.
//!
//! Only the peer's address is certain. Everything else is a claim of the client, unless `public_url`, `hosts` or a trusted
//! proxy vouches for it. This is the one place that decides which claim counts.
//!
//! Imports the rooms: `error`.
//! Does without the crates: `hyper`, `tokio`, `tower`, `aws_lc_rs`, `jsonwebtoken`.

mod write;

use std::net::{IpAddr, SocketAddr};

use auth_proxy_rules::{Host, Origin, Settings, host, is_loopback_host};
use axum::extract::ConnectInfo;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Uri};

use crate::error::{AuthError, Reason};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Addresses of one `X-Forwarded-For` that are passed on.
const MOST_ADDRESSES: usize = 16;

/// The client of a request: its address, and the host and scheme under which it sees this app.
#[derive(Clone, Debug)]
pub(crate) struct ClientInfo {
    host: Option<String>,
    /// Whether the configuration, a trusted proxy or a loopback name confirms the host.
    is_host_trusted: bool,
    https: bool,
    /// Whether the peer is a trusted proxy.
    is_peer_trusted: bool,
    /// Whether a peer that is no trusted proxy claims that the client came over https.
    ignores_https_claim: bool,
    /// The client and the proxies after it, as far as they can be believed; the peer is the last.
    addresses: Vec<IpAddr>,
}

/// The host and scheme that the upstream is told. Its answer may depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ForwardedAs<'f> {
    /// `Host`; none for the upstream's own.
    pub(crate) host: Option<&'f str>,
    /// `X-Forwarded-Host`.
    pub(crate) forwarded_host: Option<&'f str>,
    /// `X-Forwarded-Proto`.
    pub(crate) scheme: &'static str,
}

impl ClientInfo {
    /// Reads it from a request. What the request says of forwarding counts when the peer is a
    /// trusted proxy, and each header only when it is well formed: Robo never answers a request
    /// with a scheme or a host that is none.
    ///
    /// The scheme in the target, of a request in absolute form or over HTTP/2, is the client's own word and does not
    /// count: without `public_url` or a trusted proxy it is http.
    ///
    /// # Errors
    /// `host_invalid` when the `Host` is not a host, or when there are several.
    pub(crate) fn of(parts: &Parts, settings: &Settings) -> Result<Self, AuthError> {
        let mut client = Self::of_head(&parts.headers, &parts.uri, settings)?;
        let Some(peer) = peer(parts) else { return Ok(client) };
        if is_trusted(peer, settings) {
            client.is_peer_trusted = true;
            client.ignores_https_claim = false;
            client.trust_headers(&parts.headers, settings);
        }
        client.addresses.push(peer);
        Ok(client)
    }

    /// Reads it from headers alone, where no request is at hand.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) fn of_headers(headers: &HeaderMap, settings: &Settings) -> Result<Self, AuthError> {
        Self::of_head(headers, &Uri::default(), settings)
    }

    /// That of a request of the proxy's own, which has no client.
    pub(crate) fn own(settings: &Settings) -> Self {
        let host = settings.hosts.first().cloned();
        Self {
            is_host_trusted: host.is_some(),
            host,
            https: false,
            is_peer_trusted: false,
            ignores_https_claim: false,
            addresses: Vec::new(),
        }
    }

    /// Whether a request came over https, where the configuration has trusted proxies, whose word counts.
    pub(crate) fn scheme(parts: &Parts, settings: &Settings) -> Option<bool> {
        if settings.trusted_proxies.is_empty() || settings.public_url.is_some() {
            return None;
        }
        let is_believed = peer(parts).is_some_and(|peer| is_trusted(peer, settings));
        Some(is_believed && last(&parts.headers, &X_FORWARDED_PROTO) == Some("https"))
    }

    fn of_head(headers: &HeaderMap, uri: &Uri, settings: &Settings) -> Result<Self, AuthError> {
        let invalid = || AuthError::new(Reason::HOST_INVALID);
        let mut hosts = headers.get_all(HOST).iter();
        let named = match (hosts.next(), hosts.next()) {
            (_, Some(_)) => return Err(invalid()),
            (Some(value), None) => Some(value.to_str().map_err(|error| invalid().because(error))?),
            // HTTP/2 carries it in `:authority`.
            (None, None) => uri.authority().map(http::uri::Authority::as_str),
        };
        let host = named.map(host).transpose().map_err(|bad| invalid().because(bad))?;
        // A loopback name cannot lead a browser to another machine. Every other name is only a claim of the client.
        let is_host_trusted = host
            .as_deref()
            .is_some_and(|host| is_loopback_host(host) || settings.hosts.iter().any(|own| own == host));
        Ok(Self {
            host,
            is_host_trusted,
            https: false,
            is_peer_trusted: false,
            ignores_https_claim: last(headers, &X_FORWARDED_PROTO) == Some("https"),
            addresses: Vec::new(),
        })
    }

    /// The host that the request asks for, trusted or not, for a warning.
    pub(crate) fn requested_host(&self) -> &str {
        self.host.as_deref().unwrap_or_default()
    }

    /// Whether a peer that is no trusted proxy claims that the client came over https, and `public_url` is not set.
    pub(crate) fn ignores_https_claim(&self, public_url: Option<&Origin>) -> bool {
        self.ignores_https_claim && public_url.is_none()
    }

    /// Whether the peer is a trusted proxy.
    pub(crate) fn is_peer_trusted(&self) -> bool {
        self.is_peer_trusted
    }

    /// Takes over the headers of a trusted proxy: the last value of each, which it wrote itself. Values before it may come
    /// from the client. Of the addresses, those up to the first that is no trusted proxy, seen from here: the client.
    fn trust_headers(&mut self, headers: &HeaderMap, settings: &Settings) {
        self.https = last(headers, &X_FORWARDED_PROTO) == Some("https");
        if let Some(Ok(seen)) = last(headers, &X_FORWARDED_HOST).map(host) {
            self.host = Some(seen);
            self.is_host_trusted = true;
        }
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let outwards = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for text in outwards.take(MOST_ADDRESSES - 1) {
            let Some(address) = address(text.trim()) else { break };
            self.addresses.push(address);
            if !is_trusted(address.to_canonical(), settings) {
                break;
            }
        }
        self.addresses.reverse();
    }

    /// Refuses a host that only the client claims: the upstream makes redirects, callback URLs and links in mails of it.
    ///
    /// # Errors
    /// `host_unknown`; `host_invalid` without a host. None when `public_url` is set.
    pub(crate) fn require_trusted_host(&self, public_url: Option<&Origin>) -> Result<(), AuthError> {
        match &self.host {
            _ if self.is_host_trusted || public_url.is_some() => Ok(()),
            Some(_) => Err(AuthError::new(Reason::HOST_UNKNOWN)),
            None => Err(AuthError::new(Reason::HOST_INVALID).because("there is none")),
        }
    }

    /// This app's origin as the browser sees it: `public_url`, else that of the request. `None` when only the client claims
    /// it.
    pub(crate) fn origin(&self, public_url: Option<&Origin>) -> Option<Origin> {
        let said = || Some(Origin { https: self.https, authority: self.trusted_host()?.to_owned() });
        public_url.cloned().or_else(said)
    }

    /// Whether a page's origin is the one that the request asks for: `public_url`, else the host of the request. An
    /// untrusted host counts too: the browser writes `Host`, and no page can change it. A page on https with a request over
    /// http is the same origin, since TLS may end before this app; the other way round it is another.
    pub(crate) fn is_own_page(&self, page: &Origin, public_url: Option<&Origin>) -> bool {
        let said = || Some(Origin { https: page.https, authority: self.host.clone()? });
        match public_url {
            Some(own) => own.is_same(page),
            None => (page.https || !self.https) && said().is_some_and(|own| own.is_same(page)),
        }
    }

    fn trusted_host(&self) -> Option<&str> {
        self.host.as_deref().filter(|_| self.is_host_trusted)
    }

    /// What the upstream is told, by `upstream.host`. `public_url` outranks the request.
    pub(crate) fn forwarded_as<'f>(
        &'f self,
        policy: &'f Host,
        public_url: Option<&'f Origin>,
    ) -> ForwardedAs<'f> {
        let seen = public_url.map(|url| url.authority.as_str()).or(self.trusted_host());
        ForwardedAs {
            host: match policy {
                Host::Preserve => seen,
                Host::Literal(host) => Some(host),
                // The client takes it from the URI.
                Host::Upstream | _ => None,
            },
            forwarded_host: seen,
            scheme: if public_url.map_or(self.https, |url| url.https) { "https" } else { "http" },
        }
    }
}

/// The address that a connection comes from.
fn peer(parts: &Parts) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip().to_canonical())
}

fn is_trusted(address: IpAddr, settings: &Settings) -> bool {
    settings.trusted_proxies.iter().any(|network| network.contains(&address))
}

/// The last value of a header, which the nearest proxy wrote.
fn last<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

/// An address, with the port that some proxies add.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

//! Client address, host and scheme: reads them from a request, decides whether to trust them, and forwards them to the
//! upstream (`Host`, `X-Forwarded-*`, `Forwarded`). Removes the headers of a connection, and those that a client can
//! forge, before a request is forwarded. Also the request that a trusted proxy asks about (`X-Original-*`).
//!
//! Only the peer's address is certain. Host, scheme and other addresses are claims of the client unless `public_url`,
//! `hosts` or a trusted proxy confirms them. Only this room decides which of them to trust.
//!
//! Imports the rooms: `error`.
//! Does without the crates: `hyper`, `tokio`, `tower`, `aws_lc_rs`, `jsonwebtoken`.

mod hop_by_hop;
mod original;
mod spoofable_headers;
mod write;

use std::net::{IpAddr, SocketAddr};

pub(crate) use self::hop_by_hop::strip_hop_by_hop;
pub(crate) use self::original::{OriginalRequest, QuestionForm};
pub(crate) use self::spoofable_headers::drop_spoofable;
pub(crate) use self::write::Addresses;
use auth_proxy_rules::{Host, Origin, Settings, host, is_loopback_host};
use axum::extract::ConnectInfo;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Uri};

use crate::error::{AuthError, Reason};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The headers that tell the host and the scheme of a request. The authority of its target and the peer do so too.
pub(crate) const ORIGIN_HEADERS: [HeaderName; 3] = [HOST, X_FORWARDED_HOST, X_FORWARDED_PROTO];

/// The most addresses that are sent to the upstream in `X-Forwarded-For`.
const MOST_ADDRESSES: usize = 16;

/// What is known of the client of a request: its address, and the host and scheme of the URL that it requested.
#[derive(Clone, Debug)]
pub(crate) struct ClientInfo {
    host: Option<String>,
    /// Whether the configuration, a trusted proxy or a loopback name confirms the host.
    is_host_trusted: bool,
    https: bool,
    /// Whether the peer is a trusted proxy.
    is_peer_trusted: bool,
    /// Whether a peer that is not a trusted proxy claims that the client used https.
    ignores_https_claim: bool,
    /// Addresses of the client and of the trusted proxies after it. The peer is the last.
    addresses: Vec<IpAddr>,
}

/// The host and scheme that the upstream is told. The upstream's response may depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ForwardedAs<'f> {
    /// `Host`. `None` for the host in the upstream's URL.
    pub(crate) host: Option<&'f str>,
    /// `X-Forwarded-Host`.
    pub(crate) forwarded_host: Option<&'f str>,
    /// `X-Forwarded-Proto`.
    pub(crate) scheme: &'static str,
}

impl ClientInfo {
    /// Reads the client from a request. Forwarding headers count only if the peer is a trusted proxy, and each of them
    /// only if it is well formed: Robo never responds to a request whose forwarded scheme or host is invalid.
    ///
    /// The scheme in the request target (absolute form, HTTP/2) is written by the client and does not count. Without
    /// `public_url` or a trusted proxy the scheme is http.
    ///
    /// # Errors
    /// `host_invalid` when `Host` is not a host, or is sent more than once.
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

    /// The address of the client: that of the peer, or the one that a trusted proxy names. `None` if the peer is unknown.
    pub(crate) fn address_of(parts: &Parts, settings: &Settings) -> Option<IpAddr> {
        let peer = peer(parts)?;
        let mut client = Self::own(settings);
        if is_trusted(peer, settings) {
            client.trust_headers(&parts.headers, settings);
        }
        client.addresses.push(peer);
        client.address()
    }

    /// The address of the client, which is the first of the known ones.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.addresses.first().map(IpAddr::to_canonical)
    }

    /// Reads the visitor's host and scheme from headers, for a caller that has no whole request.
    ///
    /// # Errors
    /// The errors of [`of`](Self::of).
    pub(crate) fn of_headers(headers: &HeaderMap, settings: &Settings) -> Result<Self, AuthError> {
        Self::of_head(headers, &Uri::default(), settings)
    }

    /// For a request of the proxy itself, such as a health check, which has no client. With `trusted_proxies`, visitors use
    /// https: TLS ends at such a proxy.
    pub(crate) fn own(settings: &Settings) -> Self {
        let host = settings.hosts.first().cloned();
        let https = settings.public_url.is_none() && !settings.trusted_proxies.is_empty();
        Self {
            is_host_trusted: host.is_some(),
            host,
            https,
            is_peer_trusted: false,
            ignores_https_claim: false,
            addresses: Vec::new(),
        }
    }

    /// Whether the client used https, as a trusted proxy says. `None` without `trusted_proxies`, and with `public_url`.
    pub(crate) fn scheme(parts: &Parts, settings: &Settings) -> Option<bool> {
        if settings.trusted_proxies.is_empty() || settings.public_url.is_some() {
            return None;
        }
        let is_trusted_peer = peer(parts).is_some_and(|peer| is_trusted(peer, settings));
        Some(is_trusted_peer && last(&parts.headers, &X_FORWARDED_PROTO) == Some("https"))
    }

    fn of_head(headers: &HeaderMap, uri: &Uri, settings: &Settings) -> Result<Self, AuthError> {
        let invalid = || AuthError::new(Reason::HOST_INVALID);
        let mut hosts = headers.get_all(HOST).iter();
        let named = match (hosts.next(), hosts.next()) {
            (_, Some(_)) => return Err(invalid()),
            (Some(value), None) => Some(value.to_str().map_err(|error| invalid().because(error))?),
            // HTTP/2 sends the host in `:authority`.
            (None, None) => uri.authority().map(http::uri::Authority::as_str),
        };
        let host = named.map(host).transpose().map_err(|bad| invalid().because(bad))?;
        // A loopback name is safe: it cannot lead a browser to another machine. Any other name may be invented.
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

    /// The requested host, trusted or not. For a warning.
    pub(crate) fn requested_host(&self) -> &str {
        self.host.as_deref().unwrap_or_default()
    }

    /// Whether a peer that is not a trusted proxy claims that the client used https, and `public_url` is not set.
    pub(crate) fn ignores_https_claim(&self, public_url: Option<&Origin>) -> bool {
        self.ignores_https_claim && public_url.is_none()
    }

    /// Whether the peer is a trusted proxy.
    pub(crate) fn is_peer_trusted(&self) -> bool {
        self.is_peer_trusted
    }

    /// Reads the forwarding headers of a trusted proxy. Of each header only the last value counts, which the proxy
    /// wrote itself: earlier values may come from the client. `X-Forwarded-For` is read from its end up to the first
    /// address that is not a trusted proxy: the client.
    fn trust_headers(&mut self, headers: &HeaderMap, settings: &Settings) {
        self.https = last(headers, &X_FORWARDED_PROTO) == Some("https");
        if let Some(Ok(forwarded)) = last(headers, &X_FORWARDED_HOST).map(host) {
            self.host = Some(forwarded);
            self.is_host_trusted = true;
        }
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let from_last = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for text in from_last.take(MOST_ADDRESSES - 1) {
            let Some(address) = address(text.trim()) else { break };
            self.addresses.push(address);
            if !is_trusted(address.to_canonical(), settings) {
                break;
            }
        }
        self.addresses.reverse();
    }

    /// Refuses an untrusted host, because the upstream puts the host into redirects, callback URLs and links in mails.
    ///
    /// # Errors
    /// `host_unknown` for an untrusted host, `host_invalid` without a host. No error if `public_url` is set.
    pub(crate) fn require_trusted_host(&self, public_url: Option<&Origin>) -> Result<(), AuthError> {
        match &self.host {
            _ if self.is_host_trusted || public_url.is_some() => Ok(()),
            Some(_) => Err(AuthError::new(Reason::HOST_UNKNOWN)),
            None => Err(AuthError::new(Reason::HOST_INVALID).because("there is none")),
        }
    }

    /// This app's origin as the browser sees it: `public_url`, else that of the request. `None` when the request's host
    /// is not trusted.
    pub(crate) fn origin(&self, public_url: Option<&Origin>) -> Option<Origin> {
        let requested = || Some(Origin { https: self.https, authority: self.trusted_host()?.to_owned() });
        public_url.cloned().or_else(requested)
    }

    /// Whether a page's origin is this app's: `public_url`, else the host of the request. An untrusted host counts too:
    /// the browser writes `Host`, and no page can change it. An https page may send a request that arrives over http,
    /// since TLS may end before this app. An http page with a request over https is another origin.
    pub(crate) fn is_own_page(&self, page: &Origin, public_url: Option<&Origin>) -> bool {
        let requested = || Some(Origin { https: page.https, authority: self.host.clone()? });
        match public_url {
            Some(own) => own.is_same(page),
            None => (page.https || !self.https) && requested().is_some_and(|own| own.is_same(page)),
        }
    }

    fn trusted_host(&self) -> Option<&str> {
        self.host.as_deref().filter(|_| self.is_host_trusted)
    }

    /// The host and scheme for the upstream, by `upstream.host`. `public_url` takes precedence over the request.
    pub(crate) fn forwarded_as<'f>(
        &'f self,
        policy: &'f Host,
        public_url: Option<&'f Origin>,
    ) -> ForwardedAs<'f> {
        let public_host = public_url.map(|url| url.authority.as_str()).or(self.trusted_host());
        ForwardedAs {
            host: match policy {
                Host::Preserve => public_host,
                Host::Literal(host) => Some(host),
                // The HTTP client takes the host from the URL.
                Host::Upstream | _ => None,
            },
            forwarded_host: public_host,
            scheme: if public_url.map_or(self.https, |url| url.https) { "https" } else { "http" },
        }
    }
}

/// The address of the peer: the other end of the TCP connection.
pub(crate) fn peer(parts: &Parts) -> Option<IpAddr> {
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

/// Parses an address, with or without the port that some proxies add.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

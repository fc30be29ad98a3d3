use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use auth_proxy_rules::{Host, Origin, Settings, host, is_hop_by_hop, is_loopback_host};
use axum::extract::ConnectInfo;
use http::header::{CONNECTION, CONTENT_LENGTH, FORWARDED, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::error::{AuthError, BoxError, Reason};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Addresses of one `X-Forwarded-For` that are passed on.
const MOST_ADDRESSES: usize = 16;

/// What the client sees as this app: the host it asked for, the scheme, and who it is.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    host: Option<String>,
    /// Whether more than the client's word says that this app has the host.
    is_known: bool,
    https: bool,
    /// Whether the peer is a trusted proxy.
    is_peer_trusted: bool,
    /// Whether a peer that is none says that the client came over https.
    is_https_ignored: bool,
    /// The client and the proxies after it, as far as they can be believed; the peer is the last.
    addresses: Vec<IpAddr>,
}

/// What the upstream is told of a request: the answer may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told<'f> {
    /// `Host`; none for the upstream's own.
    pub(crate) host: Option<&'f str>,
    /// `X-Forwarded-Host`.
    pub(crate) forwarded_host: Option<&'f str>,
    /// `X-Forwarded-Proto`.
    pub(crate) scheme: &'static str,
}

impl Front {
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
        let mut front = Self::of_head(&parts.headers, &parts.uri, settings)?;
        let Some(peer) = peer(parts) else { return Ok(front) };
        if is_trusted(peer, settings) {
            front.is_peer_trusted = true;
            front.is_https_ignored = false;
            front.believe(&parts.headers, settings);
        }
        front.addresses.push(peer);
        Ok(front)
    }

    /// Reads it from headers alone, where no request is at hand.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) fn of_headers(headers: &HeaderMap, settings: &Settings) -> Result<Self, AuthError> {
        Self::of_head(headers, &Uri::default(), settings)
    }

    /// That of a request that no client had a part in.
    pub(crate) fn own(settings: &Settings) -> Self {
        let host = settings.hosts.first().cloned();
        Self {
            is_known: host.is_some(),
            host,
            https: false,
            is_peer_trusted: false,
            is_https_ignored: false,
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
        let host = named.map(host).transpose().map_err(|bad| invalid().because(bad.message))?;
        // The machine's own names lead nobody away from it. Every other name may be anybody's.
        let is_known = host
            .as_deref()
            .is_some_and(|host| is_loopback_host(host) || settings.hosts.iter().any(|own| own == host));
        Ok(Self {
            host,
            is_known,
            https: false,
            is_peer_trusted: false,
            is_https_ignored: last(headers, &X_FORWARDED_PROTO) == Some("https"),
            addresses: Vec::new(),
        })
    }

    /// The host that the request asks for, whether it is known or not, for a warning.
    pub(crate) fn asked_host(&self) -> &str {
        self.host.as_deref().unwrap_or_default()
    }

    /// Whether somebody who is not believed says that the client came over https, and nothing else tells the scheme.
    pub(crate) fn is_https_ignored(&self, public_url: Option<&Origin>) -> bool {
        self.is_https_ignored && public_url.is_none()
    }

    /// Whether the peer is a trusted proxy.
    pub(crate) fn is_peer_trusted(&self) -> bool {
        self.is_peer_trusted
    }

    /// Takes over what a trusted proxy says: the last value of each header, which it wrote itself. What
    /// stands before may be the client's own word. Of the addresses, all up to the first that is no
    /// trusted proxy, seen from here: that is the client.
    fn believe(&mut self, headers: &HeaderMap, settings: &Settings) {
        self.https = last(headers, &X_FORWARDED_PROTO) == Some("https");
        if let Some(Ok(seen)) = last(headers, &X_FORWARDED_HOST).map(host) {
            self.host = Some(seen);
            self.is_known = true;
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

    /// Refuses a host that only the client vouches for, since the upstream makes redirects, callback
    /// URLs and mails of it.
    ///
    /// # Errors
    /// `host_unknown`, and `host_invalid` for none, unless `public_url` decides.
    pub(crate) fn must_be_known(&self, public_url: Option<&Origin>) -> Result<(), AuthError> {
        match &self.host {
            _ if self.is_known || public_url.is_some() => Ok(()),
            Some(_) => Err(AuthError::new(Reason::HOST_UNKNOWN)),
            None => Err(AuthError::new(Reason::HOST_INVALID).because("there is none")),
        }
    }

    /// This app's origin as the browser sees it: `public_url`, else what the request says. `None` when
    /// that is the client's word alone.
    pub(crate) fn origin(&self, public_url: Option<&Origin>) -> Option<Origin> {
        let said = || Some(Origin { https: self.https, authority: self.known_host()?.to_owned() });
        public_url.cloned().or_else(said)
    }

    /// Whether a page of this origin is on the host that the request asks for: by `public_url`, else by the
    /// host, also one that is not known: a browser writes it, and no page can. https where the request came as http
    /// may be TLS that ends before this app; the other way round is another origin.
    pub(crate) fn is_asked_as(&self, page: &Origin, public_url: Option<&Origin>) -> bool {
        let said = || Some(Origin { https: page.https, authority: self.host.clone()? });
        match public_url {
            Some(own) => own.is_same(page),
            None => (page.https || !self.https) && said().is_some_and(|own| own.is_same(page)),
        }
    }

    fn known_host(&self) -> Option<&str> {
        self.host.as_deref().filter(|_| self.is_known)
    }

    /// What the upstream is told, by the policy. `public_url` decides over what the request says.
    pub(super) fn told<'f>(&'f self, policy: &'f Host, public_url: Option<&'f Origin>) -> Told<'f> {
        let seen = public_url.map(|url| url.authority.as_str()).or(self.known_host());
        Told {
            host: match policy {
                Host::Preserve => seen,
                Host::Literal(host) => Some(host),
                // The client takes it from the URI.
                Host::Upstream | Host::Auto => None,
            },
            forwarded_host: seen,
            scheme: if public_url.map_or(self.https, |url| url.https) { "https" } else { "http" },
        }
    }

    /// Writes `Host`, and `X-Forwarded-*` and `Forwarded` (RFC 7239) as the client is seen.
    pub(super) fn write(&self, headers: &mut HeaderMap, told: &Told<'_>) -> Result<(), AuthError> {
        // Grown once, by what is about to be written.
        headers.reserve(5);
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(told.scheme));
        if !self.addresses.is_empty() {
            headers.insert(X_FORWARDED_FOR, value(self.forwarded_for())?);
        }
        headers.insert(FORWARDED, value(self.forwarded(told.forwarded_host, told.scheme))?);
        // Both are the same most of the time, and a value is cheap to clone.
        let seen =
            told.forwarded_host.map(|host| HeaderValue::from_str(host).map_err(invalid)).transpose()?;
        let sent = match told.host {
            same if same == told.forwarded_host => seen.clone(),
            other => other.map(|host| HeaderValue::from_str(host).map_err(invalid)).transpose()?,
        };
        for (name, host) in [(HOST, sent), (X_FORWARDED_HOST, seen)] {
            if let Some(host) = host {
                headers.insert(name, host);
            }
        }
        Ok(())
    }

    fn forwarded_for(&self) -> String {
        let mut list = String::with_capacity(16 * self.addresses.len());
        for address in &self.addresses {
            let comma = if list.is_empty() { "" } else { ", " };
            let _ = write!(list, "{comma}{address}");
        }
        list
    }

    /// RFC 7239, section 4: one element a hop, the newest last; ours tells the host and the scheme.
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

fn value(text: String) -> Result<HeaderValue, AuthError> {
    HeaderValue::try_from(text).map_err(invalid)
}

fn invalid(error: impl Into<BoxError>) -> AuthError {
    AuthError::new(Reason::HOST_INVALID).because(error)
}

/// Takes out every header that belongs to one connection, and those that `Connection` names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // With both framings the length is not that of the body (RFC 9112, section 6.3).
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
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

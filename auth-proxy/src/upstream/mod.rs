//! Requests to the upstream: where they go, what head they carry, who carries them, and how long
//! they may take. Knows nothing of sessions or tokens.

mod breaker;
mod client;
mod error;
mod fetch;
mod idle;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry;
mod send;
mod via;
mod witness;

use auth_proxy_rules::Settings;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::retry::budget::TpsBudget;

use self::breaker::Breaker;
use self::client::Client;
pub use self::fetch::{DynFetch, Fetch};
#[cfg(feature = "reqwest")]
pub use self::reqwest::Reqwest;
pub(crate) use self::retry::Repeat;
pub(crate) use self::send::{body_error, status_error};
use self::via::Via;
use self::witness::Witness;
use crate::config::Config;
use crate::error::{AuthError, BoxError, Reason};
use crate::forwarded::{ClientInfo, ForwardedAs};

/// One upstream: its address, its extra headers and its client.
pub(crate) struct Upstream {
    client: Client,
    settings: Settings,
    headers: HeaderMap,
    header_names: Vec<HeaderName>,
    scheme: Scheme,
    authority: Authority,
    /// What every path at the upstream begins with.
    base: String,
    via: Via,
    breaker: Breaker,
    witness: Witness,
    budget: TpsBudget,
    places: Semaphore,
}

impl Upstream {
    pub(crate) fn new(config: &Config, fetch: Option<DynFetch>) -> Result<Self, BoxError> {
        let settings = &config.settings;
        let client = match fetch {
            Some(fetch) => Client::Other(fetch),
            None => client::client(settings)?,
        };
        let base_url = &settings.base_url;
        Ok(Self {
            client,
            headers: config.headers.clone(),
            header_names: config.header_names.clone(),
            scheme: if base_url.origin.https { Scheme::HTTPS } else { Scheme::HTTP },
            authority: base_url.origin.authority.parse()?,
            base: format!("{}{}", base_url.prefix, settings.upstream_base_path),
            via: Via::new()?,
            breaker: Breaker::new(settings.circuit_breaker),
            witness: Witness::default(),
            budget: TpsBudget::default(),
            places: Semaphore::new(places(settings)),
            settings: settings.clone(),
        })
    }

    /// The target of a request for `asked`, of which `rest` (empty or `/..`) is below the base path:
    /// configured origin, prefix and base path, then the rest and the query, byte for byte.
    ///
    /// # Errors
    /// `path_invalid` when the parts do not make a URI. `rest` must have been checked already: it
    /// has no dot segments here.
    pub(crate) fn target(&self, asked: &Uri, rest: &str) -> Result<Uri, AuthError> {
        let is_same = asked.path().strip_suffix(rest) == Some(&self.base);
        match asked.path_and_query().filter(|_| is_same) {
            Some(same) => self.at(same.clone()),
            None => {
                let query = asked.query().map_or(String::new(), |query| format!("?{query}"));
                self.at(self.path(&format!("{rest}{query}"))?)
            }
        }
    }

    fn path(&self, rest: &str) -> Result<PathAndQuery, AuthError> {
        let path = format!("{}{rest}", self.base);
        PathAndQuery::try_from(path).map_err(|error| AuthError::new(Reason::PATH_INVALID).because(error))
    }

    fn at(&self, path: PathAndQuery) -> Result<Uri, AuthError> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).map_err(|error| AuthError::new(Reason::PATH_INVALID).because(error))
    }

    /// What the upstream is told of a request.
    pub(crate) fn forwarded_as<'f>(&'f self, client: &'f ClientInfo) -> ForwardedAs<'f> {
        client.forwarded_as(&self.settings.host, self.settings.public_url.as_ref())
    }

    /// Sets `Host`, the forwarded headers, `Via` and the configured headers. The names of the last are the proxy's own,
    /// whether they have a value or not: what a client sends under one of them, or under what reads as one where `-` and
    /// `_` are the same, goes no further.
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

    /// A place among the requests that may be under way, kept until the head of the answer is there.
    ///
    /// # Errors
    /// `upstream_overloaded`, at once.
    pub(crate) fn place(&self) -> Result<SemaphorePermit<'_>, AuthError> {
        self.places.try_acquire().map_err(|_| {
            AuthError::new(Reason::UPSTREAM_OVERLOADED)
                .because("as many sign-in requests are under way as may be")
                .retry_after(Some(HeaderValue::from_static("1")))
        })
    }
}

/// How many proxied requests may wait for the head of an answer at once.
fn places(settings: &Settings) -> usize {
    let places = settings.concurrency.saturating_add(settings.queue);
    usize::try_from(places).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}

/// Whether two names are one to a server that takes `-` and `_` for the same (RFC 3875, section 4.1.18).
fn is_alike(one: &HeaderName, other: &HeaderName) -> bool {
    let (one, other) = (one.as_str().bytes(), other.as_str().bytes());
    let dashed = |byte| if byte == b'_' { b'-' } else { byte };
    one.len() == other.len() && one.map(dashed).eq(other.map(dashed))
}

//! Requests to the upstream: where they go, what head they carry, who carries them, and how long
//! they may take. Knows nothing of sessions or tokens.

mod breaker;
mod client;
mod error;
mod fetch;
mod head;
mod idle;
mod prefix;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry;
mod rewrite;
mod via;

use auth_proxy_rules::Settings;
use axum::body::Body;
use http::header::RETRY_AFTER;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tower::retry::budget::TpsBudget;

use self::breaker::Breaker;
use self::client::Client;
use self::error::{Failure, classify};
pub use self::fetch::{DynFetch, Fetch};
pub(crate) use self::head::{Front, strip_hop_by_hop};
use self::idle::IdleTimeout;
pub(crate) use self::prefix::raise_cookies;
#[cfg(feature = "reqwest")]
pub use self::reqwest::Reqwest;
pub(crate) use self::retry::Repeat;
use self::retry::{Retries, another, is_passing};
pub(crate) use self::rewrite::Rewrite;
use self::via::Via;
use crate::config::Config;
use crate::error::{AuthError, BoxError, Reason};

/// One upstream: its address, its extra headers and its client.
pub(crate) struct Upstream {
    client: Client,
    settings: Settings,
    headers: HeaderMap,
    scheme: Scheme,
    authority: Authority,
    /// What every path at the upstream begins with.
    base: String,
    via: Via,
    breaker: Breaker,
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
            scheme: if base_url.origin.https { Scheme::HTTPS } else { Scheme::HTTP },
            authority: base_url.origin.authority.parse()?,
            base: format!("{}{}", base_url.prefix, settings.upstream_base_path),
            via: Via::new()?,
            breaker: Breaker::new(settings.circuit_breaker),
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

    /// Sets `Host`, the forwarded headers, `Via` and the configured headers, the last of which win, also over
    /// what reads as them where `-` and `_` are the same.
    ///
    /// # Errors
    /// `loop_detected` when the request has been here before; `host_invalid`.
    pub(crate) fn finish_head(&self, headers: &mut HeaderMap, front: &Front) -> Result<(), AuthError> {
        self.via.add(headers)?;
        front.write(headers, &self.settings.host, self.settings.public_url.as_ref())?;
        let is_lookalike =
            |name: &HeaderName| self.headers.keys().any(|own| own != name && is_alike(own, name));
        let lookalikes: Vec<HeaderName> = headers.keys().filter(|name| is_lookalike(name)).cloned().collect();
        for name in lookalikes {
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

    /// Sends a request and waits for the head of the response, within the timeout, with another try where
    /// it may be repeated. The body must then keep moving: a pause longer than the timeout ends it.
    ///
    /// # Errors
    /// `circuit_open`, `upstream_unreachable`, `upstream_failed` or `upstream_timeout`.
    pub(crate) async fn send(
        &self,
        mut request: Request<Body>,
        repeat: Repeat,
    ) -> Result<Response<Body>, AuthError> {
        let deadline = Instant::now() + self.settings.timeout;
        let pass = self.breaker.admit()?;
        let most = if pass.is_probe() { 0 } else { self.settings.retries };
        let mut retries = Retries::new(most, &self.budget, deadline);
        let is_safe = repeat == Repeat::Safe;
        loop {
            // Our own client gives back what it could not send; of others a copy has to be kept.
            let keeps = retries.any_left() && (is_safe || matches!(self.client, Client::Other(_)));
            let copy = if keeps { another(&request) } else { None };
            let failure = match self.send_once(request, retries.deadline()).await {
                Ok(response) if is_safe && is_passing(&response) => {
                    if let Some(copy) = copy
                        && retries.next().await
                    {
                        request = copy;
                        continue;
                    }
                    pass.failed();
                    return Ok(response);
                }
                Ok(response) => {
                    pass.answered();
                    return Ok(response);
                }
                Err(failure) => failure,
            };
            // Time is up for all tries, and what ended by our own doing ends again.
            let is_final = failure.error.is(Reason::UPSTREAM_TIMEOUT) || !failure.error.is_unavailable();
            let again = match failure.request {
                Some(unsent) => Some(*unsent),
                None => copy.filter(|_| is_safe || failure.is_unsent),
            };
            if let Some(again) = again.filter(|_| !is_final)
                && retries.next().await
            {
                request = again;
                continue;
            }
            // A client can make a form late or break it off, and a provider a callback; but nobody
            // outside decides whether there is a connection, or how long a lookup takes.
            if is_safe || failure.error.is(Reason::UPSTREAM_UNREACHABLE) {
                pass.failed();
            }
            return Err(failure.error);
        }
    }

    async fn send_once(&self, request: Request<Body>, deadline: Instant) -> Result<Response<Body>, Failure> {
        let limit = self.settings.timeout;
        let answer = async {
            match &self.client {
                Client::Direct(client) => {
                    let response = client.send(request).await?;
                    Ok(response.map(|body| {
                        body.map_or_else(Body::empty, |body| Body::new(IdleTimeout::new(body, limit)))
                    }))
                }
                Client::Other(client) => {
                    let response = client.fetch(request).await.map_err(classify)?;
                    Ok(response.map(|body| Body::new(IdleTimeout::new(body, limit))))
                }
            }
        };
        tokio::time::timeout_at(deadline, answer).await.unwrap_or_else(|elapsed| {
            let error = AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed);
            Err(Failure { error, is_unsent: false, request: None })
        })
    }

    /// `GET /session` with this `Cookie` header: the status and headers, and the whole body up to
    /// `limit` bytes, all within the timeout.
    ///
    /// # Errors
    /// As [`send`](Self::send); `upstream_nonsense` for a body that is too long or breaks off.
    pub(crate) async fn session(
        &self,
        cookie: HeaderValue,
        front: &Front,
        limit: usize,
    ) -> Result<Response<bytes::Bytes>, AuthError> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.at(self.path("/session")?)?;
        let headers = request.headers_mut();
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(http::header::COOKIE, cookie);
        self.finish_head(headers, front)?;
        let whole = async {
            let (parts, body) = self.send(request, Repeat::Safe).await?.into_parts();
            let body = axum::body::to_bytes(body, limit)
                .await
                .map_err(|error| body_error(error, Reason::UPSTREAM_NONSENSE))?;
            let mut response = Response::from_parts(parts, body);
            // Its cookies may go on to the browser.
            let own = front.origin(self.settings.public_url.as_ref());
            Rewrite::new(&self.settings, own).head(response.headers_mut());
            Ok(response)
        };
        tokio::time::timeout(self.settings.timeout, whole)
            .await
            .map_err(|elapsed| AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed))?
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

/// What it means when a body breaks off: ours when we ended it, else `otherwise`.
pub(crate) fn body_error(error: axum::Error, otherwise: &'static Reason) -> AuthError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if let Some(ours) = error.downcast_ref::<AuthError>() {
            return ours.clone();
        }
        cause = error.source();
    }
    AuthError::new(otherwise).because(error)
}

/// What an upstream's status means when a plain 200 was expected.
pub(crate) fn status_error<B>(response: &Response<B>) -> AuthError {
    let retry_after = response.headers().get(RETRY_AFTER).cloned();
    let reason = match response.status() {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Reason::UPSTREAM_OVERLOADED,
        StatusCode::GATEWAY_TIMEOUT => Reason::UPSTREAM_TIMEOUT,
        _ => Reason::UPSTREAM_FAILED,
    };
    AuthError::new(reason)
        .because(format!("the upstream answered {}", response.status()))
        .retry_after(retry_after)
}

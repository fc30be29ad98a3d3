//! Gets a public document, such as a key set, that may be on another origin than the upstream.
//!
//! The request has no cookies, no `upstream.headers` and nothing of a client: it may go to another party.

use std::time::Duration;

use auth_proxy_rules::{BaseUrl, Endpoint, Settings};
use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use tokio::time::{Instant, timeout_at};
use tower::retry::budget::TpsBudget;

use super::client::Client;
use super::error::SendFailure;
use super::fetch::DynFetch;
use super::retry::{Retries, is_outage};
use super::send::read_whole;
use crate::error::{AuthError, BoxError, Reason};
use crate::telemetry::{Exchange, Purpose};

/// A document at a URL, with a client of its own.
pub(crate) struct Document {
    client: Client,
    url: Uri,
    host: HeaderValue,
    timeout: Duration,
    retries: u32,
    budget: TpsBudget,
}

impl Document {
    /// The document at this URL. `fetch` replaces the built-in HTTP client.
    ///
    /// # Errors
    /// When the built-in client cannot read the system's certificates.
    pub(crate) fn new(
        url: &Endpoint,
        settings: &Settings,
        fetch: Option<DynFetch>,
    ) -> Result<Self, BoxError> {
        let server = BaseUrl { origin: url.origin.clone(), socket: None, prefix: String::new() };
        Ok(Self {
            client: Client::new(&server, settings.connect_timeout, fetch)?,
            host: url.origin.authority.parse()?,
            url: url.to_string().parse()?,
            timeout: settings.timeout,
            retries: settings.retries,
            budget: TpsBudget::default(),
        })
    }

    /// The longest time that [`get`](Self::get) takes: `upstream.timeout`.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Gets the document, of at most `limit` bytes, within `upstream.timeout`. Retries as a lookup does.
    ///
    /// # Errors
    /// `upstream_unreachable`, `upstream_failed`, `upstream_timeout`, or `upstream_invalid_response` for a document that
    /// is too long.
    pub(crate) async fn get(&self, limit: usize) -> Result<Bytes, AuthError> {
        let deadline = Instant::now() + self.timeout;
        let mut retries = Retries::new(self.retries, &self.budget, deadline);
        let mut resent = 0;
        loop {
            let request = self.request();
            let exchange = Exchange::begin(Purpose::Keys, &request, resent, None);
            let response = exchange.run(timeout_at(deadline, self.attempt(request, limit)));
            let response = response
                .await
                .unwrap_or_else(|elapsed| Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)));
            exchange.end(response.as_ref().map(Response::status).map_err(AuthError::code));
            let may_succeed_later = match &response {
                Ok(response) => is_outage(response.status()),
                Err(error) => !error.is(Reason::UPSTREAM_INVALID_RESPONSE),
            };
            if !may_succeed_later || !retries.next().await {
                return body_of(response?);
            }
            resent += 1;
        }
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.url.clone();
        request.headers_mut().insert(HOST, self.host.clone());
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        request
    }

    async fn attempt(&self, request: Request<Body>, limit: usize) -> Result<Response<Bytes>, AuthError> {
        let error = |failure: SendFailure| failure.error;
        let response = self.client.send(request, self.timeout).await.map_err(error)?;
        if response.status() != StatusCode::OK {
            return Ok(response.map(|_| Bytes::new()));
        }
        read_whole(response, limit).await.map_err(error)
    }
}

/// The body of a response.
///
/// # Errors
/// `upstream_failed` for a status other than 200. Redirects are not followed: they would choose another origin.
pub(super) fn body_of(response: Response<Bytes>) -> Result<Bytes, AuthError> {
    match response.status() {
        StatusCode::OK => Ok(response.into_body()),
        status => {
            Err(AuthError::new(Reason::UPSTREAM_FAILED)
                .because(format!("the response has the status {status}")))
        }
    }
}

//! The client of an app behind this proxy. It has no retries and no circuit breaker: the app's requests may do anything.

use std::time::Duration;

use auth_proxy_rules::BaseUrl;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;

use super::client::Http1Client;
use super::error::classify;
use super::failure_log::{FailureLog, Requests};
use super::idle::IdleTimeout;
use crate::error::{AuthError, BoxError, Reason};

/// The HTTP/1.1 client of one app.
pub(crate) struct AppClient {
    client: Http1Client,
    /// The longest pause in a response body.
    idle: Duration,
    pub(crate) log: FailureLog,
}

impl AppClient {
    /// A client for the app at this address.
    ///
    /// # Errors
    /// When the system's certificates cannot be read, for an https origin.
    pub(crate) fn new(app: &BaseUrl, connect_timeout: Duration, idle: Duration) -> Result<Self, BoxError> {
        let client = Http1Client::new(app, connect_timeout)?;
        Ok(Self { client, idle, log: FailureLog::new(Requests::ToApp) })
    }

    /// Sends a request and waits for the head of the response. The body of the response arrives while it is read.
    ///
    /// # Errors
    /// `upstream_unreachable`, `upstream_failed`: see [`of_app`].
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, AuthError> {
        let response = self.client.send(request).await.map_err(|failure| failure.error)?;
        Ok(response.map(|body| match body {
            Some(body) => Body::new(IdleTimeout::new(body, self.idle)),
            None => Body::empty(),
        }))
    }

    /// Sends a request that asks for another protocol, on a connection of its own.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(crate) async fn upgrade(&self, request: Request<Body>) -> Result<Response<Incoming>, AuthError> {
        self.client.upgrade(request).await.map_err(|error| classify(error).error)
    }
}

/// A failure of the client as one of the app, and not of the upstream.
pub(crate) fn of_app(error: AuthError) -> AuthError {
    let reasons = [
        (Reason::UPSTREAM_UNREACHABLE, Reason::APP_UNREACHABLE),
        (Reason::UPSTREAM_FAILED, Reason::APP_FAILED),
        (Reason::UPSTREAM_TIMEOUT, Reason::APP_TIMEOUT),
    ];
    match reasons.into_iter().find(|(upstream, _)| error.is(upstream)) {
        Some((_, app)) => error.with_reason(app),
        None => error,
    }
}

//! One request: its tries, its deadline, and what its failure means.

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, COOKIE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::LengthLimitError;
use tokio::time::{Instant, timeout_at};

use super::client::Client;
use super::error::{Failure, Got, classify};
use super::idle::IdleTimeout;
use super::retry::{Repeat, Retries, another, is_outage};
use super::{Front, Rewrite, Upstream};
use crate::error::{AuthError, Reason};

/// How much of an answer has to arrive before it counts as one.
#[derive(Clone, Copy)]
enum Awaited {
    Head,
    /// All of it, up to so many bytes.
    Whole(usize),
}

impl Upstream {
    /// Sends a request and waits for the head of the response, within the timeout, with another try where
    /// it may be repeated. The body must then keep moving: a pause longer than the timeout ends it.
    ///
    /// # Errors
    /// `circuit_open`, `upstream_unreachable`, `upstream_failed` or `upstream_timeout`.
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        repeat: Repeat,
    ) -> Result<Response<Body>, AuthError> {
        let deadline = Instant::now() + self.settings.timeout;
        self.send_until(deadline, request, repeat, Awaited::Head).await
    }

    /// `GET /session` with this `Cookie` header: the status and headers, and the whole body up to
    /// `limit` bytes, all before the deadline.
    ///
    /// # Errors
    /// As [`send`](Self::send); `upstream_nonsense` for a body that is too long.
    pub(crate) async fn session(
        &self,
        cookie: HeaderValue,
        front: &Front,
        limit: usize,
        deadline: Instant,
    ) -> Result<Response<Bytes>, AuthError> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.at(self.path("/session")?)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(COOKIE, cookie);
        self.finish_head(headers, front)?;
        let response = self.send_until(deadline, request, Repeat::Safe, Awaited::Whole(limit)).await?;
        let mut response = whole(response, limit).await.map_err(|failure| failure.error)?;
        // Its cookies may go on to the browser.
        let own = front.origin(self.settings.public_url.as_ref());
        Rewrite::new(&self.settings, own).head(response.headers_mut());
        Ok(response)
    }

    async fn send_until(
        &self,
        deadline: Instant,
        mut request: Request<Body>,
        repeat: Repeat,
        awaited: Awaited,
    ) -> Result<Response<Body>, AuthError> {
        let pass = self.breaker.admit()?;
        let most = if pass.is_probe() { 0 } else { self.settings.retries };
        let mut retries = Retries::new(most, &self.budget, deadline);
        let is_safe = repeat == Repeat::Safe;
        loop {
            // Our own client gives back what it could not send; of others a copy has to be kept.
            let keeps = retries.any_left() && (is_safe || matches!(self.client, Client::Other(_)));
            let copy = if keeps { another(&request) } else { None };
            let failure = match self.send_once(deadline, request, awaited).await {
                Ok(response) if !is_outage(response.status()) => {
                    pass.answered();
                    return Ok(response);
                }
                // It may be what was asked for that is too much, and says nothing of the rest.
                Ok(response) if !is_safe => return Ok(response),
                Ok(response) => {
                    // Who says when to come back means it.
                    let again = copy.filter(|_| !response.headers().contains_key(RETRY_AFTER));
                    if let Some(again) = again
                        && retries.next().await
                    {
                        request = again;
                        continue;
                    }
                    pass.failed();
                    return Ok(response);
                }
                Err(failure) => failure,
            };
            if failure.got == Got::AnAnswer {
                pass.answered();
                return Err(failure.error);
            }
            // Time is up for all tries, and what ended by our own doing ends again.
            let is_final = failure.error.is(Reason::UPSTREAM_TIMEOUT) || !failure.error.is_unavailable();
            let again = match failure.request {
                Some(unsent) => Some(*unsent),
                None => copy.filter(|_| is_safe || failure.got == Got::Nowhere),
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

    async fn send_once(
        &self,
        deadline: Instant,
        request: Request<Body>,
        awaited: Awaited,
    ) -> Result<Response<Body>, Failure> {
        let limit = self.settings.timeout;
        let answer = async {
            let response = match &self.client {
                Client::Direct(client) => client.send(request).await?.map(|body| {
                    body.map_or_else(Body::empty, |body| Body::new(IdleTimeout::new(body, limit)))
                }),
                Client::Other(client) => {
                    let response = client.fetch(request).await.map_err(classify)?;
                    response.map(|body| Body::new(IdleTimeout::new(body, limit)))
                }
            };
            match awaited {
                Awaited::Head => Ok(response),
                Awaited::Whole(limit) => Ok(whole(response, limit).await?.map(Body::from)),
            }
        };
        timeout_at(deadline, answer).await.unwrap_or_else(|elapsed| {
            let error = AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed);
            Err(Failure { error, got: Got::Somewhere, request: None })
        })
    }
}

/// A response with all of its body.
async fn whole(response: Response<Body>, limit: usize) -> Result<Response<Bytes>, Failure> {
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, limit).await {
        Ok(body) => Ok(Response::from_parts(parts, body)),
        Err(error) => {
            let error = body_error(error);
            let got = if error.is(Reason::UPSTREAM_NONSENSE) { Got::AnAnswer } else { Got::Somewhere };
            Err(Failure { error, got, request: None })
        }
    }
}

/// What it means when a body breaks off: our own error when we ended it, `upstream_nonsense` when it is longer
/// than it may be, else `upstream_failed`.
pub(crate) fn body_error(error: axum::Error) -> AuthError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if let Some(ours) = error.downcast_ref::<AuthError>() {
            return ours.clone();
        }
        if error.is::<LengthLimitError>() {
            return AuthError::new(Reason::UPSTREAM_NONSENSE).because("the body is too long");
        }
        cause = error.source();
    }
    AuthError::new(Reason::UPSTREAM_FAILED).because(error)
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

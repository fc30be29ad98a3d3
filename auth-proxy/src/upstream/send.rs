//! Sends one request to the upstream: attempts, deadline, and the report to the circuit breaker.

use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::Upstream;
use super::assessment::{Assessment, Attempt, Health};
use super::breaker::Permission;
use super::client::Client;
use super::error::{SendFailure, Sent, body_error};
use super::health::PendingCheck;
use super::kept::KeptRequest;
use super::retry::{Retries, RetryPolicy};
use crate::error::{AuthError, Reason};
use crate::telemetry::{Exchange, Purpose};

/// Returns the error of the client's body in place of the failure that the body caused.
pub(crate) type Attribute<'a> = &'a (dyn Fn(AuthError) -> AuthError + Send + Sync);

/// How much of a response an attempt waits for.
#[derive(Clone, Copy)]
enum Until<'a> {
    /// The head. The request may have the body of a client.
    Head(Attribute<'a>),
    /// The whole response, with at most this many bytes of body.
    End(usize),
}

/// A response whose body has been read.
pub(crate) struct WholeResponse {
    /// The body is empty where the status is not 200.
    pub(crate) response: Response<Bytes>,
    /// Whether the status is 502 to 504 and a health check failed too: the upstream fails every request.
    pub(crate) is_outage: bool,
}

impl Upstream {
    /// Sends a request and waits for the head of the response, until the deadline. Retries as the policy allows. A
    /// pause in the response body that is longer than `upstream.timeout` ends the body with an error.
    ///
    /// `attribute` gets each failure before it is counted, so that a client's body does not count as a failure of the
    /// upstream.
    ///
    /// # Errors
    /// `circuit_open`, `upstream_unreachable`, `upstream_failed`, `upstream_timeout`, or what `attribute` makes of them.
    pub(crate) async fn send(
        self: &Arc<Self>,
        request: Request<Body>,
        policy: RetryPolicy,
        deadline: Instant,
        attribute: Attribute<'_>,
    ) -> Result<Response<Body>, AuthError> {
        let until = Until::Head(attribute);
        let request = match &self.client {
            Client::BuiltIn(_) => request,
            Client::Custom(_) => request.map(|body| self.awaited_bodies.count(body)),
        };
        Ok(self.send_until(Purpose::Forward, deadline, request, policy, until).await?.0)
    }

    /// Sends an idempotent request and waits for the whole response until the deadline. The body is read only for
    /// status 200, up to `limit` bytes.
    ///
    /// # Errors
    /// The errors of [`send`](Self::send), and `upstream_invalid_response` for a body that is too long.
    pub(crate) async fn send_whole(
        self: &Arc<Self>,
        purpose: Purpose,
        request: Request<Body>,
        limit: usize,
        deadline: Instant,
    ) -> Result<WholeResponse, AuthError> {
        let (response, is_outage) =
            self.send_until(purpose, deadline, request, RetryPolicy::Idempotent, Until::End(limit)).await?;
        // Does not wait: the attempt has read the body already.
        let response = read_whole(response, limit).await.map_err(|failure| failure.error)?;
        Ok(WholeResponse { response, is_outage })
    }

    /// Sends a request. Returns the response, and whether the upstream fails every request.
    async fn send_until(
        self: &Arc<Self>,
        purpose: Purpose,
        deadline: Instant,
        request: Request<Body>,
        policy: RetryPolicy,
        until: Until<'_>,
    ) -> Result<(Response<Body>, bool), AuthError> {
        self.pass_breaker(deadline).await?;
        // Pinned here: each function that takes a future by value holds it once more.
        let mut attempts = pin!(self.attempts(purpose, deadline, request, policy, until));
        let ((attempt, health), check) = match policy {
            RetryPolicy::Idempotent => self.with_health_check(deadline, attempts.as_mut()).await,
            RetryPolicy::IfUnsent => (attempts.await, None),
        };
        let is_outage = self.report(health, deadline, check).await;
        match attempt {
            Ok(response) => Ok((response, is_outage)),
            Err(failure) if is_outage => Err(failure.error.outage()),
            Err(failure) => Err(failure.error),
        }
    }

    /// Sends a request and its retries. Returns the last attempt, and what it says about the upstream.
    async fn attempts(
        &self,
        purpose: Purpose,
        deadline: Instant,
        mut request: Request<Body>,
        policy: RetryPolicy,
        until: Until<'_>,
    ) -> (Attempt, Health) {
        let mut retries = Retries::new(self.settings.retries, &self.budget, deadline);
        let mut resent = 0;
        loop {
            let (outgoing, kept) = if retries.any_left() {
                let (outgoing, kept) = KeptRequest::keep(request);
                (outgoing, Some(kept))
            } else {
                (request, None)
            };
            let attempt = self.attempt(purpose, deadline, outgoing, until, resent).await;
            let Assessment { may_retry, health } = Assessment::of(&attempt, policy);
            let Some(again) = kept.filter(|_| may_retry).and_then(KeptRequest::try_clone) else {
                return (attempt, health);
            };
            if !retries.next().await {
                return (attempt, health);
            }
            request = again;
            resent += 1;
        }
    }

    async fn attempt(
        &self,
        purpose: Purpose,
        deadline: Instant,
        mut request: Request<Body>,
        until: Until<'_>,
        resent: u32,
    ) -> Attempt {
        let exchange = Exchange::begin(purpose, &request, resent, self.socket());
        if matches!(purpose, Purpose::Lookup | Purpose::Forward) {
            exchange.in_scope(|| self.trace_context.write(request.headers_mut()));
        }
        let attempt = async {
            let response = self.client.send(request, self.settings.timeout).await?;
            match until {
                Until::Head(_) => Ok(response),
                // The status alone is needed. Node resets the connection after a 431, and the body may not arrive.
                Until::End(_) if response.status() != StatusCode::OK => Ok(response.map(|_| Body::empty())),
                Until::End(limit) => Ok(read_whole(response, limit).await?.map(Body::from)),
            }
        };
        let attempt = exchange.run(timeout_at(deadline, attempt)).await.unwrap_or_else(|elapsed| {
            let error = AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed);
            Err(SendFailure { error, sent: Sent::Unknown })
        });
        let attempt = attempt.map_err(|failure| match until {
            Until::Head(attribute) => SendFailure { error: attribute(failure.error), ..failure },
            Until::End(_) => failure,
        });
        exchange.end(attempt.as_ref().map(Response::status).map_err(|failure| failure.error.code()));
        attempt
    }

    /// Asks the circuit breaker whether a request may be sent. An open breaker may require a health check first.
    async fn pass_breaker(self: &Arc<Self>, deadline: Instant) -> Result<(), AuthError> {
        let Permission::AfterProbe(probe) = self.breaker.admit()? else { return Ok(()) };
        match self.start_health_check().wait(deadline).await {
            Some(true) => Ok(()),
            Some(false) => Err(probe.failed()),
            None => Err(probe.unknown()),
        }
    }

    /// Reports the result of a request to the circuit breaker. Returns whether the upstream fails every request.
    async fn report(
        self: &Arc<Self>,
        health: Health,
        deadline: Instant,
        check: Option<PendingCheck>,
    ) -> bool {
        match health {
            Health::Unknown => false,
            Health::Up => {
                self.breaker.answered();
                false
            }
            Health::Down => {
                self.breaker.failed();
                true
            }
            // The health check itself reports to the breaker, once for all requests that wait for it. A check without a
            // result by the deadline does not count as an outage.
            Health::Suspect => {
                let check = check.unwrap_or_else(|| self.start_health_check());
                check.wait(deadline).await == Some(false)
            }
        }
    }

    /// Waits for a request, and starts a health check at half of its time. So at the deadline it is known whether the
    /// upstream is slow for every request or only for this one.
    async fn with_health_check<T>(
        self: &Arc<Self>,
        deadline: Instant,
        mut sending: Pin<&mut impl Future<Output = T>>,
    ) -> (T, Option<PendingCheck>) {
        let half = deadline - self.settings.timeout / 2;
        if let Ok(ended) = timeout_at(half, sending.as_mut()).await {
            return (ended, None);
        }
        let check = self.start_health_check();
        (sending.await, Some(check))
    }
}

/// Reads the whole body of a response.
pub(super) async fn read_whole(
    response: Response<Body>,
    limit: usize,
) -> Result<Response<Bytes>, SendFailure> {
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, limit).await {
        Ok(body) => Ok(Response::from_parts(parts, body)),
        Err(error) => {
            let error = body_error(error);
            let is_answer = error.is(Reason::UPSTREAM_INVALID_RESPONSE);
            Err(SendFailure { error, sent: if is_answer { Sent::Answered } else { Sent::Unknown } })
        }
    }
}

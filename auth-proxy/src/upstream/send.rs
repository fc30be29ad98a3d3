//! Sends one request: its attempts, its deadline, and what the circuit breaker is told of its end.

use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::Upstream;
use super::breaker::Permission;
use super::error::{SendFailure, Sent, body_error};
use super::health::PendingCheck;
use super::kept::KeptRequest;
use super::retry::{Retries, RetryPolicy};
use super::verdict::{Attempt, Health, Verdict};
use crate::error::{AuthError, Reason};

/// How much of a response an attempt waits for.
#[derive(Clone, Copy)]
enum Until {
    Head,
    /// All of it, up to so many bytes of body.
    End(usize),
}

/// A response with its body.
pub(crate) struct WholeResponse {
    /// The body is empty where the status is not 200.
    pub(crate) response: Response<Bytes>,
    /// Whether its status, 502 to 504, is that of an outage: a health check failed too.
    pub(crate) is_outage: bool,
}

impl Upstream {
    /// Sends a request and waits for the head of the response, until the deadline. Repeats it as the policy
    /// allows. The body must then keep moving: a pause longer than `upstream.timeout` ends it.
    ///
    /// # Errors
    /// `circuit_open`, `upstream_unreachable`, `upstream_failed` or `upstream_timeout`.
    pub(crate) async fn send(
        self: &Arc<Self>,
        request: Request<Body>,
        policy: RetryPolicy,
        deadline: Instant,
    ) -> Result<Response<Body>, AuthError> {
        Ok(self.send_until(deadline, request, policy, Until::Head).await?.0)
    }

    /// Sends a request that may be repeated, and waits for the whole response: of a 200 the body up to `limit`
    /// bytes, all before the deadline.
    ///
    /// # Errors
    /// As [`send`](Self::send), and `upstream_invalid_response` for a body that is too long.
    pub(crate) async fn send_whole(
        self: &Arc<Self>,
        request: Request<Body>,
        limit: usize,
        deadline: Instant,
    ) -> Result<WholeResponse, AuthError> {
        let (response, is_outage) =
            self.send_until(deadline, request, RetryPolicy::Idempotent, Until::End(limit)).await?;
        // The body is in memory already.
        let response = read_whole(response, limit).await.map_err(|failure| failure.error)?;
        Ok(WholeResponse { response, is_outage })
    }

    /// The response, and whether it is that of an outage.
    async fn send_until(
        self: &Arc<Self>,
        deadline: Instant,
        request: Request<Body>,
        policy: RetryPolicy,
        until: Until,
    ) -> Result<(Response<Body>, bool), AuthError> {
        self.pass_breaker(deadline).await?;
        let attempts = self.attempts(deadline, request, policy, until);
        let ((attempt, health), check) = match policy {
            RetryPolicy::Idempotent => self.with_health_check(deadline, attempts).await,
            RetryPolicy::IfUnsent => (attempts.await, None),
        };
        let is_outage = self.report(health, deadline, check).await;
        match attempt {
            Ok(response) => Ok((response, is_outage)),
            Err(failure) if is_outage => Err(failure.error.outage()),
            Err(failure) => Err(failure.error),
        }
    }

    /// The attempts of one request. The last one, and what it says about the upstream.
    async fn attempts(
        &self,
        deadline: Instant,
        mut request: Request<Body>,
        policy: RetryPolicy,
        until: Until,
    ) -> (Attempt, Health) {
        let mut retries = Retries::new(self.settings.retries, &self.budget, deadline);
        loop {
            let (outgoing, kept) = if retries.any_left() {
                let (outgoing, kept) = KeptRequest::keep(request);
                (outgoing, Some(kept))
            } else {
                (request, None)
            };
            let attempt = self.attempt(deadline, outgoing, until).await;
            let Verdict { may_retry, health } = Verdict::of(&attempt, policy);
            let Some(again) = kept.filter(|_| may_retry).and_then(KeptRequest::try_clone) else {
                return (attempt, health);
            };
            if !retries.next().await {
                return (attempt, health);
            }
            request = again;
        }
    }

    async fn attempt(&self, deadline: Instant, request: Request<Body>, until: Until) -> Attempt {
        let attempt = async {
            let response = self.client.send(request, self.settings.timeout).await?;
            match until {
                Until::Head => Ok(response),
                // The status decides. Node resets the connection after a 431, so that its body may not arrive.
                Until::End(_) if response.status() != StatusCode::OK => Ok(response.map(|_| Body::empty())),
                Until::End(limit) => Ok(read_whole(response, limit).await?.map(Body::from)),
            }
        };
        timeout_at(deadline, attempt).await.unwrap_or_else(|elapsed| {
            let error = AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed);
            Err(SendFailure { error, sent: Sent::Unknown })
        })
    }

    /// Lets a request through, or finds out by a health check whether the upstream is back.
    async fn pass_breaker(self: &Arc<Self>, deadline: Instant) -> Result<(), AuthError> {
        let Permission::AfterProbe(probe) = self.breaker.admit()? else { return Ok(()) };
        match self.start_health_check().wait(deadline).await {
            Some(true) => Ok(()),
            _ => Err(probe.failed()),
        }
    }

    /// Tells the circuit breaker how a request ended. Whether that is an outage: the upstream fails every request.
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
            // The health check tells the breaker, once for all requests that wait for it. One that is not over by
            // the deadline is not taken for an outage.
            Health::Suspect => {
                let check = check.unwrap_or_else(|| self.start_health_check());
                check.wait(deadline).await == Some(false)
            }
        }
    }

    /// Sends a request, and starts a health check when half of the time is over: when all of it is, it is known
    /// whether the upstream or this request is late.
    async fn with_health_check<T>(
        self: &Arc<Self>,
        deadline: Instant,
        sending: impl Future<Output = T>,
    ) -> (T, Option<PendingCheck>) {
        let half = deadline - self.settings.timeout / 2;
        let mut sending = pin!(sending);
        if let Ok(ended) = timeout_at(half, sending.as_mut()).await {
            return (ended, None);
        }
        let check = self.start_health_check();
        (sending.await, Some(check))
    }
}

/// A response with all of its body.
async fn read_whole(response: Response<Body>, limit: usize) -> Result<Response<Bytes>, SendFailure> {
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

//! One request: its tries, its deadline, and what its failure means.

use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, COOKIE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::LengthLimitError;
use tokio::time::{Instant, timeout_at};

use super::Upstream;
use super::breaker::Admission;
use super::client::Client;
use super::error::{Failure, Got, classify};
use super::idle::IdleTimeout;
use super::retry::{Repeat, Retries, another, is_outage};
use super::witness::Answering;
use crate::cookie::CookieAdapter;
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;

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
        self: &Arc<Self>,
        request: Request<Body>,
        repeat: Repeat,
    ) -> Result<Response<Body>, AuthError> {
        let deadline = Instant::now() + self.settings.timeout;
        self.send_until(deadline, request, repeat, Awaited::Head).await
    }

    /// `GET /session` with this `Cookie` header: the status and headers, and of a 200 the whole body up to
    /// `limit` bytes, all before the deadline.
    ///
    /// # Errors
    /// As [`send`](Self::send), and the error of the status where it is an outage; `upstream_invalid_response` for a body that
    /// is too long.
    pub(crate) async fn session(
        self: &Arc<Self>,
        cookie: HeaderValue,
        client: &ClientInfo,
        limit: usize,
        deadline: Instant,
    ) -> Result<Response<Bytes>, AuthError> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.at(self.path("/session")?)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(COOKIE, cookie);
        self.finish_head(headers, client)?;
        let (response, is_outage) =
            self.send_counted(deadline, request, Repeat::Safe, Awaited::Whole(limit)).await?;
        if is_outage {
            return Err(status_error(&response).outage());
        }
        let mut response = whole(response, limit).await.map_err(|failure| failure.error)?;
        // Its cookies may go on to the browser.
        let own = client.origin(self.settings.public_url.as_ref());
        CookieAdapter::new(&self.settings, own).adapt(response.headers_mut());
        Ok(response)
    }

    async fn send_until(
        self: &Arc<Self>,
        deadline: Instant,
        request: Request<Body>,
        repeat: Repeat,
        awaited: Awaited,
    ) -> Result<Response<Body>, AuthError> {
        Ok(self.send_counted(deadline, request, repeat, awaited).await?.0)
    }

    /// Sends a request, with its tries, and counts for the circuit breaker how it ended. Answers the response, and
    /// whether the upstream fails everybody.
    async fn send_counted(
        self: &Arc<Self>,
        deadline: Instant,
        request: Request<Body>,
        repeat: Repeat,
        awaited: Awaited,
    ) -> Result<(Response<Body>, bool), AuthError> {
        self.admit(deadline).await?;
        let sending = self.tries(deadline, request, repeat, awaited);
        let (ended, witness) = match repeat {
            Repeat::Safe => self.with_witness(deadline, sending).await,
            Repeat::Unsent => (sending.await, None),
        };
        let verdict = Verdict::of(&ended, repeat);
        let fails_everybody = match verdict {
            Verdict::Nothing => false,
            Verdict::Answered => {
                self.breaker.answered();
                false
            }
            Verdict::Failed => {
                self.breaker.failed();
                true
            }
            Verdict::Suspect => self.confirm(deadline, witness).await,
        };
        match ended {
            Ok(response) => Ok((response, fails_everybody)),
            Err(failure) if fails_everybody => Err(failure.error.outage()),
            Err(failure) => Err(failure.error),
        }
    }

    /// Lets a request through, or finds out whether the upstream is back.
    async fn admit(self: &Arc<Self>, deadline: Instant) -> Result<(), AuthError> {
        let Admission::Probe(probe) = self.breaker.admit()? else { return Ok(()) };
        match self.answers(deadline).await {
            Some(true) => Ok(()),
            _ => Err(probe.failed()),
        }
    }

    /// Asks, where a request failed that its client may have made fail, whether the upstream fails everybody. The answer
    /// counts for the circuit breaker, once for all who wait for it: a failure that nothing confirms is none of the
    /// upstream's.
    async fn confirm(self: &Arc<Self>, deadline: Instant, witness: Option<Answering>) -> bool {
        let answers = match witness {
            Some(asked) => asked.wait(deadline).await,
            None => self.answers(deadline).await,
        };
        // An answer that is not there in time is not taken for an outage. The breaker counts it when it comes.
        answers == Some(false)
    }

    /// Sends a request, and has the upstream asked whether it answers at all once half of the time is over: whether the
    /// upstream or this request is late is known then when its time is up.
    async fn with_witness<T>(
        self: &Arc<Self>,
        deadline: Instant,
        sending: impl Future<Output = T>,
    ) -> (T, Option<Answering>) {
        let half = deadline - self.settings.timeout / 2;
        let mut sending = pin!(sending);
        if let Ok(ended) = timeout_at(half, sending.as_mut()).await {
            return (ended, None);
        }
        let witness = self.ask_whether_it_answers();
        (sending.await, Some(witness))
    }

    /// The tries of one request.
    async fn tries(
        &self,
        deadline: Instant,
        mut request: Request<Body>,
        repeat: Repeat,
        awaited: Awaited,
    ) -> Result<Response<Body>, Failure> {
        let mut retries = Retries::new(self.settings.retries, &self.budget, deadline);
        let is_safe = repeat == Repeat::Safe;
        loop {
            // Our own client gives back what it could not send; of others a copy has to be kept.
            let keeps = retries.any_left() && (is_safe || matches!(self.client, Client::Other(_)));
            let copy = if keeps { another(&request) } else { None };
            let mut ended = self.send_once(deadline, request, awaited).await;
            let again = match &mut ended {
                // Honour Retry-After: no retry.
                Ok(response) if is_outage(response.status()) && is_safe => {
                    copy.filter(|_| !response.headers().contains_key(RETRY_AFTER))
                }
                Ok(_) => None,
                // The deadline covers all attempts; errors that were raised here, such as the limit of the body, would
                // come again.
                Err(failure)
                    if failure.got == Got::AnAnswer
                        || failure.error.is(Reason::UPSTREAM_TIMEOUT)
                        || !failure.error.is_unavailable() =>
                {
                    None
                }
                Err(failure) => match failure.request.take() {
                    Some(unsent) => Some(*unsent),
                    None => copy.filter(|_| is_safe || failure.got == Got::Nowhere),
                },
            };
            let Some(again) = again else { return ended };
            if !retries.next().await {
                return ended;
            }
            request = again;
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
                // The status decides: Node resets the connection behind a 431, whose body says nothing.
                Awaited::Whole(_) if response.status() != StatusCode::OK => {
                    Ok(response.map(|_| Body::empty()))
                }
                Awaited::Whole(limit) => Ok(whole(response, limit).await?.map(Body::from)),
            }
        };
        timeout_at(deadline, answer).await.unwrap_or_else(|elapsed| {
            let error = AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed);
            Err(Failure { error, got: Got::Somewhere, request: None })
        })
    }
}

/// What the end of a request says of the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing.
    Nothing,
    /// It answers.
    Answered,
    /// It fails everybody: there was no connection, which no client brings about.
    Failed,
    /// It fails this request, at least.
    Suspect,
}

impl Verdict {
    fn of(ended: &Result<Response<Body>, Failure>, repeat: Repeat) -> Self {
        match ended {
            Ok(response) if !is_outage(response.status()) => Self::Answered,
            Err(failure) if failure.got == Got::AnAnswer => Self::Answered,
            Err(failure) if failure.error.is(Reason::UPSTREAM_UNREACHABLE) => Self::Failed,
            // A form can be broken off or late by its client, and a callback by a provider.
            _ if repeat == Repeat::Unsent => Self::Nothing,
            Err(failure) if !failure.error.is_unavailable() => Self::Nothing,
            _ => Self::Suspect,
        }
    }
}

/// A response with all of its body.
async fn whole(response: Response<Body>, limit: usize) -> Result<Response<Bytes>, Failure> {
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, limit).await {
        Ok(body) => Ok(Response::from_parts(parts, body)),
        Err(error) => {
            let error = body_error(error);
            let got =
                if error.is(Reason::UPSTREAM_INVALID_RESPONSE) { Got::AnAnswer } else { Got::Somewhere };
            Err(Failure { error, got, request: None })
        }
    }
}

/// What it means when a body breaks off: our own error when we ended it, `upstream_invalid_response` when it is longer
/// than it may be, else `upstream_failed`.
pub(crate) fn body_error(error: axum::Error) -> AuthError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if let Some(ours) = error.downcast_ref::<AuthError>() {
            return ours.clone();
        }
        if error.is::<LengthLimitError>() {
            return AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE).because("the body is too long");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_client_brings_about_counts_by_itself() {
        let answer = |status: u16| Ok(Response::builder().status(status).body(Body::empty()).unwrap());
        let failure = |reason, got| Err(Failure { error: AuthError::new(reason), got, request: None });
        for (ended, lookup, form) in [
            (answer(200), Verdict::Answered, Verdict::Answered),
            (answer(431), Verdict::Answered, Verdict::Answered),
            (answer(500), Verdict::Answered, Verdict::Answered),
            (answer(503), Verdict::Suspect, Verdict::Nothing),
            (failure(Reason::UPSTREAM_UNREACHABLE, Got::Nowhere), Verdict::Failed, Verdict::Failed),
            (failure(Reason::UPSTREAM_FAILED, Got::Somewhere), Verdict::Suspect, Verdict::Nothing),
            (failure(Reason::UPSTREAM_TIMEOUT, Got::Somewhere), Verdict::Suspect, Verdict::Nothing),
            (failure(Reason::UPSTREAM_INVALID_RESPONSE, Got::AnAnswer), Verdict::Answered, Verdict::Answered),
            (failure(Reason::BODY_TOO_LARGE, Got::Somewhere), Verdict::Nothing, Verdict::Nothing),
        ] {
            assert_eq!(Verdict::of(&ended, Repeat::Safe), lookup);
            assert_eq!(Verdict::of(&ended, Repeat::Unsent), form);
        }
    }
}

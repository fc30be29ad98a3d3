//! Assesses the result of one attempt at a request: whether to retry it, and what to tell the circuit breaker.

use axum::body::Body;
use http::Response;
use http::header::RETRY_AFTER;

use super::error::{SendFailure, Sent};
use super::retry::{RetryPolicy, is_outage};
use crate::error::Reason;

/// The result of an attempt.
pub(super) type Attempt = Result<Response<Body>, SendFailure>;

/// What follows from the result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assessment {
    /// Whether the request may be sent again.
    pub(super) may_retry: bool,
    /// What to tell the circuit breaker, if this was the last attempt.
    pub(super) health: Health,
}

/// What the result of a request says about the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing: the client can cause this result.
    Unknown,
    /// The upstream answers.
    Up,
    /// The upstream fails every request: there was no connection, and no client can cause that.
    Down,
    /// The upstream failed this request. A health check must find out whether it fails every request.
    Suspect,
}

impl Assessment {
    pub(super) fn of(attempt: &Attempt, policy: RetryPolicy) -> Self {
        Self { may_retry: may_retry(attempt, policy), health: Health::of(attempt, policy) }
    }
}

fn may_retry(attempt: &Attempt, policy: RetryPolicy) -> bool {
    let is_idempotent = policy == RetryPolicy::Idempotent;
    match attempt {
        // With Retry-After the upstream asks for a wait that is longer than ours, so there is no retry.
        Ok(response) => {
            is_idempotent && is_outage(response.status()) && !response.headers().contains_key(RETRY_AFTER)
        }
        // No time is left: the deadline is for all attempts together.
        Err(failure) if failure.error.is(Reason::UPSTREAM_TIMEOUT) => false,
        // An error of this proxy, such as a body over the limit, would recur.
        Err(failure) if !failure.error.is_unavailable() => false,
        Err(failure) => match failure.sent {
            Sent::Nothing => true,
            Sent::Unknown => is_idempotent,
            Sent::Answered => false,
        },
    }
}

impl Health {
    fn of(attempt: &Attempt, policy: RetryPolicy) -> Self {
        match attempt {
            Ok(response) if !is_outage(response.status()) => Self::Up,
            Err(failure) if failure.sent == Sent::Answered => Self::Up,
            Err(failure) if failure.error.is(Reason::UPSTREAM_UNREACHABLE) => Self::Down,
            Err(failure) if !failure.error.is_unavailable() => Self::Unknown,
            // The upstream may be healthy: a client can send its form late or break it off, and a provider can delay a
            // callback.
            _ if policy == RetryPolicy::IfUnsent => Self::Unknown,
            _ => Self::Suspect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::AuthError;

    #[test]
    fn retry_and_health_follow_from_result_and_policy() {
        use Health::{Down, Suspect, Unknown, Up};
        let answer = |status: u16| Ok(Response::builder().status(status).body(Body::empty()).unwrap());
        let later =
            Ok(Response::builder().status(503).header("retry-after", "7").body(Body::empty()).unwrap());
        let failure = |reason, sent| Err(SendFailure { error: AuthError::new(reason), sent });
        for (attempt, idempotent, if_unsent) in [
            (answer(200), (false, Up), (false, Up)),
            (answer(302), (false, Up), (false, Up)),
            (answer(431), (false, Up), (false, Up)),
            (answer(500), (false, Up), (false, Up)),
            (answer(502), (true, Suspect), (false, Unknown)),
            (answer(503), (true, Suspect), (false, Unknown)),
            (answer(504), (true, Suspect), (false, Unknown)),
            (later, (false, Suspect), (false, Unknown)),
            (failure(Reason::UPSTREAM_UNREACHABLE, Sent::Nothing), (true, Down), (true, Down)),
            // From a client of the app (`upstream.fetch`) that does not say whether there was a connection.
            (failure(Reason::UPSTREAM_UNREACHABLE, Sent::Unknown), (true, Down), (false, Down)),
            // The connection closed before anything was written.
            (failure(Reason::UPSTREAM_FAILED, Sent::Nothing), (true, Suspect), (true, Unknown)),
            (failure(Reason::UPSTREAM_FAILED, Sent::Unknown), (true, Suspect), (false, Unknown)),
            (failure(Reason::UPSTREAM_TIMEOUT, Sent::Unknown), (false, Suspect), (false, Unknown)),
            (failure(Reason::UPSTREAM_INVALID_RESPONSE, Sent::Answered), (false, Up), (false, Up)),
            (failure(Reason::BODY_TOO_LARGE, Sent::Unknown), (false, Unknown), (false, Unknown)),
            (failure(Reason::BODY_TOO_LARGE, Sent::Nothing), (false, Unknown), (false, Unknown)),
        ] {
            for (policy, (may_retry, health)) in
                [(RetryPolicy::Idempotent, idempotent), (RetryPolicy::IfUnsent, if_unsent)]
            {
                let name = match &attempt {
                    Ok(response) => response.status().to_string(),
                    Err(failure) => format!("{} {:?}", failure.error.code(), failure.sent),
                };
                assert_eq!(
                    Assessment::of(&attempt, policy),
                    Assessment { may_retry, health },
                    "{name} {policy:?}"
                );
            }
        }
    }
}

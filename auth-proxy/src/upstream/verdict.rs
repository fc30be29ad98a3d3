//! What the end of an attempt means: whether there may be another one, and what it says about the upstream.

use axum::body::Body;
use http::Response;
use http::header::RETRY_AFTER;

use super::error::{SendFailure, Sent};
use super::retry::{RetryPolicy, is_outage};
use crate::error::Reason;

/// How an attempt ended.
pub(super) type Attempt = Result<Response<Body>, SendFailure>;

/// What the end of an attempt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether the request may be sent again.
    pub(super) may_retry: bool,
    /// What the circuit breaker is told, if this was the last attempt.
    pub(super) health: Health,
}

/// What the end of a request says about the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing: the client can cause this end.
    Unknown,
    /// It answers.
    Up,
    /// It fails every request: there was no connection, which no client can cause.
    Down,
    /// It failed this request. A health check has to tell whether it fails every request.
    Suspect,
}

impl Verdict {
    pub(super) fn of(attempt: &Attempt, policy: RetryPolicy) -> Self {
        Self { may_retry: may_retry(attempt, policy), health: Health::of(attempt, policy) }
    }
}

fn may_retry(attempt: &Attempt, policy: RetryPolicy) -> bool {
    let is_idempotent = policy == RetryPolicy::Idempotent;
    match attempt {
        // The response says when to come back (Retry-After). A retry would come sooner, so there is none.
        Ok(response) => {
            is_idempotent && is_outage(response.status()) && !response.headers().contains_key(RETRY_AFTER)
        }
        // The deadline covers all attempts.
        Err(failure) if failure.error.is(Reason::UPSTREAM_TIMEOUT) => false,
        // Errors raised here, such as the limit of the body, would recur.
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
            // A client can send its form late or break it off, and a provider can delay a callback.
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
    fn verdict_for_each_end_and_policy() {
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
            // Of a client that was given, and does not say that there was no connection.
            (failure(Reason::UPSTREAM_UNREACHABLE, Sent::Unknown), (true, Down), (false, Down)),
            // Closed before anything was written.
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
                assert_eq!(Verdict::of(&attempt, policy), Verdict { may_retry, health }, "{name} {policy:?}");
            }
        }
    }
}

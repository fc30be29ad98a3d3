use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

use axum::body::Body;
use http::Request;
use hyper_util::client::legacy;

use crate::error::{AuthError, BoxError, Reason};

/// No connection came about.
#[derive(Debug)]
pub(super) struct ConnectFailed(pub(super) BoxError);

impl fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot connect")
    }
}

impl Error for ConnectFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// A fetch that brought no answer.
pub(super) struct Failure {
    pub(super) error: AuthError,
    pub(super) got: Got,
    /// The request, where the client gave it back: then nothing of it was sent either.
    pub(super) request: Option<Box<Request<Body>>>,
}

/// How far a fetch got that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// Nothing of the request can have reached the upstream.
    Nowhere,
    /// Nobody knows how far.
    Somewhere,
    /// The upstream answered, and would do so again.
    AnAnswer,
}

/// What a failed fetch means. Looks through the causes, since clients wrap one another.
pub(super) fn classify(error: BoxError) -> Failure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
    let mut reason = Reason::UPSTREAM_FAILED;
    let mut got = Got::Somewhere;
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<AuthError>() {
            // Our own, from within the request body: over the limit.
            return Failure { error: found.clone(), got, request: None };
        }
        if error.is::<ConnectFailed>()
            || error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
        {
            reason = Reason::UPSTREAM_UNREACHABLE;
            got = Got::Nowhere;
        } else if error.is::<tokio::time::error::Elapsed>() {
            reason = Reason::UPSTREAM_TIMEOUT;
        } else if let Some(error) = error.downcast_ref::<std::io::Error>() {
            match error.kind() {
                ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                    reason = Reason::UPSTREAM_UNREACHABLE;
                }
                // A connection that did not come about in its time: `connect_timeout` is part of `timeout`.
                ErrorKind::TimedOut if got != Got::Nowhere => reason = Reason::UPSTREAM_TIMEOUT,
                _ => {}
            }
        }
        #[cfg(feature = "reqwest")]
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            if error.is_connect() {
                reason = Reason::UPSTREAM_UNREACHABLE;
                got = Got::Nowhere;
            } else if error.is_timeout() {
                reason = Reason::UPSTREAM_TIMEOUT;
            }
        }
        cause = error.source();
    }
    Failure { error: AuthError::new(reason).because(error), got, request: None }
}

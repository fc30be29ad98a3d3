use std::error::Error;
use std::io::ErrorKind;

use hyper_util::client::legacy;

use crate::error::{AuthError, BoxError, Reason};

/// No connection came about.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect")]
pub(super) struct ConnectFailed(#[source] pub(super) BoxError);

/// What a failed fetch means. Looks through the causes, since clients wrap one another.
pub(super) fn classify(error: BoxError) -> AuthError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
    let mut reason = Reason::UPSTREAM_FAILED;
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<AuthError>() {
            // Our own, from within the request body: over the limit.
            return found.clone();
        }
        if error.is::<ConnectFailed>()
            || error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
        {
            reason = Reason::UPSTREAM_UNREACHABLE;
        } else if error.is::<tokio::time::error::Elapsed>() {
            reason = Reason::UPSTREAM_TIMEOUT;
        } else if let Some(error) = error.downcast_ref::<std::io::Error>() {
            match error.kind() {
                ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                    reason = Reason::UPSTREAM_UNREACHABLE;
                }
                ErrorKind::TimedOut => reason = Reason::UPSTREAM_TIMEOUT,
                _ => {}
            }
        }
        #[cfg(feature = "reqwest")]
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            if error.is_timeout() {
                reason = Reason::UPSTREAM_TIMEOUT;
            } else if error.is_connect() {
                reason = Reason::UPSTREAM_UNREACHABLE;
            }
        }
        cause = error.source();
    }
    AuthError::new(reason).because(error)
}

//! Classifies errors of HTTP clients: the [`AuthError`], and whether the upstream may have seen the request.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

use http_body_util::LengthLimitError;
use hyper_util::client::legacy;
use tokio::time::error::Elapsed;

use crate::error::{AuthError, BoxError, Reason};

/// No connection to the upstream could be made.
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

/// A request that got no usable response.
pub(super) struct SendFailure {
    pub(super) error: AuthError,
    pub(super) sent: Sent,
}

/// How much of a failed request was sent. Decides whether the request may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Nothing: there was no connection, or it was closed before anything was written.
    Nothing,
    /// Unknown: some or all of it may have been written.
    Unknown,
    /// All of it: the upstream answered, and would give the same answer again.
    Answered,
}

/// A cause that is recognised in a chain of errors. The first one decides.
enum Cause {
    /// An error of this crate from the request body: over the limit, or broken off by the client.
    Local(AuthError),
    /// No connection. Its own cause, such as a timeout, comes later in the chain and does not count.
    NotConnected,
    /// Refused, or no route to the host. The HTTP client does not say whether there was a connection before.
    Unreachable,
    Timeout,
}

impl Cause {
    fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(own) = error.downcast_ref::<AuthError>() {
            return Some(Self::Local(own.clone()));
        }
        if error.is::<ConnectFailed>()
            || error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
        {
            return Some(Self::NotConnected);
        }
        if error.is::<Elapsed>() {
            return Some(Self::Timeout);
        }
        #[cfg(feature = "reqwest")]
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            // A connect timeout is both, and counts as no connection.
            return match (error.is_connect(), error.is_timeout()) {
                (true, _) => Some(Self::NotConnected),
                (false, true) => Some(Self::Timeout),
                (false, false) => None,
            };
        }
        match error.downcast_ref::<io::Error>()?.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                Some(Self::Unreachable)
            }
            ErrorKind::TimedOut => Some(Self::Timeout),
            _ => None,
        }
    }
}

/// Classifies an error of an HTTP client by its chain of causes, because clients wrap one another's errors.
pub(super) fn classify(error: BoxError) -> SendFailure {
    let (reason, sent) = match chain(error.as_ref()).find_map(Cause::of) {
        Some(Cause::Local(own)) => return SendFailure { error: own, sent: Sent::Unknown },
        Some(Cause::NotConnected) => (Reason::UPSTREAM_UNREACHABLE, Sent::Nothing),
        Some(Cause::Unreachable) => (Reason::UPSTREAM_UNREACHABLE, Sent::Unknown),
        Some(Cause::Timeout) => (Reason::UPSTREAM_TIMEOUT, Sent::Unknown),
        None => (Reason::UPSTREAM_FAILED, Sent::Unknown),
    };
    SendFailure { error: AuthError::new(reason).because(error), sent }
}

/// Classifies an error of a response body: the error of this crate that ended it, `upstream_invalid_response` for a
/// body that is too long, else `upstream_failed`.
pub(crate) fn body_error(error: axum::Error) -> AuthError {
    let found = chain(&error).find_map(|error| match error.downcast_ref::<AuthError>() {
        Some(own) => Some(own.clone()),
        None => error
            .is::<LengthLimitError>()
            .then(|| AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE).because("the body is too long")),
    });
    found.unwrap_or_else(|| AuthError::new(Reason::UPSTREAM_FAILED).because(error))
}

/// An error and its causes, the outermost first.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// An error of an HTTP client that wraps another error.
    #[derive(Debug)]
    struct Wrapped(BoxError);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("wrapped")
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self.0.as_ref())
        }
    }

    fn io(kind: ErrorKind) -> BoxError {
        io::Error::from(kind).into()
    }

    async fn elapsed() -> BoxError {
        tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.unwrap_err().into()
    }

    #[tokio::test]
    async fn first_recognised_cause_decides_the_error_code() {
        let own = || BoxError::from(AuthError::new(Reason::BODY_TOO_LARGE));
        for (error, code, sent) in [
            ("text".into(), "upstream_failed", Sent::Unknown),
            (io(ErrorKind::ConnectionReset), "upstream_failed", Sent::Unknown),
            (io(ErrorKind::ConnectionRefused), "upstream_unreachable", Sent::Unknown),
            (io(ErrorKind::HostUnreachable), "upstream_unreachable", Sent::Unknown),
            (io(ErrorKind::NetworkUnreachable), "upstream_unreachable", Sent::Unknown),
            (io(ErrorKind::TimedOut), "upstream_timeout", Sent::Unknown),
            (elapsed().await, "upstream_timeout", Sent::Unknown),
            (own(), "body_too_large", Sent::Unknown),
            (ConnectFailed("text".into()).into(), "upstream_unreachable", Sent::Nothing),
            // A connection that timed out counts as no connection, not as a late response.
            (ConnectFailed(io(ErrorKind::TimedOut)).into(), "upstream_unreachable", Sent::Nothing),
            (ConnectFailed(elapsed().await).into(), "upstream_unreachable", Sent::Nothing),
            // The wrapping error is not recognised, so the wrapped error decides.
            (Wrapped(own()).into(), "body_too_large", Sent::Unknown),
            (Wrapped(elapsed().await).into(), "upstream_timeout", Sent::Unknown),
            (Wrapped(ConnectFailed(own()).into()).into(), "upstream_unreachable", Sent::Nothing),
            (
                Wrapped(Wrapped(io(ErrorKind::ConnectionRefused)).into()).into(),
                "upstream_unreachable",
                Sent::Unknown,
            ),
        ] {
            let text = format!("{error:?}");
            let failure = classify(error);
            assert_eq!((failure.error.code(), failure.sent), (code, sent), "{text}");
        }
    }

    #[tokio::test]
    async fn refused_connection_of_hyper_util_or_reqwest_is_classified_as_unsent() {
        let refused = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}/", listener.local_addr().unwrap())
        };
        let client = legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let request = http::Request::get(&refused).body(axum::body::Body::empty()).unwrap();
        let error = client.request(request).await.unwrap_err();
        let failure = classify(error.into());
        assert_eq!((failure.error.code(), failure.sent), ("upstream_unreachable", Sent::Nothing));
        #[cfg(feature = "reqwest")]
        {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let error = client.get(&refused).send().await.unwrap_err();
            let failure = classify(error.into());
            assert_eq!((failure.error.code(), failure.sent), ("upstream_unreachable", Sent::Nothing));
        }
    }

    #[test]
    fn response_body_error_keeps_its_code_or_is_upstream_failed() {
        for (error, code) in [
            (axum::Error::new(AuthError::new(Reason::UPSTREAM_TIMEOUT)), "upstream_timeout"),
            (axum::Error::new(Wrapped(AuthError::new(Reason::BODY_LATE).into())), "body_late"),
            (axum::Error::new(io(ErrorKind::ConnectionReset)), "upstream_failed"),
        ] {
            assert_eq!(body_error(error).code(), code);
        }
    }
}

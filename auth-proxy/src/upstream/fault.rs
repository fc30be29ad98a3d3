//! [`Fault`]: what kept a request from an answer, in the terms in which an operator can mend it.

use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::{CertificateError, Error as TlsError};
use tokio::time::error::Elapsed;

use super::error::ConnectFailed;
use crate::error::{AuthError, Reason};

/// What kept a request from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The host name has no address.
    NoAddress,
    /// Nothing listens at the port or the socket, or the host cannot be reached.
    Refused,
    /// There is no file at the path of the Unix socket.
    NoSocket,
    /// This process may not connect: to a Unix socket without permission to write to it and to enter its folders, over
    /// TCP when a local firewall forbids it.
    Denied,
    /// No connection, with its TLS handshake, within `upstream.connect_timeout`.
    ConnectTimeout,
    /// The certificate has expired.
    CertificateExpired,
    /// The certificate is not yet valid.
    CertificateNotYetValid,
    /// This machine does not trust the authority that signed the certificate.
    CertificateUntrusted,
    /// The certificate is for other hosts.
    CertificateForAnotherHost,
    /// The other end does not speak TLS.
    NoTls,
    /// Any other failure of TLS.
    Tls,
    /// There is a connection, and no answer in time.
    Timeout,
    /// The connection broke off, or what came is no HTTP.
    Broken,
}

impl Fault {
    /// The fault behind an error of a request.
    pub(crate) fn of(error: &AuthError) -> Self {
        let causes = causes(error);
        let is_connect =
            error.is(Reason::UPSTREAM_UNREACHABLE) || causes.iter().any(|cause| cause.is::<ConnectFailed>());
        if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<TlsError>()) {
            return Self::of_tls(tls);
        }
        if causes.iter().any(|cause| is_dns(*cause)) {
            return Self::NoAddress;
        }
        let timed_out = causes.iter().any(|cause| {
            cause.is::<Elapsed>()
                || cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::TimedOut)
        });
        let has_kind = |kind| {
            causes
                .iter()
                .filter_map(|cause| cause.downcast_ref::<io::Error>())
                .any(|error| error.kind() == kind)
        };
        match (is_connect, timed_out) {
            // Only a Unix socket has a path that may not be there.
            (true, false) if has_kind(ErrorKind::NotFound) || has_kind(ErrorKind::NotADirectory) => {
                Self::NoSocket
            }
            (true, false) if has_kind(ErrorKind::PermissionDenied) => Self::Denied,
            (true, true) => Self::ConnectTimeout,
            (true, false) => Self::Refused,
            (false, _) if timed_out || error.is(Reason::UPSTREAM_TIMEOUT) => Self::Timeout,
            (false, _) => Self::Broken,
        }
    }

    fn of_tls(error: &TlsError) -> Self {
        match error {
            TlsError::InvalidCertificate(why) => match why {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    Self::CertificateExpired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::CertificateNotYetValid
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::CertificateForAnotherHost
                }
                // A certificate that signed itself is refused as such, and not for its authority.
                _ => Self::CertificateUntrusted,
            },
            TlsError::InvalidMessage(_) => Self::NoTls,
            _ => Self::Tls,
        }
    }
}

/// hyper-util and reqwest give the failure of the resolver no type or kind of its own.
fn is_dns(error: &(dyn Error + 'static)) -> bool {
    let text = error.to_string();
    text.starts_with("dns error") || text.starts_with("failed to lookup address information")
}

/// An error and its causes, with the errors that `io::Error` wraps: its `source` leaves them out.
fn causes(error: &AuthError) -> Vec<&(dyn Error + 'static)> {
    let mut found: Vec<&(dyn Error + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        found.push(error);
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::BoxError;

    fn failed(reason: &'static Reason, cause: impl Into<BoxError>) -> Fault {
        Fault::of(&AuthError::new(reason).because(cause))
    }

    #[test]
    fn certificate_errors_below_io_errors_are_told_apart() {
        for (why, fault) in [
            (CertificateError::Expired, Fault::CertificateExpired),
            (CertificateError::NotValidYet, Fault::CertificateNotYetValid),
            (CertificateError::UnknownIssuer, Fault::CertificateUntrusted),
            (CertificateError::NotValidForName, Fault::CertificateForAnotherHost),
        ] {
            let io = io::Error::new(ErrorKind::InvalidData, TlsError::InvalidCertificate(why));
            let error = ConnectFailed(io::Error::other(io).into());
            assert_eq!(failed(Reason::UPSTREAM_UNREACHABLE, error), fault);
        }
        let io = io::Error::other(TlsError::DecryptError);
        assert_eq!(failed(Reason::UPSTREAM_UNREACHABLE, ConnectFailed(io.into())), Fault::Tls);
    }

    #[tokio::test]
    async fn failures_without_tls_are_told_apart() {
        let elapsed = || tokio::time::timeout(Duration::ZERO, std::future::pending::<()>());
        let refused = || io::Error::from(ErrorKind::ConnectionRefused);
        let (unreachable, timeout) = (Reason::UPSTREAM_UNREACHABLE, Reason::UPSTREAM_TIMEOUT);
        assert_eq!(failed(unreachable, ConnectFailed(refused().into())), Fault::Refused);
        assert_eq!(failed(unreachable, refused()), Fault::Refused);
        for (kind, fault) in
            [(ErrorKind::NotFound, Fault::NoSocket), (ErrorKind::PermissionDenied, Fault::Denied)]
        {
            assert_eq!(failed(unreachable, ConnectFailed(io::Error::from(kind).into())), fault);
        }
        let late = elapsed().await.unwrap_err();
        assert_eq!(failed(unreachable, ConnectFailed(late.into())), Fault::ConnectTimeout);
        assert_eq!(failed(timeout, elapsed().await.unwrap_err()), Fault::Timeout);
        assert_eq!(
            failed(Reason::UPSTREAM_FAILED, io::Error::from(ErrorKind::ConnectionReset)),
            Fault::Broken
        );
        assert_eq!(failed(unreachable, ConnectFailed("dns error".into())), Fault::NoAddress);
    }

    /// The real error of the real resolver, which has no type.
    #[tokio::test]
    async fn unknown_host_of_hyper_util_has_no_address() {
        use hyper_util::client::legacy::{Client, connect::HttpConnector};
        let client: Client<HttpConnector, axum::body::Body> =
            Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let request = http::Request::get("http://no-such-host.invalid/").body(axum::body::Body::empty());
        let error = client.request(request.unwrap()).await.unwrap_err();
        assert_eq!(failed(Reason::UPSTREAM_UNREACHABLE, error), Fault::NoAddress);
    }
}

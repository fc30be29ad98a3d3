//! The identity of a visitor who may pass, and the headers that carry it to the service.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use super::encode;
use super::headers::{IdentityHeader, X_AUTH_TOKEN, remove_identity_headers};
use crate::guard::VisitorIdentity;

/// The identity of a visitor whose request may pass. See [`Verdict::decide`](super::Verdict::decide).
///
/// ```
/// use auth_proxy::verdict::Identity;
///
/// fn log_line(identity: &Identity) -> String {
///     identity.subject().map_or("a guest".to_owned(), |subject| format!("user {subject}"))
/// }
/// ```
#[derive(Clone)]
pub struct Identity {
    /// `None` for a guest.
    visitor: Option<VisitorIdentity>,
    headers: Arc<[IdentityHeader]>,
    token: Option<HeaderValue>,
}

impl Identity {
    pub(super) fn new(
        visitor: Option<VisitorIdentity>,
        headers: Arc<[IdentityHeader]>,
        token: Option<HeaderValue>,
    ) -> Self {
        Self { visitor, headers, token }
    }

    /// Whether nothing is known of the visitor: a guest, or a path that is public.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.visitor.is_none()
    }

    /// The id of the user, not encoded. `None` for a guest, and if the upstream does not tell it.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.visitor.as_ref()?.subject.as_deref()
    }

    /// Writes the identity headers for the service behind the proxy into the headers of a request, and removes those that
    /// the client sent. A guest gets none.
    ///
    /// Values are percent-encoded as UTF-8 where they are not printable ASCII, and at `%`, `,`, `{`, `}`, `<` and `>`. A value
    /// of more than 1 KiB is left out.
    ///
    /// Remove hop-by-hop headers before: a client can name any header in `Connection`, and so have it removed.
    ///
    /// ```
    /// use auth_proxy::verdict::Identity;
    /// use http::Request;
    ///
    /// fn for_the_service(mut request: Request<()>, identity: &Identity) -> Request<()> {
    ///     identity.write_headers(request.headers_mut());
    ///     request
    /// }
    /// ```
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        remove_identity_headers(headers);
        self.append_to(headers);
    }

    /// Adds the identity headers.
    pub(super) fn append_to(&self, headers: &mut HeaderMap) {
        let Some(visitor) = &self.visitor else { return };
        for header in self.headers.iter() {
            let text = |text: &Option<String>| text.as_deref().and_then(encode::value);
            let value = match header {
                IdentityHeader::Subject => text(&visitor.subject),
                IdentityHeader::Name => text(&visitor.name),
                IdentityHeader::Email => text(&visitor.email),
                IdentityHeader::Roles => encode::list(visitor.roles.iter().map(String::as_str)),
            };
            if let Some(value) = value {
                headers.insert(header.name(), value);
            }
        }
        if let Some(token) = &self.token {
            headers.insert(X_AUTH_TOKEN, token.clone());
        }
    }
}

/// Shows nothing about the visitor.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("is_guest", &self.is_guest()).finish_non_exhaustive()
    }
}

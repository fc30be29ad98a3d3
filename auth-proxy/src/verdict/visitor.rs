//! The visitor of an allowed request, and the headers that say who it is.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use super::encode;
use super::headers::{IdentityHeader, remove_identity_headers};
use crate::extract::VisitorIdentity;

/// The visitor of a request that may pass. See [`Verdict::decide`](super::Verdict::decide).
#[derive(Clone)]
pub struct Visitor {
    /// `None` for a guest.
    identity: Option<VisitorIdentity>,
    headers: Arc<[IdentityHeader]>,
}

impl Visitor {
    pub(super) fn new(identity: Option<VisitorIdentity>, headers: Arc<[IdentityHeader]>) -> Self {
        Self { identity, headers }
    }

    /// Whether the visitor is signed out, which [`allow_guests`](super::Verdict::allow_guests) permits.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.identity.is_none()
    }

    /// The id of the user, not encoded. `None` for a guest, and if the upstream does not tell it.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.identity.as_ref()?.subject.as_deref()
    }

    /// Writes the identity headers for the service behind the proxy into the headers of a request, and removes those that
    /// the client sent. A guest gets none.
    ///
    /// Values are percent-encoded as UTF-8 where they are not printable ASCII, and at `%` and `,`. A value of more than
    /// 1 KiB is left out.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        remove_identity_headers(headers);
        self.append_to(headers);
    }

    /// Adds the identity headers.
    pub(super) fn append_to(&self, headers: &mut HeaderMap) {
        let Some(identity) = &self.identity else { return };
        for header in self.headers.iter() {
            let text = |text: &Option<String>| text.as_deref().and_then(encode::value);
            let value = match header {
                IdentityHeader::Subject => text(&identity.subject),
                IdentityHeader::Name => text(&identity.name),
                IdentityHeader::Email => text(&identity.email),
                IdentityHeader::Roles => encode::list(identity.roles.iter().map(String::as_str)),
            };
            if let Some(value) = value {
                headers.insert(header.name(), value);
            }
        }
    }
}

/// Shows nothing about the visitor.
impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").field("is_guest", &self.is_guest()).finish_non_exhaustive()
    }
}

//! The names of the identity headers, and their removal from requests of clients.

use http::{HeaderMap, HeaderName};

/// A header that tells a service behind the proxy who the visitor is.
///
/// ```
/// use auth_proxy::verdict::IdentityHeader;
///
/// assert_eq!(IdentityHeader::Subject.name(), "x-auth-subject");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdentityHeader {
    /// `X-Auth-Subject`: the id of the user.
    Subject,
    /// `X-Auth-Name`: the name to show.
    Name,
    /// `X-Auth-Email`: the email address, as the upstream has it. It may be unconfirmed.
    Email,
    /// `X-Auth-Roles`: the roles that [`role`](crate::rules::role) reads, separated by commas.
    Roles,
}

impl IdentityHeader {
    /// The headers that are sent unless others are chosen.
    pub(super) const DEFAULT: [Self; 3] = [Self::Subject, Self::Name, Self::Email];

    /// The name of the header.
    #[must_use]
    pub fn name(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Subject => "x-auth-subject",
            Self::Name => "x-auth-name",
            Self::Email => "x-auth-email",
            Self::Roles => "x-auth-roles",
        })
    }
}

/// The signed token.
pub(super) const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The names of all headers that an answer may set.
pub(super) fn all() -> [HeaderName; 5] {
    use IdentityHeader::{Email, Name, Roles, Subject};
    [Subject.name(), Name.name(), Email.name(), Roles.name(), X_AUTH_TOKEN]
}

/// Removes every header whose name begins with `X-Auth-`, in any spelling. A client must not be able to send one to a
/// service that believes it.
///
/// Every character that is no letter and no digit counts as `-`, because CGI, WSGI and PHP read some or all of them as one
/// variable (RFC 3875, section 4.1.18): all of them `_`, PHP also `.`, and lighttpd any other one.
///
/// ```
/// use auth_proxy::verdict::remove_identity_headers;
/// use http::{HeaderMap, HeaderName, HeaderValue};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(HeaderName::from_static("x_auth-subject"), HeaderValue::from_static("admin"));
/// headers.insert("x-author", HeaderValue::from_static("Ada"));
/// remove_identity_headers(&mut headers);
/// assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-author"]);
/// ```
pub fn remove_identity_headers(headers: &mut HeaderMap) {
    let forged: Vec<_> = headers.keys().filter(|name| is_identity(name.as_str())).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
}

/// Whether a name begins with `x-auth-` for some service. Names of a `HeaderMap` are in lower case.
fn is_identity(name: &str) -> bool {
    let mut bytes = name.bytes().map(|byte| if byte.is_ascii_alphanumeric() { byte } else { b'-' });
    b"x-auth-".iter().all(|expected| bytes.next() == Some(*expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_that_some_service_reads_as_an_identity_header_is_one() {
        for other in "!#$%&'*+-.^_`|~".chars() {
            for name in [
                format!("x{other}auth{other}subject"),
                format!("x-auth{other}subject"),
                format!("x{other}auth-x"),
            ] {
                assert!(is_identity(&name), "{name}");
            }
        }
        for name in ["x-author", "xauth-subject", "x-authsubject", "auth-subject", "x-auth", "", "y-auth-x"] {
            assert!(!is_identity(name), "{name}");
        }
    }
}

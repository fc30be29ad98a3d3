//! [`VisitorHeaders`]: what the app is told of the visitor.

use http::{HeaderMap, HeaderName};

/// Headers for an app behind [`ReverseProxy`](super::ReverseProxy), such as `X-Auth-Subject`: an extension of the request,
/// which a guard in front adds. It says that the visitor was let through by the session of the request.
///
/// A header in the map of the request would not do: the client can name any header in `Connection`, and such headers are
/// removed (RFC 9110, section 7.6.1). Headers that begin with `X-Auth-` are removed from what the client sent.
///
/// ```
/// use auth_proxy::reverse_proxy::VisitorHeaders;
/// use http::{HeaderMap, HeaderValue};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x-auth-subject", HeaderValue::from_static("user-1"));
/// let mut request = http::Request::new(axum::body::Body::empty());
/// request.extensions_mut().insert(VisitorHeaders(headers));
/// ```
#[derive(Clone, Debug, Default)]
pub struct VisitorHeaders(pub HeaderMap);

/// Whether a client must not send this header, because the app believes that it is about the visitor. `_` counts as `-`:
/// servers that pass headers on as CGI variables cannot distinguish the two (RFC 3875, section 4.1.18).
pub(super) fn is_of_visitor(name: &HeaderName) -> bool {
    let known = b"x-auth-";
    name.as_str().as_bytes().get(..known.len()).is_some_and(|start| {
        start.iter().zip(known).all(|(byte, known)| byte == known || (*byte == b'_' && *known == b'-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_about_the_visitor_are_recognised_in_every_spelling() {
        for name in ["X-Auth-Subject", "x_auth_subject", "x-auth_name", "X_Auth-Email", "x-auth-"] {
            assert!(is_of_visitor(&name.parse().unwrap()), "{name}");
        }
        for name in ["x-auth", "x-author", "authorization", "x-authenticated"] {
            assert!(!is_of_visitor(&name.parse().unwrap()), "{name}");
        }
    }
}

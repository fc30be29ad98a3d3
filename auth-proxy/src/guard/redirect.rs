//! Redirects a visitor without a session to the sign-in page.

use auth_proxy_rules::{Settings, Unauthenticated, is_below, is_local};
use http::request::Parts;
use http::{HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::original_uri::original_uri;
use crate::error::AuthError;
use crate::page::is_navigation;

/// The `Location` of the sign-in page for a request without a session. `None` if the response is the error itself.
///
/// Only signed-out visitors are redirected, and those who have to sign in again: after an outage, or when a policy refused,
/// signing in again would not help.
/// Requests for the sign-in page and the sign-in routes are never redirected, so that a misplaced guard causes no loop.
pub(super) fn sign_in(error: &AuthError, parts: &Parts, settings: &Settings) -> Option<HeaderValue> {
    let helps = error.is_signed_out() || error.step_up().is_some();
    if !helps || error.is_from_bearer() {
        return None;
    }
    let redirects = match settings.unauthenticated {
        Unauthenticated::Status => false,
        Unauthenticated::Redirect => true,
        Unauthenticated::Auto | _ => is_navigation(&parts.headers),
    };
    let uri = original_uri(parts);
    let mut excluded = settings.bases().chain([settings.sign_in_path.as_str()]);
    if !redirects || excluded.any(|base| is_below(uri.path(), base)) {
        return None;
    }
    let mut location = settings.sign_in_path.clone();
    // After the sign-in the browser sends a GET, which cannot repeat a posted form.
    if matches!(parts.method, Method::GET | Method::HEAD)
        && let Some(target) = uri.path_and_query().map(http::uri::PathAndQuery::as_str)
        && is_local(target)
    {
        let origin = settings.public_url.as_ref().map(ToString::to_string).unwrap_or_default();
        location.push_str("?callbackUrl=");
        location.extend(utf8_percent_encode(&origin, QUERY_VALUE));
        location.extend(utf8_percent_encode(target, QUERY_VALUE));
    }
    HeaderValue::from_str(&location).ok()
}

/// Escapes every character except the unreserved ones (RFC 3986, section 2.3).
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_local_accepts_only_paths_of_this_origin() {
        for good in ["/", "/dashboard?tab=1", "/a//b"] {
            assert!(is_local(good), "{good}");
        }
        for bad in ["", "//evil.example", "/\\evil.example", "/a\\b", "https://evil.example", "*", "/a\tb"] {
            assert!(!is_local(bad), "{bad}");
        }
    }
}

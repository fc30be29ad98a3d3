//! Classifies a forwarded request by its method and path: what it reads or changes.

use http::Method;
use percent_encoding::percent_decode_str;

use super::foreign_urls::Page;

/// What a request to a sign-in route does. This decides about retries, evictions and the checks of the response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose {
    /// The path is `/session`: the request reads or updates the session.
    pub(super) is_session: bool,
    /// The request changes nothing at the upstream, so it may be retried.
    pub(super) is_read: bool,
    /// The request signs in or out, or changes the session or the account, so its cached sessions are evicted.
    pub(super) evicts_sessions: bool,
    /// The response is the same for every visitor, so shared caches may keep it.
    pub(super) is_same_for_all: bool,
    /// Set if the response contains URLs with the upstream's own origin.
    pub(super) page: Option<Page>,
}

impl Purpose {
    /// Classifies a request. `rest` is its path below the base path, as it was sent.
    pub(super) fn of(method: &Method, rest: &str) -> Self {
        // Some servers decode a path before they look for its route, so the decoded path counts.
        let route = percent_decode_str(rest).decode_utf8_lossy();
        // Auth.js ignores a trailing slash.
        let name = route.strip_suffix('/').unwrap_or(&route);
        let is_session = name == "/session";
        let is_read = *method == Method::GET && matches!(name, "/session" | "/providers" | "/csrf");
        // These requests change something: unsafe methods (RFC 9110, section 9.2.1), a provider's callback, and links
        // in mails.
        let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        let changes = !is_safe || route.starts_with("/callback/") || name.ends_with("/confirm");
        Self {
            is_session,
            is_read,
            // next-auth's browser code posts its errors to `/_log`, which changes nothing.
            evicts_sessions: changes && name != "/_log",
            is_same_for_all: name == "/providers",
            page: Page::of(name),
        }
    }

    /// Whether the request only reads the session. Every response then renews the cookie without changing the session.
    pub(super) fn renews(&self) -> bool {
        self.is_session && self.is_read
    }

    /// Whether the response can start, renew or end a session.
    pub(super) fn concerns_sessions(&self) -> bool {
        !self.is_read || self.is_session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_purpose_depends_on_method_and_path() {
        let (get, post) = (Method::GET, Method::POST);
        // is_session, is_read, evicts_sessions, is_same_for_all
        for (method, path, expected) in [
            (&get, "/session", [true, true, false, false]),
            (&get, "/session/", [true, true, false, false]),
            (&get, "/%73ession", [true, true, false, false]),
            (&post, "/session", [true, false, true, false]),
            (&get, "/providers", [false, true, false, true]),
            (&get, "/csrf", [false, true, false, false]),
            (&get, "/signin", [false, false, false, false]),
            (&post, "/signin/github", [false, false, true, false]),
            (&post, "/signout", [false, false, true, false]),
            (&get, "/callback/github", [false, false, true, false]),
            (&get, "/verify-email/confirm", [false, false, true, false]),
            (&post, "/_log", [false, false, false, false]),
            (&Method::DELETE, "/account", [false, false, true, false]),
            (&get, "/unknown", [false, false, false, false]),
        ] {
            let found = Purpose::of(method, path);
            let found = [found.is_session, found.is_read, found.evicts_sessions, found.is_same_for_all];
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn only_get_session_renews_the_session() {
        assert!(Purpose::of(&Method::GET, "/session").renews());
        assert!(!Purpose::of(&Method::POST, "/session").renews());
        assert!(!Purpose::of(&Method::GET, "/csrf").concerns_sessions());
        assert!(Purpose::of(&Method::GET, "/signin").concerns_sessions());
    }
}

//! What a forwarded request is for, told by its method and its path.

use http::Method;
use percent_encoding::percent_decode_str;

use super::foreign_urls::Page;

/// What a request to a sign-in route does. Decides retries, evictions and which parts of the answer are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose {
    /// It asks for `/session`, or updates the session there.
    pub(super) is_session: bool,
    /// It changes nothing at the upstream, however often it is sent: it may be retried.
    pub(super) is_read: bool,
    /// It signs in or out, or changes the session or the account: what is cached of the session ends.
    pub(super) ends_sessions: bool,
    /// The answer is the same for every visitor: shared caches may keep it.
    pub(super) is_same_for_all: bool,
    /// The answer has URLs in it that the upstream makes of its origin.
    pub(super) page: Option<Page>,
}

impl Purpose {
    /// The purpose of a request. `rest` is its path below the base path, as it was sent.
    pub(super) fn of(method: &Method, rest: &str) -> Self {
        // Some servers decode a path before they look for its route.
        let route = percent_decode_str(rest).decode_utf8_lossy();
        // Auth.js takes a trailing slash.
        let name = route.strip_suffix('/').unwrap_or(&route);
        let is_session = name == "/session";
        let is_read = *method == Method::GET && matches!(name, "/session" | "/providers" | "/csrf");
        // Methods that change something (RFC 9110, section 9.2.1), a provider's callback, and the links in mails.
        let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        let changes = !is_safe || route.starts_with("/callback/") || name.ends_with("/confirm");
        Self {
            is_session,
            is_read,
            // next-auth's browser code posts its errors to `/_log`, which changes nothing.
            ends_sessions: changes && name != "/_log",
            is_same_for_all: name == "/providers",
            page: Page::of(name),
        }
    }

    /// Whether the answer renews the session cookie each time and changes nothing by it.
    pub(super) fn renews(&self) -> bool {
        self.is_session && self.is_read
    }

    /// Whether the answer can change what is known of a session.
    pub(super) fn concerns_sessions(&self) -> bool {
        !self.is_read || self.is_session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purpose_follows_from_method_and_path() {
        let (get, post) = (Method::GET, Method::POST);
        // session, read, ends sessions, same for all
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
            let found = [found.is_session, found.is_read, found.ends_sessions, found.is_same_for_all];
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn only_reading_the_session_renews_it() {
        assert!(Purpose::of(&Method::GET, "/session").renews());
        assert!(!Purpose::of(&Method::POST, "/session").renews());
        assert!(!Purpose::of(&Method::GET, "/csrf").concerns_sessions());
        assert!(Purpose::of(&Method::GET, "/signin").concerns_sessions());
    }
}

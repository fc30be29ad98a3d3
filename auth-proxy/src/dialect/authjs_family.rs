//! The dialect of Auth.js v5, Robo.js and next-auth v4, which have most in common.
//!
//! The kind may be missing in the configuration, so each of them is asked in the dialect of all three. No two of them
//! use one path for different things.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, Method, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

#[cfg(feature = "client-js")]
use super::client::{self, BrowserClient};
use super::definition::{Dialect, SentToken};
use super::purpose::{Page, Purpose};
use super::route::{Route, without_last_slash};
use super::session::{RawSession, SessionAnswer};
use super::software::Software;
use super::{authjs, next_auth_v4, robo};
use crate::cookie::SessionNames;
use crate::error::AuthError;

#[derive(Debug)]
pub(super) struct AuthjsFamily {
    /// Whether the upstream is next-auth v4.
    pub(super) is_v4: bool,
}

impl Dialect for AuthjsFamily {
    fn route(&self, path: &str) -> Option<Route> {
        // No route has more segments than four.
        let (mut segments, mut count) = ([""; 5], 0);
        let found = without_last_slash(path).strip_prefix('/')?.split('/');
        for (place, segment) in segments.iter_mut().zip(found) {
            *place = segment;
            count += 1;
        }
        let segments = segments.get(..count)?;
        authjs::route(segments).or_else(|| robo::route(segments)).or_else(|| next_auth_v4::route(segments))
    }

    fn purpose(&self, method: &Method, path: &str) -> Purpose {
        // Some servers decode a path before they look for its route, so the decoded path counts.
        let path = if path.bytes().any(|byte| byte == b'%') {
            percent_decode_str(path).decode_utf8_lossy()
        } else {
            Cow::Borrowed(path)
        };
        let path = if self.is_v4 { next_auth_v4::part_it_reads(&path) } else { &path };
        authjs::purpose(method, path, next_auth_v4::changes_nothing)
    }

    #[cfg(feature = "client-js")]
    fn browser_client(&self) -> BrowserClient {
        client::AUTHJS
    }

    fn session_path(&self) -> &'static str {
        authjs::SESSION
    }

    fn health_path(&self) -> &'static str {
        authjs::HEALTH
    }

    fn secret_variable(&self) -> &'static str {
        if self.is_v4 { next_auth_v4::SECRET } else { authjs::SECRET }
    }

    fn begins_sign_in(&self, path: &str) -> bool {
        authjs::begins_sign_in(path)
    }

    fn read_session(
        &self,
        response: &Response<Bytes>,
        names: &SessionNames,
        _: Option<SentToken<'_>>,
    ) -> Result<SessionAnswer, AuthError> {
        authjs::read_session(response, names, |session| {
            robo::remove_session_token(session);
        })
    }

    fn shows_expires(&self) -> bool {
        true
    }

    fn session_headers(&self) -> &'static [(HeaderName, &'static str)] {
        &authjs::SESSION_HEADERS
    }

    fn remove_secrets(&self, session: &mut Map<String, Value>) -> bool {
        robo::remove_session_token(session)
    }

    fn secret_word(&self) -> &'static str {
        robo::SECRET_WORD
    }

    fn is_no_session(&self, session: &RawSession) -> bool {
        self.is_v4 && next_auth_v4::is_sign_in_state(session)
    }

    /// The `iat` of a token is not it: every lookup renews the token (`docs/authjs.md#session-renew`).
    fn sign_in_time_setting(&self) -> &'static str {
        "let the callback `jwt` of Auth.js write `auth_time` into the token at a sign-in, and the callback `session` into \
         the session unless tokens are decoded here (see \"How long ago the sign-in was\" in the guide on policies)"
    }

    fn user_id<'s>(&self, session: &'s RawSession) -> Option<&'s Value> {
        robo::user_id(session)
    }

    fn url_in_page(&self, page: Page, body: &[u8], base: &str) -> Option<String> {
        authjs::url_in_page(page, body, base)
    }

    fn callback_host_setting(&self, software: Software) -> &'static str {
        match (self.is_v4, software) {
            (true, Software::NextJs) => next_auth_v4::origin_setting(software),
            _ => authjs::callback_host_setting(software),
        }
    }

    fn origin_setting(&self, software: Software) -> &'static str {
        if self.is_v4 { next_auth_v4::origin_setting(software) } else { authjs::origin_setting(software) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<Route> {
        AuthjsFamily { is_v4: false }.route(path)
    }

    fn purpose(method: &Method, path: &str) -> Purpose {
        AuthjsFamily { is_v4: false }.purpose(method, path)
    }

    #[test]
    fn route_table_knows_the_methods_of_each_route() {
        for (path, allow) in [
            ("/providers", "GET, HEAD"),
            ("/session", "GET, HEAD, POST"),
            ("/session/", "GET, HEAD, POST"),
            ("/csrf", "GET, HEAD"),
            ("/signin", "GET, HEAD, POST"),
            ("/signin/github", "GET, POST"),
            ("/signout", "GET, HEAD, POST"),
            ("/callback/github", "GET, POST"),
            ("/verify-request", "GET, HEAD"),
            ("/error", "GET, HEAD"),
            ("/webauthn-options", "GET"),
            ("/webauthn-options/passkey", "GET"),
            ("/_log", "POST"),
            ("/error/x", "GET, HEAD"),
            ("/signup", "POST, OPTIONS"),
            ("/verify-email", "GET, HEAD"),
            ("/verify-email/request", "POST"),
            ("/verify-email/confirm", "GET"),
            ("/password/reset/request", "POST"),
            ("/password/reset/confirm", "GET, POST"),
        ] {
            assert_eq!(find(path).map(|route| route.allow), Some(allow), "{path}");
        }
        for path in [
            "",
            "/",
            "/sessions",
            "/session/x",
            "/callback",
            "/callback/a/b",
            "/signin/a/b",
            "/Session",
            "/password/reset",
            "/password/reset/request/x",
            "/providersx",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn routes_with_one_time_tokens_do_not_answer_head() {
        for path in ["/callback/email", "/verify-email/confirm", "/password/reset/confirm", "/signin/github"]
        {
            assert!(!find(path).unwrap().head, "{path}");
        }
        assert!(
            !Route::READ.allows(&Method::HEAD)
                && Route::READ.allows(&Method::GET)
                && !Route::READ.allows(&Method::POST)
        );
    }

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
            let found = purpose(method, path);
            let found = [found.is_session, found.is_read, found.evicts_sessions, found.is_same_for_all];
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    /// It reads the action and the provider, and ignores further segments.
    #[test]
    fn purpose_of_a_path_with_more_segments_is_that_of_the_part_next_auth_v4_reads() {
        let v4 = |method: &Method, path: &str| {
            let found = AuthjsFamily { is_v4: true }.purpose(method, path);
            [found.is_session, found.is_read, found.evicts_sessions, found.is_sign_in, found.is_callback]
        };
        for method in [Method::GET, Method::POST, Method::PUT] {
            for (path, longer) in [
                ("/session", &["/session/x", "/session/x/y/", "/%73ession/x", "/session%2Fx"][..]),
                ("/callback/a", &["/callback/a/", "/callback/a/b", "/callback/a/b/c/d/e", "/callback/a%2fb"]),
                ("/signin/a", &["/signin/a/b"]),
                ("/signin", &["/signin/"]),
                ("/Callback/a", &["/Callback/a/b"]),
                ("/signout", &["/signout/a/b"]),
                ("/providers", &["/providers/a"]),
                ("/_log", &["/_log/a"]),
            ] {
                for longer in longer {
                    assert_eq!(v4(&method, longer), v4(&method, path), "{method} {longer}");
                }
            }
        }
        assert_eq!(v4(&Method::GET, "/session/x"), [true, true, false, false, false]);
        assert_eq!(v4(&Method::POST, "/callback/a/b"), [false, false, true, true, true]);
        assert_eq!(v4(&Method::POST, "/Callback/a/b"), [false, false, true, true, true]);
        assert_eq!(v4(&Method::GET, "/sessions/x"), [false; 5]);
        // Auth.js refuses them, except that Robo has longer paths.
        assert!(!purpose(&Method::GET, "/session/x").is_session);
        assert!(purpose(&Method::POST, "/callback/a/b").is_sign_in);
    }

    #[test]
    fn only_get_session_renews_the_session() {
        assert!(purpose(&Method::GET, "/session").renews());
        assert!(!purpose(&Method::POST, "/session").renews());
        assert!(!purpose(&Method::GET, "/csrf").concerns_sessions());
        assert!(purpose(&Method::GET, "/signin").concerns_sessions());
    }
}

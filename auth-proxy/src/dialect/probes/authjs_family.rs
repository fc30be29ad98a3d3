//! The probes of Auth.js v5, Robo.js and next-auth v4.

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value};

use super::definition::{Probes, Question, SecretProbe, Seen};
use super::server::Server;
use crate::config::Kind;
use crate::cookie::{ReceivedCookie, SetCookieKind, without_prefix};
use crate::dialect::purpose::Page;
use crate::dialect::{authjs, next_auth_v4};

const CSRF: &str = "/csrf";

/// The hexadecimal digits of the CSRF token, and of its hash (`docs/authjs.md#csrf`).
const HEX: usize = 64;

#[derive(Debug)]
pub(super) struct AuthjsProbes;

impl Probes for AuthjsProbes {
    fn marks(&self) -> &'static [&'static str] {
        &[CSRF, authjs::HEALTH]
    }

    fn has_mark(&self, path: &str, body: &[u8]) -> bool {
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) else { return false };
        if path == CSRF {
            return object.get("csrfToken").and_then(Value::as_str).is_some_and(is_hex);
        }
        // `docs/authjs.md#providers`: an object by provider.
        let is_provider = |value: &Value| value.get("callbackUrl").is_some_and(Value::is_string);
        object.values().next().is_some_and(is_provider)
    }

    fn has_several_servers(&self) -> bool {
        true
    }

    /// A cookie with a default name shows the version. With other names the session of a signed-out visitor does: `{}` in
    /// v4 and `null` in v5 (`docs/authjs.md#session-absent`).
    fn server(&self, seen: Seen<'_>) -> Server {
        let has_start = |start: &str| seen.cookies.iter().any(|name| without_prefix(name).starts_with(start));
        let is_v4 = match (has_start("next-auth."), has_start("authjs.")) {
            (true, false) => true,
            (false, true) => false,
            _ => match seen.signed_out {
                Some(body) => body.trim_ascii() == b"{}",
                None => seen.expected == Some(Kind::NextAuthV4),
            },
        };
        // `docs/authjs.md#not-found-robo`.
        let is_robo = match seen.unknown {
            Some(body) => body.trim_ascii() == br#""API Route not found.""#,
            None => seen.expected == Some(Kind::Robo),
        };
        match (is_v4, is_robo) {
            (true, _) => Server::NextAuthV4,
            (false, true) => Server::Robo,
            (false, false) => Server::Authjs,
        }
    }

    /// The server clears a session cookie whose token it refuses, under the name that it reads. A cookie under another name
    /// is left alone.
    fn clearing(&self, configured: &[String]) -> Question {
        let mut cookies = configured.to_vec();
        for name in [authjs::COOKIE, next_auth_v4::COOKIE] {
            for name in [name.to_owned(), format!("__Secure-{name}")] {
                if !cookies.contains(&name) {
                    cookies.push(name);
                }
            }
        }
        Question { cookies, ..Question::get(authjs::SESSION) }
    }

    /// Only cookies that were sent are cleared.
    fn session_cookie<'c>(&self, cleared: &'c [String]) -> Option<&'c str> {
        cleared.first().map(String::as_str)
    }

    /// `docs/authjs.md#session-database-failure`.
    fn hides_failures(&self) -> bool {
        true
    }

    /// `docs/authjs.md#session-clear`.
    fn has_session_strategies(&self) -> bool {
        true
    }

    fn secret(&self) -> SecretProbe {
        SecretProbe::Hash { off_with: "`skipCSRFCheck`" }
    }

    fn hash<'c>(&self, cookies: &'c [ReceivedCookie]) -> Option<(&'c str, &'c str)> {
        let set = cookies.iter().filter(|cookie| cookie.kind == SetCookieKind::Sets);
        let pairs = set.filter_map(|cookie| cookie.value.split_once('|'));
        pairs.into_iter().find(|(token, hash)| is_hex(token) && is_hex(hash))
    }

    fn urls(&self) -> &'static str {
        authjs::HEALTH
    }

    fn url(&self, response: &Response<Bytes>, base: &str) -> Option<String> {
        authjs::url_in_page(Page::Providers, response.body(), base)
    }
}

/// `docs/authjs.md#server-configuration`: v5 and v4 use nearly the same words.
pub(super) fn misconfigured(body: &[u8]) -> Option<&'static str> {
    memchr::memmem::find(body, b"problem with the server configuration").map(|_| {
        "set AUTH_SECRET at the server, and AUTH_TRUST_HOST=true, which a server behind this app needs; if both are set, the \
         log of the server has the reason"
    })
}

fn is_hex(text: &str) -> bool {
    text.len() == HEX && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(cookies: &[&str], signed_out: &str, unknown: &str, expected: Option<Kind>) -> Server {
        let cookies: Vec<String> = cookies.iter().map(|name| (*name).to_owned()).collect();
        let [signed_out, unknown] =
            [signed_out, unknown].map(|body| Some(body.as_bytes()).filter(|body| !body.is_empty()));
        AuthjsProbes.server(Seen { cookies: &cookies, signed_out, unknown, expected })
    }

    #[test]
    fn servers_are_told_apart() {
        let (robo, authjs) = (r#""API Route not found.""#, r#""Bad request.""#);
        for (cookies, signed_out, unknown, expected) in [
            (&["__Host-authjs.csrf-token"][..], "null", authjs, Server::Authjs),
            (&["authjs.csrf-token"], "null", robo, Server::Robo),
            (&["__Host-next-auth.csrf-token"], "{}", authjs, Server::NextAuthV4),
            // Names of the app's own, alone or beside default ones.
            (&["csrf"], "null", authjs, Server::Authjs),
            (&["csrf"], "{}", authjs, Server::NextAuthV4),
            (&["csrf", "authjs.callback-url"], "null", authjs, Server::Authjs),
        ] {
            for kind in [None, Some(Kind::Robo), Some(Kind::NextAuthV4)] {
                assert_eq!(server(cookies, signed_out, unknown, kind), expected, "{cookies:?}");
            }
        }
        // Without the answers that decide, the server is the expected one.
        for (kind, expected) in [
            (None, Server::Authjs),
            (Some(Kind::Authjs), Server::Authjs),
            (Some(Kind::Robo), Server::Robo),
            (Some(Kind::NextAuthV4), Server::NextAuthV4),
        ] {
            assert_eq!(server(&["csrf"], "", "", kind), expected);
        }
    }

    #[test]
    fn answers_of_other_services_are_no_mark() {
        let token = "0123456789abcdef".repeat(4);
        let csrf = format!(r#"{{"csrfToken":"{token}"}}"#);
        assert!(AuthjsProbes.has_mark(CSRF, csrf.as_bytes()));
        assert!(AuthjsProbes.has_mark("/providers", br#"{"a":{"callbackUrl":"http://a"}}"#));
        for body in ["", "null", "{}", "[]", r#"{"csrfToken":"short"}"#, r#"{"csrfToken":1}"#, "<html>"] {
            assert!(!AuthjsProbes.has_mark(CSRF, body.as_bytes()), "{body}");
        }
        for body in ["{}", r#"{"a":1}"#, r#"{"a":{}}"#, "\"API Route not found.\""] {
            assert!(!AuthjsProbes.has_mark("/providers", body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn configured_and_default_names_are_asked_for_once() {
        let names = ["sid".to_owned(), "authjs.session-token".to_owned()];
        let question = AuthjsProbes.clearing(&names);
        assert_eq!(
            question.cookies,
            [
                "sid",
                "authjs.session-token",
                "__Secure-authjs.session-token",
                "next-auth.session-token",
                "__Secure-next-auth.session-token"
            ]
        );
    }
}

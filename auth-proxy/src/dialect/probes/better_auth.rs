//! The probes of Better Auth.

use auth_proxy_rules::Origin;
use bytes::Bytes;
use http::header::LOCATION;
use http::{Method, Response};
use serde_json::Value;

use super::definition::{OriginCheck, Probes, Question, SecretProbe, Seen};
use super::server::Server;
use crate::dialect::better_auth::{HEALTH, SESSION};

const SIGN_OUT: &str = "/sign-out";

/// How it answers for other hosts than its own.
pub(crate) const ALLOWED_HOSTS: &str = "Better Auth by `baseURL: { allowedHosts: [..] }`";

#[derive(Debug)]
pub(super) struct BetterAuthProbes;

impl Probes for BetterAuthProbes {
    fn marks(&self) -> &'static [&'static str] {
        &[HEALTH]
    }

    /// `docs/better-auth.md#routes`.
    fn has_mark(&self, _: &str, body: &[u8]) -> bool {
        serde_json::from_slice::<Value>(body).is_ok_and(|body| body == serde_json::json!({ "ok": true }))
    }

    fn has_several_servers(&self) -> bool {
        false
    }

    fn server(&self, _: Seen<'_>) -> Server {
        Server::BetterAuth
    }

    /// A sign-out clears the cookies whether there is a session or not (`docs/better-auth.md#sign-out`). Without a cookie it
    /// ends none.
    fn clearing(&self, _: &[String]) -> Question {
        Question { method: Method::POST, ..Question::get(SIGN_OUT) }
    }

    /// Others are cleared too. The first one is the session cookie, whatever its name is.
    fn session_cookie<'c>(&self, cleared: &'c [String]) -> Option<&'c str> {
        let named = cleared.iter().find(|name| name.ends_with("session_token"));
        named.or(cleared.first()).map(String::as_str)
    }

    fn hides_failures(&self) -> bool {
        false
    }

    /// An unknown token is cleared if its signature is good, and ignored otherwise (`docs/better-auth.md#get-session`).
    fn secret(&self) -> SecretProbe {
        SecretProbe::Signature(SESSION)
    }

    /// A callback without a state leads to the error page below `baseURL` (`docs/better-auth.md#callback-without-state`).
    fn urls(&self) -> &'static str {
        "/callback/auth-proxy-check"
    }

    /// An `errorURL` of the app's own says nothing about `baseURL`.
    fn url(&self, response: &Response<Bytes>, base: &str) -> Option<String> {
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let (url, query) = location.split_once('?')?;
        let is_own = url.ends_with(&format!("{base}/error")) && query.starts_with("error=");
        is_own.then(|| url.to_owned())
    }

    /// The check comes before the sign-out (`docs/better-auth.md#origin-check`).
    fn origin_check(&self) -> Option<OriginCheck> {
        let setting = |own: &Origin| {
            format!(
                "add `trustedOrigins: [\"{own}\"]` to the configuration of the server, or set its `baseURL` to {own}"
            )
        };
        Some(OriginCheck { path: SIGN_OUT, setting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_that_of_the_default_error_page() {
        for (location, url) in [
            (
                "https://a.example/api/auth/error?error=state_not_found",
                Some("https://a.example/api/auth/error"),
            ),
            ("https://a.example/oops?error=state_not_found", None),
            ("https://a.example/api/auth/error", None),
        ] {
            let response = Response::builder().header(LOCATION, location).body(Bytes::new()).unwrap();
            assert_eq!(BetterAuthProbes.url(&response, "/api/auth").as_deref(), url, "{location}");
        }
    }

    #[test]
    fn session_cookie_is_found_among_those_that_are_cleared() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let default = names(&["better-auth.session_token", "better-auth.session_data"]);
        assert_eq!(BetterAuthProbes.session_cookie(&default), Some("better-auth.session_token"));
        assert_eq!(
            BetterAuthProbes.session_cookie(&names(&["sid", "better-auth.session_data"])),
            Some("sid")
        );
        assert_eq!(BetterAuthProbes.session_cookie(&[]), None);
    }

    #[test]
    fn only_the_health_route_is_a_mark() {
        for (body, is_mark) in
            [("{\"ok\":true}", true), ("{\"ok\":true,\"a\":1}", false), ("true", false), ("", false)]
        {
            assert_eq!(BetterAuthProbes.has_mark("/ok", body.as_bytes()), is_mark, "{body}");
        }
    }
}

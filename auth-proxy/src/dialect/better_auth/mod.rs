//! Better Auth (`better-auth`): its routes, its session route and its settings.

pub(super) mod cookie_cache;
mod routes;
mod session;

pub(super) use self::routes::{HEALTH, SESSION};
pub(crate) use self::session::{ACTIVE_ORGANIZATION, IMPERSONATED_BY};
use bytes::Bytes;
use http::{HeaderName, Method, Response};
use serde_json::{Map, Value};

#[cfg(feature = "client-js")]
use super::client::{self, BrowserClient};
use super::definition::{Dialect, PublishedKeys, SentBearer, SentToken};
use super::purpose::{Page, Purpose};
use super::route::Route;
use super::session::{RawSession, SessionAnswer};
use super::software::Software;
use crate::cookie::SessionNames;
use crate::error::AuthError;

/// Without a prefix.
pub(super) const COOKIE: &str = auth_proxy_rules::BETTER_AUTH_COOKIE;

#[derive(Debug)]
pub(super) struct BetterAuth;

impl Dialect for BetterAuth {
    fn route(&self, path: &str) -> Option<Route> {
        routes::route(path)
    }

    fn purpose(&self, method: &Method, path: &str) -> Purpose {
        routes::purpose(method, path)
    }

    #[cfg(feature = "client-js")]
    fn browser_client(&self) -> BrowserClient {
        client::BETTER_AUTH
    }

    fn session_path(&self) -> &'static str {
        SESSION
    }

    fn health_path(&self) -> &'static str {
        HEALTH
    }

    fn published_keys(&self) -> Option<PublishedKeys> {
        Some(PublishedKeys { path: "/jwks", setting: "add the plugin `jwt` to the server" })
    }

    fn secret_variable(&self) -> &'static str {
        "BETTER_AUTH_SECRET"
    }

    /// It has no pages.
    fn begins_sign_in(&self, _: &str) -> bool {
        false
    }

    fn read_session(
        &self,
        response: &Response<Bytes>,
        _: &SessionNames,
        sent: Option<SentToken<'_>>,
    ) -> Result<SessionAnswer, AuthError> {
        let part = |sent: SentToken<'_>| (self.session_part(sent.token).to_owned(), sent.with_cache);
        session::read_session(response, sent.map(part))
    }

    /// It is a field of `session`.
    fn shows_expires(&self) -> bool {
        false
    }

    fn session_headers(&self) -> &'static [(HeaderName, &'static str)] {
        &session::HEADERS
    }

    fn session_of_cache(&self, data: Map<String, Value>) -> Option<RawSession> {
        session::session(data).ok().flatten()
    }

    fn remove_secrets(&self, session: &mut Map<String, Value>) -> bool {
        session::remove_token(session)
    }

    fn secret_word(&self) -> &'static str {
        session::TOKEN
    }

    fn is_no_session(&self, _: &RawSession) -> bool {
        false
    }

    /// The user has its own `id`.
    fn user_id<'s>(&self, _: &'s RawSession) -> Option<&'s Value> {
        None
    }

    fn names_user_in_session(&self) -> bool {
        true
    }

    fn session_claim<'s>(&self, session: &'s RawSession) -> Option<&'s Value> {
        session.extra.get(session::SESSION)
    }

    /// A session is extended and not made anew, so its `createdAt` stays (`docs/better-auth.md#session-renew`).
    fn signed_in_at<'s>(&self, session: &'s RawSession) -> Option<&'s Value> {
        session.extra.get(session::SESSION)?.get("createdAt")
    }

    fn sign_in_time_setting(&self) -> &'static str {
        "the plugin `customSession` of Better Auth must return the session with its `createdAt`, and an impersonated \
         session has no such time"
    }

    /// The signature is left out: a Bearer token may come without one (`docs/better-auth.md#bearer`).
    fn session_part<'t>(&self, token: &'t str) -> &'t str {
        token.rsplit_once('.').map_or(token, |(part, _)| part)
    }

    fn sent_bearer(&self) -> SentBearer {
        SentBearer::AsBearer
    }

    /// It matches cookie names exactly, and has others that begin with the session cookie's name
    /// (`docs/better-auth.md#cookie-names`).
    fn joins_cookies_by_prefix(&self) -> bool {
        false
    }

    /// Its rate limiter puts all visitors with a list of addresses together (`docs/better-auth.md#rate-limit`).
    fn reads_one_address(&self) -> bool {
        true
    }

    /// Its responses are JSON for its own client.
    fn url_in_page(&self, _: Page, _: &[u8], _: &str) -> Option<String> {
        None
    }

    /// `docs/better-auth.md#origin-check`.
    fn origin_refusal(&self, body: &[u8]) -> Option<&'static str> {
        #[derive(serde::Deserialize)]
        struct Refusal<'b> {
            #[serde(borrow)]
            code: std::borrow::Cow<'b, str>,
        }
        let refuses =
            serde_json::from_slice::<Refusal<'_>>(body).is_ok_and(|refusal| refusal.code == "INVALID_ORIGIN");
        refuses.then_some("add this origin to `trustedOrigins` there, or set its `baseURL` to it")
    }

    fn fixes_callback_host(&self) -> bool {
        true
    }

    fn callback_host_setting(&self, _: Software) -> &'static str {
        ORIGIN_SETTING
    }

    fn origin_setting(&self, _: Software) -> &'static str {
        ORIGIN_SETTING
    }
}

const ORIGIN_SETTING: &str = "set `baseURL` of Better Auth (or BETTER_AUTH_URL) to this app's origin, unless its plugin \
                              oAuthProxy is to pass the visitor on";

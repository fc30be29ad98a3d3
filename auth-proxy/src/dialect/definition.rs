//! [`Dialect`]: the questions that the rest of the code has about a family of upstreams.

use std::fmt;

use bytes::Bytes;
use http::{HeaderName, Method, Response};
use serde_json::{Map, Value};

#[cfg(feature = "client-js")]
use super::client::BrowserClient;
use super::purpose::{Page, Purpose};
use super::route::Route;
use super::session::{RawSession, SessionAnswer};
use super::software::Software;
use crate::cookie::SessionNames;
use crate::error::AuthError;

/// How a lookup sends the token of an `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SentBearer {
    /// As the session cookie, under each name that it may have.
    AsCookie,
    /// As it came.
    AsBearer,
}

/// What a lookup sent.
#[derive(Clone, Copy)]
pub(crate) struct SentToken<'t> {
    /// The session token.
    pub(crate) token: &'t str,
    /// Whether the cookie cache was sent too.
    pub(crate) with_cache: bool,
}

/// The public keys that an upstream publishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublishedKeys {
    /// The path of the keys.
    pub(crate) path: &'static str,
    /// What to change at the upstream, so that it has this route.
    pub(crate) setting: &'static str,
}

/// One family of upstreams. Paths are below the upstream's base path: empty, or beginning with `/`.
pub(crate) trait Dialect: fmt::Debug + Send + Sync {
    /// The known route at a path.
    fn route(&self, path: &str) -> Option<Route>;

    /// What a request does, by its method and its path as it was sent.
    fn purpose(&self, method: &Method, path: &str) -> Purpose;

    /// The module that signs in at this family's routes.
    #[cfg(feature = "client-js")]
    fn browser_client(&self) -> BrowserClient;

    /// The path of a session lookup.
    fn session_path(&self) -> &'static str;

    /// A path that every running upstream answers, without a cookie.
    fn health_path(&self) -> &'static str;

    /// The public keys that the upstream publishes. `None` if it has no such route.
    fn published_keys(&self) -> Option<PublishedKeys> {
        None
    }

    /// The variable with the secret of the upstream.
    fn secret_variable(&self) -> &'static str;

    /// Whether a sign-in or sign-out begins on the page at this path, with the next page as `callbackUrl`.
    fn begins_sign_in(&self, path: &str) -> bool;

    /// Reads a 200 response to a lookup that sent a session cookie. `sent` is what it sent, if that is known.
    ///
    /// # Errors
    /// `upstream_invalid_response` for a body that is no session; `upstream_ambiguous_session` for a response that does
    /// not say whether there is one.
    fn read_session(
        &self,
        response: &Response<Bytes>,
        names: &SessionNames,
        sent: Option<SentToken<'_>>,
    ) -> Result<SessionAnswer, AuthError>;

    /// The session in the data of a cookie cache. `None` if it cannot be read, or there is no such cache.
    fn session_of_cache(&self, _: Map<String, Value>) -> Option<RawSession> {
        None
    }

    /// Whether the upstream's answer has the expiry of the session beside the user, as `expires`.
    fn shows_expires(&self) -> bool;

    /// The headers of an answer with a session: those with which the upstream keeps it out of caches.
    fn session_headers(&self) -> &'static [(HeaderName, &'static str)];

    /// Removes what page scripts must not read from the JSON of a session. Returns whether there was something.
    fn remove_secrets(&self, session: &mut Map<String, Value>) -> bool;

    /// A word that is in the text of every session with something that page scripts must not read.
    fn secret_word(&self) -> &'static str;

    /// Whether the upstream shows a token that is no session token as this session.
    fn is_no_session(&self, session: &RawSession) -> bool;

    /// The id of the user, if the upstream puts it beside the user.
    fn user_id<'s>(&self, session: &'s RawSession) -> Option<&'s Value>;

    /// Whether each session names its user by the id that the upstream knows the user by.
    fn names_user_in_session(&self) -> bool {
        false
    }

    /// What the upstream says of the session besides the user, for the claim `session`.
    fn session_claim<'s>(&self, _: &'s RawSession) -> Option<&'s Value> {
        None
    }

    /// When the visitor signed in, if the upstream notes that for each session.
    fn signed_in_at<'s>(&self, _: &'s RawSession) -> Option<&'s Value> {
        None
    }

    /// What to change at the upstream, so that its sessions or tokens say when the visitor signed in.
    fn sign_in_time_setting(&self) -> &'static str;

    /// The part of a session token that names the session, in every form in which a client may send the token.
    fn session_part<'t>(&self, token: &'t str) -> &'t str {
        token
    }

    /// How a lookup sends a Bearer token.
    fn sent_bearer(&self) -> SentBearer {
        SentBearer::AsCookie
    }

    /// Whether the upstream joins all cookies whose name begins with the session cookie's.
    fn joins_cookies_by_prefix(&self) -> bool {
        true
    }

    /// Whether the upstream reads `X-Forwarded-For` only if it is one address.
    fn reads_one_address(&self) -> bool {
        false
    }

    /// The first URL in the body of a page that the upstream built with its own origin. `base` is its base path.
    fn url_in_page(&self, page: Page, body: &[u8], base: &str) -> Option<String>;

    /// What to change at the upstream, if the body of a 403 says that it does not trust the `Origin` of the request.
    fn origin_refusal(&self, _: &[u8]) -> Option<&'static str> {
        None
    }

    /// Whether the host of its callbacks is configured at the upstream, whatever the host of a request is.
    fn fixes_callback_host(&self) -> bool {
        false
    }

    /// What to change, so that the provider sends visitors back to this app's host.
    fn callback_host_setting(&self, software: Software) -> &'static str;

    /// What to change at the upstream, so that it builds its URLs with this app's origin.
    fn origin_setting(&self, software: Software) -> &'static str;
}

//! The form of a cookie cache that is signed with a private key of the upstream. It is checked with the public key, so
//! the app needs no secret.

use std::borrow::Borrow;
use std::fmt;
use std::time::Duration;

use auth_proxy_rules::Expected;
use serde::Deserialize;

use super::error::NotUsable;
use super::payload::{CachedPayload, Payload};
use crate::dialect::{CookieCacheMarks, cookie_cache_marks};
use crate::token::json;
use crate::token::jws::Parts;
use crate::token::public_key::PublicKey;
use crate::token::registered::{Demands, Registered};
use crate::token::signed_cookie;

/// Reads cookie caches that are signed with a private key.
pub(crate) struct PublicCookieCache {
    marks: CookieCacheMarks,
    demands: Demands,
}

/// The members of the protected header that must be there beside `alg`.
#[derive(Deserialize)]
struct Header {
    typ: String,
    kid: String,
}

/// The claims that name the user, the session and the upstream.
#[derive(Deserialize)]
struct Names {
    sub: String,
    sid: String,
    iss: String,
}

impl PublicCookieCache {
    /// `issuer` is the `baseURL` of the upstream.
    pub(crate) fn new(issuer: Expected) -> Self {
        let marks = cookie_cache_marks();
        let demands = Demands {
            audience: Expected::Is(marks.audience.to_owned()),
            issuer,
            tolerance: Duration::ZERO,
            must_expire: true,
            refuses_events: true,
        };
        Self { marks, demands }
    }

    /// Like [`CookieCache::open`](super::CookieCache::open). `key` finds a key by its name (`kid`).
    ///
    /// The signature of the session cookie cannot be checked without the secret. Its token must be the one that the
    /// cache names.
    ///
    /// # Errors
    /// Why the upstream must be asked instead. `UnknownKey`, if `key` finds none: it may be new at the upstream.
    pub(crate) fn open<K: Borrow<PublicKey>>(
        &self,
        session_token: &str,
        session_data: &str,
        now: u64,
        key: impl FnOnce(&str) -> Option<K>,
    ) -> Result<CachedPayload, NotUsable> {
        let (token, _) = signed_cookie::split(session_token).ok_or(NotUsable::SessionCookie)?;
        let (parts, kid) = self.parts(session_data)?;
        let key = key(&kid).ok_or(NotUsable::UnknownKey)?;
        let key: &PublicKey = key.borrow();
        parts.check_algorithm(key.algorithm())?;
        let plain = parts.verified(|message, signature| key.verifies(message, signature))?;
        let text = String::from_utf8(plain).map_err(|_| NotUsable::Malformed)?;
        let registered = Registered::read(&text)?;
        let expires_ms = registered.times(self.demands.tolerance).expiry_ms(now)?;
        registered.check(&self.demands)?;
        let Names { sub, sid, iss } = json::object(&text)?;
        let payload = Payload::read(&text, self.marks.version)?;
        if iss.is_empty() {
            return Err(NotUsable::OtherApp);
        }
        if sid != payload.token() {
            return Err(NotUsable::OtherSession);
        }
        if Some(sub.as_str()) != payload.user_id() {
            return Err(NotUsable::OtherUser);
        }
        payload.check(token, expires_ms, now)
    }

    /// The parts of a cache, and the name of its key.
    fn parts<'t>(&self, session_data: &'t str) -> Result<(Parts<'t>, String), NotUsable> {
        super::check_length(session_data)?;
        let parts = Parts::split(session_data)?;
        let Header { typ, kid } = json::object(&parts.header)?;
        if typ != self.marks.typ {
            return Err(NotUsable::Unsupported);
        }
        Ok((parts, kid))
    }
}

impl fmt::Debug for PublicCookieCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicCookieCache(..)")
    }
}

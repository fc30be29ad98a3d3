//! The data in a cookie cache, which is the same in every form: a session, its user and a version.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::date;
use super::error::NotUsable;
use crate::token::json;

/// A session that was read from a cookie cache.
pub(crate) struct CachedPayload {
    /// The session without its token.
    pub(crate) session: Map<String, Value>,
    pub(crate) user: Map<String, Value>,
    /// When the upstream wrote the cache, in milliseconds since the Unix epoch.
    pub(crate) written_ms: f64,
    /// The millisecond since the Unix epoch from which on this is not used: when the cache or the session expires.
    #[cfg_attr(
        not(any(test, feature = "testing")),
        expect(dead_code, reason = "no caller keeps this beyond its request")
    )]
    pub(crate) expires_ms: u64,
}

/// The data of a cookie cache whose signature was checked. Whose it is, and until when it is valid, is not checked yet.
pub(super) struct Payload {
    session: Map<String, Value>,
    user: Map<String, Value>,
    /// The token of the session.
    token: String,
    session_expires_ms: u64,
    written_ms: f64,
}

#[derive(Deserialize)]
struct Members {
    #[serde(deserialize_with = "json::unique")]
    session: Map<String, Value>,
    #[serde(deserialize_with = "json::unique")]
    user: Map<String, Value>,
    #[serde(rename = "updatedAt")]
    written_ms: f64,
    #[serde(default, deserialize_with = "json::some")]
    version: Option<String>,
    /// The expiry in the signed text of the compact form. It is not a member of the data.
    #[serde(default, rename = "expiresAt", deserialize_with = "json::present")]
    expires_at: bool,
}

impl Payload {
    /// Reads the JSON text of the data, and checks its version and the types of the fields that the upstream checks.
    ///
    /// # Errors
    /// `Malformed`, `Version`, `Fields`, `OtherUser`.
    pub(super) fn read(text: &str, version: &str) -> Result<Self, NotUsable> {
        if json::is_too_deep(text) {
            return Err(NotUsable::Malformed);
        }
        let Members { mut session, user, version: found, expires_at, written_ms } = json::object(text)?;
        if expires_at {
            return Err(NotUsable::Malformed);
        }
        if found.is_some_and(|found| found != version) {
            return Err(NotUsable::Version);
        }
        let session_expires_ms = check_fields(&session, &user).ok_or(NotUsable::Fields)?;
        if session.get("userId") != user.get("id") {
            return Err(NotUsable::OtherUser);
        }
        let Some(Value::String(token)) = session.remove("token") else { return Err(NotUsable::Fields) };
        Ok(Self { session, user, token, session_expires_ms, written_ms })
    }

    /// The token of the session.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The id of the user.
    pub(super) fn user_id(&self) -> Option<&str> {
        self.user.get("id").and_then(Value::as_str)
    }

    /// Checks that this is the session with this token, and that it is valid at `now`. `expires_ms` is the expiry of the
    /// cache. Both are milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// `OtherSession`, `Expired`, `SessionExpired`.
    pub(super) fn check(self, token: &str, expires_ms: u64, now: u64) -> Result<CachedPayload, NotUsable> {
        if verify_slices_are_equal(self.token.as_bytes(), token.as_bytes()).is_err() {
            return Err(NotUsable::OtherSession);
        }
        if expires_ms <= now {
            return Err(NotUsable::Expired);
        }
        if self.session_expires_ms <= now {
            return Err(NotUsable::SessionExpired);
        }
        let expires_ms = expires_ms.min(self.session_expires_ms);
        let Self { session, user, written_ms, .. } = self;
        Ok(CachedPayload { session, user, written_ms, expires_ms })
    }
}

/// Checks the fields as the upstream does (`docs/better-auth.md#cookie-cache`). Returns the expiry of the session.
fn check_fields(session: &Map<String, Value>, user: &Map<String, Value>) -> Option<u64> {
    for (object, names) in [(session, &["id", "userId", "token"][..]), (user, &["id"])] {
        for name in names {
            text(object.get(*name)?).filter(|text| !text.is_empty())?;
        }
    }
    for name in ["email", "name"] {
        text(user.get(name)?)?;
    }
    for object in [session, user] {
        for name in ["createdAt", "updatedAt"] {
            object.get(name).map_or(Some(()), |value| time(value).map(|_| ()))?;
        }
    }
    for (object, name) in [(session, "ipAddress"), (session, "userAgent"), (user, "image")] {
        object
            .get(name)
            .filter(|value| !value.is_null())
            .map_or(Some(()), |value| text(value).map(|_| ()))?;
    }
    user.get("emailVerified").map_or(Some(()), |value| value.as_bool().map(|_| ()))?;
    time(session.get("expiresAt")?)
}

/// A string. The upstream reads one that looks like a date as a date, and then refuses it as a string.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !date::looks_like_one(text))
}

fn time(value: &Value) -> Option<u64> {
    date::millis(value.as_str()?)
}

//! Logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.4): reads one whose signature was checked.

use auth_proxy_rules::Expected;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::TokenError;
use super::registered::{Demands, Registered};
use super::verified::seconds;
use super::{event, json};
use crate::error::{AuthError, Reason};
use crate::revocation;

/// A logout token that passed the checks of section 2.6.
pub(crate) struct LogoutToken {
    /// The name of the token.
    pub(crate) jti: String,
    pub(crate) ended: Ended,
    /// When it was issued, in seconds since the Unix epoch.
    pub(crate) issued_at: u64,
}

/// What a logout token ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The session with this `sid`. It counts alone if the token has a `sub` too: without a `sid`, all sessions of the
    /// user are meant (section 2.4), so with one they are not.
    Session(String),
    /// All sessions of the user with this `sub`.
    Subject(String),
}

/// Why a logout token is refused. Contains no part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogoutError {
    /// The text does not have the parts, the encoding or the JSON of a signed token.
    Malformed,
    /// Its `typ` is that of another token, or its algorithm is not that of the key.
    Unsupported,
    /// No published key made its signature.
    Untrusted,
    Issuer,
    Audience,
    Expired,
    /// Its `iat` is too long ago, or too far in the future.
    Late,
    /// A claim is missing, or one is there that a logout token must not have. The text names it.
    NotALogout(&'static str),
}

/// The claims of a logout token that other tokens do not have, or need not have.
#[derive(Deserialize)]
struct Claims<'t> {
    #[serde(default, deserialize_with = "json::some")]
    jti: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    sub: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    sid: Option<String>,
    #[serde(default, deserialize_with = "json::some", borrow)]
    events: Option<&'t RawValue>,
    #[serde(default, deserialize_with = "json::present")]
    nonce: bool,
}

impl LogoutToken {
    /// Reads the payload of a token that the issuer signed, and checks it at `now` (seconds since the Unix epoch).
    ///
    /// # Errors
    /// Why the token is refused.
    pub(super) fn read(payload: Vec<u8>, demands: &Demands, now: u64) -> Result<Self, LogoutError> {
        let text = String::from_utf8(payload).map_err(|_| LogoutError::Malformed)?;
        let registered = Registered::read(&text)?;
        let claims: Claims<'_> = json::object(&text)?;
        // Unreachable: the rules require both, so that a token for another app ends no session here.
        if [&demands.issuer, &demands.audience].contains(&&Expected::Any) {
            return Err(LogoutError::Unsupported);
        }
        registered.check_parties(demands)?;
        registered.times(demands.tolerance).check(now)?;
        if !registered.has_expiry() {
            return Err(LogoutError::NotALogout("it has no `exp`"));
        }
        let issued_at = registered.issued_at().ok_or(LogoutError::NotALogout("it has no `iat`"))?;
        let issued_at = seconds(issued_at);
        if !revocation::is_recent(issued_at, now) {
            return Err(LogoutError::Late);
        }
        if !claims.events.is_some_and(event::is_a_logout) {
            return Err(LogoutError::NotALogout("`events` has no object for the logout"));
        }
        // An ID token has a nonce, and must not be taken for a logout token (section 2.4).
        if claims.nonce {
            return Err(LogoutError::NotALogout("it has a `nonce`"));
        }
        if [&claims.jti, &claims.sub, &claims.sid].into_iter().flatten().any(String::is_empty) {
            return Err(LogoutError::NotALogout("its `jti`, `sub` or `sid` is empty"));
        }
        let jti = claims.jti.ok_or(LogoutError::NotALogout("it has no `jti`"))?;
        let ended = match (claims.sid, claims.sub) {
            (Some(sid), _) => Ended::Session(sid),
            (None, Some(sub)) => Ended::Subject(sub),
            (None, None) => return Err(LogoutError::NotALogout("it has neither `sub` nor `sid`")),
        };
        Ok(Self { jti, ended, issued_at })
    }
}

impl From<TokenError> for LogoutError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Malformed => Self::Malformed,
            TokenError::Tampered | TokenError::UnknownKey => Self::Untrusted,
            TokenError::Expired => Self::Expired,
            TokenError::NotYetValid => Self::Late,
            TokenError::NotASession => Self::NotALogout("it names no user"),
            TokenError::Audience => Self::Audience,
            TokenError::Issuer => Self::Issuer,
            TokenError::Unsupported => Self::Unsupported,
        }
    }
}

impl From<LogoutError> for AuthError {
    fn from(error: LogoutError) -> Self {
        let reason = match error {
            LogoutError::Malformed => Reason::LOGOUT_TOKEN_MALFORMED,
            LogoutError::Unsupported => Reason::LOGOUT_TOKEN_UNSUPPORTED,
            LogoutError::Untrusted => Reason::LOGOUT_TOKEN_UNTRUSTED,
            LogoutError::Issuer => Reason::LOGOUT_TOKEN_WRONG_ISSUER,
            LogoutError::Audience => Reason::LOGOUT_TOKEN_WRONG_AUDIENCE,
            LogoutError::Expired => Reason::LOGOUT_TOKEN_EXPIRED,
            LogoutError::Late => Reason::LOGOUT_TOKEN_LATE,
            LogoutError::NotALogout(why) => return Self::new(Reason::LOGOUT_TOKEN_INVALID).because(why),
        };
        Self::new(reason)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn read(changed: &Value) -> Result<(Ended, u64), LogoutError> {
        let is = |text: &str| Expected::Is(text.to_owned());
        let tolerance = Duration::from_secs(15);
        let demands = Demands { audience: is("app"), issuer: is("op"), tolerance, ..Demands::NONE };
        let mut claims = json!({
            "iss": "op", "aud": "app", "iat": NOW, "exp": NOW + 120, "jti": "1", "sub": "ada", "sid": "s",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| value != "absent");
        let token = LogoutToken::read(claims.to_string().into_bytes(), &demands, NOW)?;
        Ok((token.ended, token.issued_at))
    }

    #[test]
    fn sid_counts_before_sub() {
        let (session, subject) = (Ended::Session("s".to_owned()), Ended::Subject("ada".to_owned()));
        assert_eq!(read(&json!({})), Ok((session, NOW)));
        assert_eq!(read(&json!({ "sid": "absent" })), Ok((subject, NOW)));
        assert_eq!(read(&json!({ "sub": "absent" })).unwrap().0, Ended::Session("s".to_owned()));
    }

    #[test]
    fn times_are_checked_at_the_second() {
        for (claims, expected) in [
            (json!({ "iat": NOW - 300 }), Ok(NOW - 300)),
            (json!({ "iat": NOW - 301 }), Err(LogoutError::Late)),
            (json!({ "iat": NOW + 300 }), Ok(NOW + 300)),
            (json!({ "iat": NOW + 301 }), Err(LogoutError::Late)),
            (json!({ "iat": 1_799_999_999.75 }), Ok(NOW - 1)),
            (json!({ "iat": -1 }), Err(LogoutError::Late)),
            (json!({ "iat": 1e300 }), Err(LogoutError::Late)),
            (json!({ "exp": NOW - 14 }), Ok(NOW)),
            (json!({ "exp": NOW - 15 }), Err(LogoutError::Expired)),
            (json!({ "nbf": NOW + 16 }), Err(LogoutError::Late)),
        ] {
            assert_eq!(read(&claims).map(|(_, at)| at), expected, "{claims}");
        }
    }

    #[test]
    fn configuration_without_issuer_or_audience_accepts_none() {
        let demands =
            Demands { audience: Expected::Any, issuer: Expected::Is("op".to_owned()), ..Demands::NONE };
        for demands in [demands, Demands::NONE] {
            assert_eq!(
                LogoutToken::read(b"{}".to_vec(), &demands, NOW).err(),
                Some(LogoutError::Unsupported)
            );
        }
    }
}

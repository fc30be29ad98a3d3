//! The registered claims (RFC 7519, section 4.1): whether a token is a session for this app, and when it is valid.

use std::time::Duration;

use auth_proxy_rules::Expected;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::TokenError;
use super::{event, json};

/// By how much the clocks of two machines may differ (`docs/authjs.md#token-decode`).
pub(crate) const TOLERANCE: Duration = Duration::from_secs(15);

/// What the registered claims of a token must be.
#[derive(Clone, Debug)]
pub(crate) struct Demands {
    pub(crate) audience: Expected,
    pub(crate) issuer: Expected,
    /// By how much the clocks of the issuer and of this app may differ.
    pub(crate) tolerance: Duration,
    /// Whether a token must have an `exp`.
    pub(crate) must_expire: bool,
    /// Whether every token with a claim `events` is refused: the key signs security events too. Otherwise only logout
    /// tokens are, because an app may have a claim of this name.
    pub(crate) refuses_events: bool,
}

impl Demands {
    /// Any audience and any issuer.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) const NONE: Self = Self {
        audience: Expected::Any,
        issuer: Expected::Any,
        tolerance: TOLERANCE,
        must_expire: false,
        refuses_events: false,
    };
}

/// The claims that decide whether a token is a session and when it is valid. All other claims are skipped unread.
#[derive(Deserialize)]
pub(super) struct Registered<'t> {
    #[serde(default, deserialize_with = "json::some")]
    exp: Option<f64>,
    #[serde(default, deserialize_with = "json::some")]
    nbf: Option<f64>,
    /// Must be a number if present (`docs/authjs.md#token-times`). It does not decide whether a token is a session.
    #[serde(default, deserialize_with = "json::some")]
    iat: Option<f64>,
    #[serde(default, deserialize_with = "json::is_readable")]
    sub: bool,
    /// This claim and the next must be readable and occur once: a token without readable names could not be revoked by them.
    #[serde(default, deserialize_with = "json::is_readable", rename = "jti")]
    _jti: bool,
    #[serde(default, deserialize_with = "json::is_readable", rename = "sid")]
    _sid: bool,
    #[serde(default, deserialize_with = "json::is_text_or_number")]
    name: bool,
    #[serde(default, deserialize_with = "json::is_text_or_number")]
    email: bool,
    #[serde(default, borrow)]
    aud: Option<&'t RawValue>,
    #[serde(default, borrow)]
    iss: Option<&'t RawValue>,
    #[serde(default, deserialize_with = "json::some", borrow)]
    events: Option<&'t RawValue>,
}

impl<'t> Registered<'t> {
    /// Reads the registered claims from the JSON text of all claims (RFC 7519, section 4).
    ///
    /// # Errors
    /// `Malformed`, if the text is not a JSON object, a time is not a number, a claim that is read occurs twice, the names of
    /// the token cannot be read ([`Names`](super::verified::Names)), or the nesting is too deep.
    pub(super) fn read(claims: &'t str) -> Result<Self, TokenError> {
        if json::is_too_deep(claims) {
            return Err(TokenError::Malformed);
        }
        json::object(claims)
    }

    /// The times between which the token is valid.
    pub(super) fn times(&self, tolerance: Duration) -> Times {
        Times { exp: self.exp, nbf: self.nbf, tolerance: tolerance.as_secs_f64() }
    }

    /// Whether the token says when it expires.
    pub(super) fn has_expiry(&self) -> bool {
        self.exp.is_some()
    }

    /// When the token was issued, in seconds since the Unix epoch.
    pub(super) fn issued_at(&self) -> Option<f64> {
        self.iat
    }

    /// Checks that this is a session token, and one for this app.
    ///
    /// The same key protects other tokens: next-auth before 4.24.5 encrypts the state of a sign-in with it
    /// (`docs/authjs.md#token-v4-state`), and every visitor who starts a sign-in gets one. Only a session names a user. An
    /// issuer signs logout tokens and other security events with the keys of its access tokens, and they name a user.
    ///
    /// # Errors
    /// `NotASession`, if the token has no `sub`, `name` or `email`, or is a security event. `Audience` or `Issuer`, if that
    /// claim does not match. `Malformed`, if a required `exp` is missing.
    pub(super) fn check(&self, demands: &Demands) -> Result<(), TokenError> {
        if demands.must_expire && self.exp.is_none() {
            return Err(TokenError::Malformed);
        }
        let is_event =
            self.events.is_some_and(|events| demands.refuses_events || event::names_a_logout(events));
        if is_event || !(self.sub || self.name || self.email) {
            return Err(TokenError::NotASession);
        }
        self.check_parties(demands)
    }

    /// Checks for whom the token is, and of whom.
    ///
    /// # Errors
    /// `Audience`, `Issuer`.
    pub(super) fn check_parties(&self, demands: &Demands) -> Result<(), TokenError> {
        let matches = |claim: Option<&RawValue>, expected: &str| {
            claim.is_some_and(|claim| match serde_json::from_str(claim.get()) {
                Ok(OneOrMany::One(text)) => text == expected,
                Ok(OneOrMany::Many(texts)) => texts.iter().any(|text| text == expected),
                Err(_) => false,
            })
        };
        if let Expected::Is(audience) = &demands.audience
            && !matches(self.aud, audience)
        {
            return Err(TokenError::Audience);
        }
        match &demands.issuer {
            // An issuer is one string (RFC 7519, section 4.1.1).
            Expected::Is(issuer)
                if self.iss.is_none_or(|iss| iss.get().starts_with('[')) || !matches(self.iss, issuer) =>
            {
                Err(TokenError::Issuer)
            }
            _ => Ok(()),
        }
    }
}

/// `aud` is one string or several (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// The time for which a token is valid, in seconds since the Unix epoch. Fractions are allowed.
#[derive(Clone, Copy)]
pub(super) struct Times {
    exp: Option<f64>,
    nbf: Option<f64>,
    /// In seconds.
    tolerance: f64,
}

impl Times {
    /// Valid now and always.
    #[cfg(feature = "testing")]
    pub(super) const ALWAYS: Self = Self { exp: None, nbf: None, tolerance: 0.0 };

    /// Checks that a token with these times is valid at `now` (`docs/authjs.md#token-times`). Without `exp`, it does
    /// not expire.
    ///
    /// # Errors
    /// `NotYetValid`, `Expired`.
    pub(super) fn check(&self, now: u64) -> Result<(), TokenError> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds fit the 53 bits of a double for the next 285 million years"
        )]
        let now = now as f64;
        if self.nbf.is_some_and(|nbf| nbf > now + self.tolerance) {
            return Err(TokenError::NotYetValid);
        }
        if self.exp.is_some_and(|exp| exp <= now - self.tolerance) {
            return Err(TokenError::Expired);
        }
        Ok(())
    }

    /// The millisecond from which on a token is invalid that must expire. `now` is in milliseconds, and there is no
    /// tolerance.
    ///
    /// # Errors
    /// `Malformed` without `exp`. `NotYetValid`.
    pub(super) fn expiry_ms(&self, now: u64) -> Result<u64, TokenError> {
        if self.nbf.is_some_and(|nbf| ms(nbf) > now) {
            return Err(TokenError::NotYetValid);
        }
        self.exp.map(ms).ok_or(TokenError::Malformed)
    }
}

/// Seconds as whole milliseconds. A negative number is 0, and one that is too large is the largest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the conversion is saturating")]
fn ms(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::token::verified::Names;

    fn at_1000(claims: &Value) -> Result<(), TokenError> {
        Registered::read(&claims.to_string())?.times(TOLERANCE).check(1000)
    }

    #[test]
    fn token_times_are_checked_with_a_tolerance_of_15_seconds() {
        for (claims, expected) in [
            (json!({"exp": 986}), Ok(())),
            (json!({"exp": 985.5}), Ok(())),
            (json!({"exp": 985}), Err(TokenError::Expired)),
            (json!({"exp": 985.0}), Err(TokenError::Expired)),
            (json!({"exp": -1}), Err(TokenError::Expired)),
            (json!({"exp": 1e300}), Ok(())),
            (json!({"nbf": 1015}), Ok(())),
            (json!({"nbf": 1015.001}), Err(TokenError::NotYetValid)),
            (json!({"nbf": 1016}), Err(TokenError::NotYetValid)),
            (json!({"nbf": 1016, "exp": 1}), Err(TokenError::NotYetValid)),
            (json!({"iat": 9000}), Ok(())),
            (json!({}), Ok(())),
        ] {
            assert_eq!(at_1000(&claims), expected, "{claims}");
        }
    }

    #[test]
    fn token_times_must_be_numbers() {
        for name in ["exp", "nbf", "iat"] {
            for value in [json!("2000"), json!(null), json!(true), json!([2000]), json!({})] {
                let claims = json!({ name: value });
                assert_eq!(at_1000(&claims), Err(TokenError::Malformed), "{claims}");
            }
        }
    }

    #[test]
    fn claims_must_be_an_object_with_unique_times() {
        for text in ["", "[]", "[2000]", "null", "1", "\"a\"", "{", "{}x", r#"{"exp":2000,"exp":1}"#] {
            assert_eq!(Registered::read(text).err(), Some(TokenError::Malformed), "{text}");
        }
        assert_eq!(
            Registered::read(" \n{ \"\\u0065xp\": 1 }").unwrap().times(TOLERANCE).check(1000),
            Err(TokenError::Expired)
        );
    }

    fn checked(claims: &Value, demands: &Demands) -> Result<(), TokenError> {
        Registered::read(&claims.to_string())?.check(demands)
    }

    /// The first case is the state cookie of next-auth before 4.24.5.
    #[test]
    fn token_without_a_user_is_no_session() {
        for claims in [
            json!({"state": "x", "iat": 1, "exp": 2, "jti": "x"}),
            json!({"value": "x"}),
            json!({"sub": null, "name": "", "email": null}),
            json!({"sub": [], "name": {}, "email": true}),
            json!({"user": {"name": "Ada"}}),
            json!({}),
        ] {
            assert_eq!(checked(&claims, &Demands::NONE), Err(TokenError::NotASession), "{claims}");
        }
        for claims in
            [json!({"sub": "1"}), json!({"sub": 1}), json!({"name": "Ada"}), json!({"email": "a@b.c"})]
        {
            assert_eq!(checked(&claims, &Demands::NONE), Ok(()), "{claims}");
        }
    }

    #[test]
    fn security_event_is_no_session() {
        const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
        let logout = json!({ LOGOUT: {} });
        let signed = Demands { refuses_events: true, ..Demands::NONE };
        let events = |events: &Value| json!({ "sub": "1", "events": events });
        for demands in [&signed, &Demands::NONE] {
            for events in [events(&logout), events(&json!({ LOGOUT: null, "other": 1 }))] {
                assert_eq!(checked(&events, demands), Err(TokenError::NotASession), "{events}");
            }
        }
        // An app's own claim of this name, in a token that no issuer of events made.
        for own in [json!(["a"]), json!({ "a": 1 }), json!(null), json!(LOGOUT), json!([LOGOUT])] {
            assert_eq!(checked(&events(&own), &Demands::NONE), Ok(()), "{own}");
            assert_eq!(checked(&events(&own), &signed), Err(TokenError::NotASession), "{own}");
        }
    }

    #[test]
    fn audience_and_issuer_must_match_the_configured_ones() {
        let is = |text: &str| Expected::Is(text.to_owned());
        let demands =
            Demands { audience: is("app"), issuer: is("https://auth.example.com"), ..Demands::NONE };
        let with = |aud: Value, iss: Value| json!({"sub": "1", "aud": aud, "iss": iss});
        let iss = json!("https://auth.example.com");
        for aud in [json!("app"), json!(["other", "app"])] {
            assert_eq!(checked(&with(aud, iss.clone()), &demands), Ok(()));
        }
        for aud in [
            json!("App"),
            json!("apps"),
            json!([]),
            json!(["other"]),
            json!(null),
            json!(1),
            json!({"app": 1}),
        ] {
            assert_eq!(
                checked(&with(aud.clone(), iss.clone()), &demands),
                Err(TokenError::Audience),
                "{aud}"
            );
        }
        for iss in
            [json!("https://auth.example.com/"), json!(null), json!(["https://auth.example.com"]), json!(1)]
        {
            assert_eq!(checked(&with(json!("app"), iss.clone()), &demands), Err(TokenError::Issuer), "{iss}");
        }
        assert_eq!(checked(&json!({"sub": "1"}), &demands), Err(TokenError::Audience));
        assert_eq!(checked(&json!({"sub": "1", "aud": 1, "iss": []}), &Demands::NONE), Ok(()));
    }

    /// `Names` reads them later, and has no error to return then.
    #[test]
    fn names_of_accepted_claims_can_be_read() {
        let values = [
            "1",
            "-0.5",
            "1e308",
            "1e999",
            "\"a\"",
            "\"\"",
            "null",
            "true",
            "[]",
            "[1e999]",
            "{\"a\":[1e999]}",
            "{\"a\":1}",
            // serde_json's own names of a raw value and of a number.
            "{\"$serde_json::private::RawValue\":1}",
            "{\"$serde_json::private::Number\":1}",
        ];
        for name in ["sub", "jti", "sid", "iat", "exp"] {
            for value in values {
                let once = format!("{{\"{name}\":{value},\"name\":\"Ada\"}}");
                let is_read = Registered::read(&once).is_ok();
                assert_eq!(Names::read(&once).is_ok(), is_read, "{once}");
                assert!(!is_read || value != "1e999", "{once}");
                let twice = format!("{{\"{name}\":{value},\"{name}\":{value}}}");
                assert!(Registered::read(&twice).is_err(), "{twice}");
            }
        }
    }

    #[test]
    fn claims_nested_too_deep_are_malformed() {
        let nested =
            |levels: usize| format!(r#"{{"sub":"1","a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(Registered::read(&nested(json::MAX_DEPTH - 1)).is_ok());
        for levels in [json::MAX_DEPTH, 127, 200, 100_000] {
            assert_eq!(Registered::read(&nested(levels)).err(), Some(TokenError::Malformed), "{levels}");
        }
        // Siblings, and brackets inside of strings, do not add to the depth.
        let flat = format!(
            r#"{{"sub":"1","a":[{}[]],"b":"{}\"{}"}}"#,
            "{},".repeat(500),
            "[".repeat(200),
            "{".repeat(200)
        );
        assert!(Registered::read(&flat).is_ok());
    }
}

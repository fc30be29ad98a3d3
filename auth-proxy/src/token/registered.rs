use auth_proxy_rules::Expected;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::TokenError;
use super::json;

/// Seconds by which the clocks of two machines may differ (`core/jwt.ts`: `clockTolerance: 15`).
const TOLERANCE: f64 = 15.0;

/// How deep a claims set may be nested. serde_json reads 128 levels and no more: without a bound here, a token beyond
/// that would pass a guard and fail where its claims are read.
const DEEPEST: usize = 64;

/// What a token must say to be a session here, besides being genuine.
#[derive(Clone, Debug)]
pub(crate) struct Demands {
    pub(crate) audience: Expected,
    pub(crate) issuer: Expected,
}

impl Demands {
    /// Whatever a token says.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) const NONE: Self = Self { audience: Expected::Any, issuer: Expected::Any };
}

/// The registered claims (RFC 7519, section 4.1) that decide whether a token is a session, and when it is good. The
/// others are passed over without being taken apart.
#[derive(Deserialize)]
pub(super) struct Registered<'t> {
    #[serde(default, deserialize_with = "json::some")]
    exp: Option<f64>,
    #[serde(default, deserialize_with = "json::some")]
    nbf: Option<f64>,
    /// Must be a number, as in jose (`lib/jwt_claims_set.ts`); it decides nothing.
    #[serde(default, deserialize_with = "json::some", rename = "iat")]
    _iat: Option<f64>,
    #[serde(default, deserialize_with = "json::says_something")]
    sub: bool,
    #[serde(default, deserialize_with = "json::says_something")]
    name: bool,
    #[serde(default, deserialize_with = "json::says_something")]
    email: bool,
    #[serde(default, borrow)]
    aud: Option<&'t RawValue>,
    #[serde(default, borrow)]
    iss: Option<&'t RawValue>,
}

impl<'t> Registered<'t> {
    /// Reads them of a claims set (RFC 7519, section 4).
    ///
    /// # Errors
    /// `Malformed`.
    pub(super) fn of(claims: &'t str) -> Result<Self, TokenError> {
        if is_deeper_than(claims, DEEPEST) {
            return Err(TokenError::Malformed);
        }
        json::object(claims)
    }

    /// When the token is good.
    pub(super) fn times(&self) -> Times {
        Times { exp: self.exp, nbf: self.nbf }
    }

    /// Checks that it is the token of a session, and one for this app.
    ///
    /// Other tokens are made under the same key: next-auth before 4.24.5 encrypts the state of a sign-in so, which
    /// anybody gets who begins one (GHSA-v64w-49xw-qq89). A session says whose it is.
    ///
    /// # Errors
    /// `NotASession`, `Audience`, `Issuer`.
    pub(super) fn check(&self, demands: &Demands) -> Result<(), TokenError> {
        if !(self.sub || self.name || self.email) {
            return Err(TokenError::NotASession);
        }
        let says = |claim: Option<&RawValue>, expected: &str| {
            claim.is_some_and(|claim| match serde_json::from_str(claim.get()) {
                Ok(OneOrMany::One(text)) => text == expected,
                Ok(OneOrMany::Many(texts)) => texts.iter().any(|text| text == expected),
                Err(_) => false,
            })
        };
        if let Expected::Is(audience) = &demands.audience
            && !says(self.aud, audience)
        {
            return Err(TokenError::Audience);
        }
        match &demands.issuer {
            // An issuer is one string (RFC 7519, section 4.1.1).
            Expected::Is(issuer)
                if self.iss.is_none_or(|iss| iss.get().starts_with('[')) || !says(self.iss, issuer) =>
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

/// When a token is good. Fractions of seconds are allowed.
#[derive(Clone, Copy)]
pub(super) struct Times {
    exp: Option<f64>,
    nbf: Option<f64>,
}

impl Times {
    /// Checks that a token with these times is good at `now`. One without `exp` does not expire.
    pub(super) fn check(&self, now: u64) -> Result<(), TokenError> {
        // Seconds fit the 53 bits of a double for the next 285 million years.
        #[expect(clippy::cast_precision_loss)]
        let now = now as f64;
        if self.nbf.is_some_and(|nbf| nbf > now + TOLERANCE) {
            return Err(TokenError::NotYetValid);
        }
        if self.exp.is_some_and(|exp| exp <= now - TOLERANCE) {
            return Err(TokenError::Expired);
        }
        Ok(())
    }
}

/// Whether arrays and objects of a JSON text are nested deeper than this. What is no JSON is refused elsewhere.
fn is_deeper_than(json: &str, most: usize) -> bool {
    let opens = |byte: &u8| matches!(byte, b'{' | b'[');
    // Nothing can be nested deeper than as many as there are: most tokens have few, and are not read byte by byte.
    if json.bytes().filter(opens).count() <= most {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if opens(&byte) {
            depth += 1;
            if depth > most {
                return true;
            }
        } else if matches!(byte, b'}' | b']') {
            depth = depth.saturating_sub(1);
        } else {
            in_string = byte == b'"';
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at_1000(claims: &Value) -> Result<(), TokenError> {
        Registered::of(&claims.to_string())?.times().check(1000)
    }

    #[test]
    fn the_edges_of_the_tolerance() {
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
    fn only_numbers_are_times() {
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
            assert_eq!(Registered::of(text).err(), Some(TokenError::Malformed), "{text}");
        }
        assert_eq!(
            Registered::of(" \n{ \"\\u0065xp\": 1 }").unwrap().times().check(1000),
            Err(TokenError::Expired)
        );
    }

    fn checked(claims: &Value, demands: &Demands) -> Result<(), TokenError> {
        Registered::of(&claims.to_string())?.check(demands)
    }

    /// The claims of the state cookie of next-auth before 4.24.5, and others that name nobody.
    #[test]
    fn a_session_says_whose_it_is() {
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
    fn audience_and_issuer_are_those_that_were_asked_for() {
        let is = |text: &str| Expected::Is(text.to_owned());
        let demands = Demands { audience: is("app"), issuer: is("https://auth.example.com") };
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

    #[test]
    fn claims_that_are_nested_too_deep_are_refused_at_once() {
        let nested =
            |levels: usize| format!(r#"{{"sub":"1","a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(Registered::of(&nested(DEEPEST - 1)).is_ok());
        for levels in [DEEPEST, 127, 200, 100_000] {
            assert_eq!(Registered::of(&nested(levels)).err(), Some(TokenError::Malformed), "{levels}");
        }
        // Many beside one another are none within one another, and what stands in a string is text.
        let flat = format!(
            r#"{{"sub":"1","a":[{}[]],"b":"{}\"{}"}}"#,
            "{},".repeat(500),
            "[".repeat(200),
            "{".repeat(200)
        );
        assert!(Registered::of(&flat).is_ok());
    }
}

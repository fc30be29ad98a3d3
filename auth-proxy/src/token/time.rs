use serde::Deserialize;

use super::error::TokenError;
use super::json;

/// Seconds by which the clocks of two machines may differ (`core/jwt.ts`: `clockTolerance: 15`).
const TOLERANCE: f64 = 15.0;

/// The claims that say when a token is good: numbers when present, fractions allowed, as in jose
/// (`lib/jwt_claims_set.ts`). The others are passed over without being taken apart.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Times {
    #[serde(default, deserialize_with = "json::some")]
    exp: Option<f64>,
    #[serde(default, deserialize_with = "json::some")]
    nbf: Option<f64>,
    /// Must be a number; it decides nothing.
    #[serde(default, deserialize_with = "json::some", rename = "iat")]
    _iat: Option<f64>,
}

impl Times {
    /// Reads them of a claims set (RFC 7519, section 4), and nothing else of it.
    pub(super) fn of(claims: &str) -> Result<Self, TokenError> {
        json::object(claims)
    }

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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at_1000(claims: &Value) -> Result<(), TokenError> {
        Times::of(&claims.to_string())?.check(1000)
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
    fn a_claims_set_is_an_object_without_two_minds_on_time() {
        for text in ["", "[]", "[2000]", "null", "1", "\"a\"", "{", "{}x", r#"{"exp":2000,"exp":1}"#] {
            assert_eq!(Times::of(text).err(), Some(TokenError::Malformed), "{text}");
        }
        assert_eq!(Times::of(" \n{ \"\\u0065xp\": 1 }").unwrap().check(1000), Err(TokenError::Expired));
    }
}

use serde_json::{Map, Value};

use super::error::TokenError;

/// Seconds by which the clocks of two machines may differ (`core/jwt.ts`: `clockTolerance: 15`).
const TOLERANCE: f64 = 15.0;

/// Checks `exp`, `nbf` and `iat` as jose does (`lib/jwt_claims_set.ts`): numbers when present,
/// fractions allowed, and a token without `exp` does not expire.
pub(super) fn check(claims: &Map<String, Value>, now: u64) -> Result<(), TokenError> {
    // Seconds fit the 53 bits of a double for the next 285 million years.
    #[expect(clippy::cast_precision_loss)]
    let now = now as f64;
    if let Some(nbf) = number(claims, "nbf")?
        && nbf > now + TOLERANCE
    {
        return Err(TokenError::NotYetValid);
    }
    if let Some(exp) = number(claims, "exp")?
        && exp <= now - TOLERANCE
    {
        return Err(TokenError::Expired);
    }
    number(claims, "iat").map(drop)
}

fn number(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => number.as_f64().map(Some).ok_or(TokenError::Malformed),
        Some(_) => Err(TokenError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at_1000(claims: Value) -> Result<(), TokenError> {
        let Value::Object(claims) = claims else { unreachable!() };
        check(&claims, 1000)
    }

    #[test]
    fn the_edges_of_the_tolerance() {
        assert_eq!(at_1000(json!({"exp": 986})), Ok(()));
        assert_eq!(at_1000(json!({"exp": 985.5})), Ok(()));
        assert_eq!(at_1000(json!({"exp": 985})), Err(TokenError::Expired));
        assert_eq!(at_1000(json!({"nbf": 1015})), Ok(()));
        assert_eq!(at_1000(json!({"nbf": 1016})), Err(TokenError::NotYetValid));
        assert_eq!(at_1000(json!({})), Ok(()));
        assert_eq!(at_1000(json!({"exp": -1})), Err(TokenError::Expired));
    }

    #[test]
    fn only_numbers_are_times() {
        for name in ["exp", "nbf", "iat"] {
            for value in [json!("2000"), json!(null), json!(true), json!([2000])] {
                assert_eq!(at_1000(json!({ name: value })), Err(TokenError::Malformed));
            }
        }
    }
}

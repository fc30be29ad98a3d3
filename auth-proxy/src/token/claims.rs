//! The default type for the claims of a token.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The default claims of a token: those that Auth.js sets, and all others in `extra`.
///
/// `Debug` prints the subject, the expiry and the names of the extra claims, not their values.
///
/// ```
/// use auth_proxy::{Token, auth_proxy};
///
/// auth_proxy! { struct Auth { upstream: { base_url: env("URL"), secret: env("AUTH_SECRET") } } }
///
/// async fn plan(token: Token<Auth>) -> String {
///     token.extra.get("plan").and_then(|plan| plan.as_str()).unwrap_or("free").to_owned()
/// }
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Every other claim: `iat`, `exp` and `jti` (RFC 7519, section 4.1), and the app's own.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("sub", &self.sub)
            .field("exp", &self.extra.get("exp"))
            .field("extra", &self.extra.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, from_value, json, to_value};

    use super::*;

    #[test]
    fn unknown_claims_are_kept_in_extra_and_serialised_again() {
        let set = json!({
            "sub": "1", "name": null, "email": "ada@example.com", "role": "admin", "exp": 4_102_444_800_u64,
            "user": { "name": "Ada" }, "": [],
        });
        let claims: Claims = from_value(set.clone()).unwrap();
        assert_eq!(claims.sub.as_deref(), Some("1"));
        assert_eq!((claims.name.as_ref(), claims.picture.as_ref()), (None, None));
        assert_eq!(claims.extra.len(), 4);
        assert_eq!(from_str::<Claims>(&set.to_string()).unwrap(), claims);
        let Value::Object(mut expected) = set else { unreachable!() };
        expected.remove("name");
        assert_eq!(to_value(&claims).unwrap(), Value::Object(expected));
        assert_eq!(from_str::<Claims>("{}").unwrap(), Claims::default());
    }

    #[test]
    fn claim_of_wrong_type_or_sent_twice_is_named_in_the_error() {
        for (set, message) in [
            (r#"{"sub":1}"#, "invalid type: integer `1`, expected a string"),
            (r#"{"sub":"1","sub":"2"}"#, "duplicate field `sub`"),
            (r#"{"picture":null,"picture":null}"#, "duplicate field `picture`"),
            ("[]", "invalid type: sequence, expected struct Claims"),
        ] {
            let error = from_str::<Claims>(set).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}

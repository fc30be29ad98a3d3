//! Tokens made by hand for tests, and their decoding.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_proxy_rules::TokenFormat;
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::token::{Decoder, Demands, encrypt};

/// A session token as Auth.js v5 issues it (`docs/authjs.md#token-issue`): JWE, `dir`, A256CBC-HS512, with `kid`.
///
/// The claims are used as they are. Set `exp` (seconds since the Unix epoch) to make the token expire.
///
/// # Panics
/// When the claims do not serialise to a JSON object, or the cryptography fails. This is a tool for tests.
#[must_use]
#[track_caller]
pub fn mint(claims: &impl Serialize, secret: &str, cookie_name: &str) -> String {
    encrypt::encrypt_v5(&object(claims), secret, cookie_name, encrypt::Enc::A256CbcHs512, true)
}

/// A session token as next-auth v4 issues it (`docs/authjs.md#token-v4`): JWE, `dir`, A256GCM.
///
/// # Panics
/// When the claims do not serialise to a JSON object, or the cryptography fails. This is a tool for tests.
#[must_use]
#[track_caller]
pub fn mint_v4(claims: &impl Serialize, secret: &str) -> String {
    encrypt::encrypt_v4(&object(claims), secret)
}

/// Seconds since the Unix epoch.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The claims as a JSON object.
///
/// # Panics
/// When they do not serialise to one. The message names the kind of JSON value, not its content.
#[track_caller]
pub(super) fn object(claims: impl Serialize) -> Map<String, Value> {
    object_of("claims", claims)
}

/// The same of another value, which this word names.
#[track_caller]
#[expect(clippy::panic, reason = "a tool for tests, and documented")]
pub(super) fn object_of(what: &str, value: impl Serialize) -> Map<String, Value> {
    let kind = match serde_json::to_value(value) {
        Ok(Value::Object(object)) => return object,
        Ok(Value::Array(_)) => "an array",
        Ok(Value::String(_)) => "a string",
        Ok(Value::Number(_)) => "a number",
        Ok(Value::Bool(_)) => "a boolean",
        Ok(Value::Null) => "null",
        Err(error) => panic!("the {what} cannot be serialised: {error}"),
    };
    panic!("the {what} must be a JSON object, not {kind}")
}

/// Decodes tokens as the proxy does, without a cache. It reads what [`mint`] writes. For tests that check a token's
/// claims, and for benchmarks.
///
/// ```
/// use auth_proxy::testing::{Opener, mint};
/// # use serde_json::json;
/// let token = mint(&json!({ "sub": "1" }), "secret", "authjs.session-token");
/// let opener = Opener::new("secret", "authjs.session-token").expect("keys are derived");
/// assert_eq!(opener.claims(&token).as_deref(), Some(r#"{"sub":"1"}"#));
/// assert_eq!(opener.claims("forged"), None);
/// ```
pub struct Opener(Decoder);

impl Opener {
    /// Derives the keys of Auth.js v5. `None` when the crypto library fails; every secret is accepted.
    #[must_use]
    pub fn new(secret: &str, cookie_name: &str) -> Option<Self> {
        let secrets = [Zeroizing::new(secret.to_owned())];
        Decoder::new(TokenFormat::Encrypted, &secrets, cookie_name, Demands::NONE).ok().map(Self)
    }

    /// The claims of a token that is genuine and valid now, byte for byte: the text of a JSON object. `None` for any
    /// other token.
    #[must_use]
    pub fn claims(&self, token: &str) -> Option<String> {
        self.0.open(token, unix_now()).ok().map(crate::token::Verified::into_text)
    }
}

/// Prints no key.
impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::panic::catch_unwind;

    use serde_json::json;

    use super::*;

    fn panic_message(of: impl FnOnce() -> String + std::panic::UnwindSafe) -> String {
        *catch_unwind(of).expect_err("no panic").downcast().expect("a formatted message")
    }

    #[test]
    fn mint_panics_with_the_reason_if_claims_are_not_an_object() {
        for (claims, kind) in [
            (json!(["admin"]), "an array"),
            (json!("1"), "a string"),
            (json!(1), "a number"),
            (json!(true), "a boolean"),
            (json!(null), "null"),
        ] {
            let expected = format!("the claims must be a JSON object, not {kind}");
            let v5 = claims.clone();
            assert_eq!(panic_message(move || mint(&v5, "secret", "authjs.session-token")), expected);
            assert_eq!(panic_message(move || mint_v4(&claims, "secret")), expected);
        }
        let keys_are_no_strings = BTreeMap::from([((1, 2), 3)]);
        assert_eq!(
            panic_message(move || mint_v4(&keys_are_no_strings, "secret")),
            "the claims cannot be serialised: key must be a string"
        );
    }
}

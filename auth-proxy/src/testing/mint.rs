use serde::Serialize;
use serde_json::{Map, Value};

use crate::token::encrypt;

/// A session token as Auth.js v5 issues it (`core/jwt.ts`): JWE, `dir`, A256CBC-HS512, with `kid`.
///
/// Takes the claims as they are: set `exp` (seconds since the Unix epoch) to have it expire.
///
/// # Panics
/// When the claims do not serialise to a JSON object. This is a tool for tests.
#[must_use]
pub fn mint(claims: &impl Serialize, secret: &str, cookie_name: &str) -> String {
    encrypt::encrypt_v5(&object(claims), secret, cookie_name, encrypt::Enc::A256CbcHs512, true)
}

/// A session token as next-auth v4 issues it (`v4:jwt/index.ts`): JWE, `dir`, A256GCM.
///
/// # Panics
/// When the claims do not serialise to a JSON object. This is a tool for tests.
#[must_use]
pub fn mint_v4(claims: &impl Serialize, secret: &str) -> String {
    encrypt::encrypt_v4(&object(claims), secret)
}

#[expect(clippy::panic, reason = "a tool for tests, and documented")]
fn object(claims: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(object)) => object,
        _ => panic!("claims are a JSON object"),
    }
}

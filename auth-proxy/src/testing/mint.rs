//! Tokens made by hand for tests, and their decoding.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_proxy_rules::TokenFormat;
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::token::{Decoder, Demands, encrypt};

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

/// Seconds since the Unix epoch.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[expect(clippy::panic, reason = "a tool for tests, and documented")]
pub(super) fn object(claims: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(object)) => object,
        _ => panic!("claims are a JSON object"),
    }
}

/// Opens tokens as the proxy does, one by one and remembering none: what [`mint`] undone is. For tests that
/// look into a token, and for benchmarks.
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
    /// Derives the keys of Auth.js v5. `None` when that fails, which it does not with any secret.
    #[must_use]
    pub fn new(secret: &str, cookie_name: &str) -> Option<Self> {
        let secrets = [Zeroizing::new(secret.to_owned())];
        Decoder::new(TokenFormat::Encrypted, &secrets, cookie_name, Demands::NONE).ok().map(Self)
    }

    /// The claims set of a token that is genuine and good now, as it stands in it: the text of a JSON
    /// object.
    #[must_use]
    pub fn claims(&self, token: &str) -> Option<String> {
        self.0.open(token, unix_now()).ok().map(crate::token::Verified::into_text)
    }
}

/// Shows no key.
impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener(..)")
    }
}

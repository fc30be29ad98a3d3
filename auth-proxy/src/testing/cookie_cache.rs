//! The signed cookies and the cookie cache of Better Auth, made by hand for tests, and read as the proxy does.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy_rules::{Expected, TokenFormat};
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::mint::object;
use crate::token::{CookieCache, PublicCookieCache, PublicKey, cookie_cache_mint, public_key};

/// The value of a cookie that Better Auth signs, such as `better-auth.session_token`: the value, a dot and a signature. It
/// is not percent-encoded. In a `Cookie` header `/`, `+` and `=` may be sent as they are.
///
/// ```
/// use auth_proxy::testing::mint_signed_cookie;
///
/// let signed = mint_signed_cookie("abc", "h1-test-secret-0123456789abcdefghijklmnopqrstuv");
/// assert_eq!(signed, "abc.WZ5KSQ59oZU7iySRHc91UpU8P7qyNCW/QvXQiHfFW44=");
/// ```
#[must_use]
pub fn mint_signed_cookie(value: &str, secret: &str) -> String {
    cookie_cache_mint::signed_cookie(value, secret)
}

/// The value of the cookie `better-auth.session_data` in one of its formats: `compact`, `jwt` or `jwe`.
///
/// `session` is what `/get-session` answers: an object with `session` and `user`. The upstream reads it only with
/// `session.token` in the session cookie. The cache is valid for `age` from now on.
///
/// # Panics
/// When `session` does not serialise to a JSON object, the format is another, or the cryptography fails. This is a tool
/// for tests.
#[must_use]
#[track_caller]
#[expect(clippy::panic, reason = "a tool for tests, and documented")]
pub fn mint_cookie_cache(
    format: TokenFormat,
    session: &impl Serialize,
    age: Duration,
    secret: &str,
) -> String {
    let now = millis(SystemTime::now());
    let expires = now.saturating_add(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    match cookie_cache_mint::cookie_cache(format, &object(session), (now, expires), secret) {
        Some(cache) => cache,
        None => panic!("`{format}` is not a format of the cookie cache, or the cryptography failed"),
    }
}

fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Reads the cookie cache of Better Auth as the proxy does.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use auth_proxy::options::TokenFormat;
/// use auth_proxy::testing::{CookieCacheOpener, mint_cookie_cache, mint_signed_cookie};
/// use serde_json::json;
///
/// let session = json!({
///     "session": { "id": "1", "userId": "7", "token": "abc", "expiresAt": "2999-01-01T00:00:00.000Z" },
///     "user": { "id": "7", "name": "Ada", "email": "ada@example.com" },
/// });
/// let cookie = mint_signed_cookie("abc", "secret");
/// let cache = mint_cookie_cache(TokenFormat::Compact, &session, Duration::from_secs(300), "secret");
///
/// let opener = CookieCacheOpener::new(TokenFormat::Compact, &["secret"]).expect("a key is derived");
/// let opened = opener.open(&cookie, &cache, SystemTime::now()).expect("the cache is good");
/// assert_eq!(opened["user"]["name"], "Ada");
/// assert!(opened["session"].get("token").is_none());
/// ```
pub struct CookieCacheOpener(Kind);

enum Kind {
    Secret(CookieCache),
    Public { cache: PublicCookieCache, kid: String, key: PublicKey },
}

impl CookieCacheOpener {
    /// For the formats `compact`, `jwt` and `jwe`. `secrets` begins with the current one. `None` for another format,
    /// without a secret, and when the crypto library fails.
    #[must_use]
    pub fn new(format: TokenFormat, secrets: &[&str]) -> Option<Self> {
        let secrets: Vec<_> = secrets.iter().map(|secret| Zeroizing::new((*secret).to_owned())).collect();
        CookieCache::new(format, &secrets).ok().map(|cache| Self(Kind::Secret(cache)))
    }

    /// For a cache that is signed with a private key of the upstream. `key` has the name of the public key (`kid`), the
    /// algorithm and the PEM text. `None` for a text or a format of another kind.
    #[must_use]
    pub fn with_public_key(key: (&str, TokenFormat, &str), issuer: Expected) -> Option<Self> {
        let (kid, format, pem) = key;
        let key = public_key(format, pem)?;
        Some(Self(Kind::Public { cache: PublicCookieCache::new(issuer), kid: kid.to_owned(), key }))
    }

    /// The members `session` (without its token) and `user` of a good cache. `session_token` and `session_data` are the
    /// percent-decoded values of the two cookies.
    ///
    /// # Errors
    /// Why the upstream would be asked instead.
    pub fn open(
        &self,
        session_token: &str,
        session_data: &str,
        now: SystemTime,
    ) -> Result<Map<String, Value>, String> {
        let now = millis(now);
        let opened = match &self.0 {
            Kind::Secret(cache) => cache.open(session_token, session_data, now),
            Kind::Public { cache, kid, key } => {
                cache.open(session_token, session_data, now, |named| (named == kid).then_some(key))
            }
        };
        let payload = opened.map_err(|reason| reason.to_string())?;
        let members = [("session", payload.session), ("user", payload.user)];
        Ok(members.map(|(name, value)| (name.to_owned(), Value::Object(value))).into_iter().collect())
    }
}

/// Prints no key.
impl fmt::Debug for CookieCacheOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieCacheOpener(..)")
    }
}

//! Checks a signed session cookie, and reads the session in the cookie cache beside it.

use auth_proxy_rules::TokenFormat;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::cookie::Credential;
use crate::token::{CookieCache, KeyError, SignedCookies};

/// The keys of an upstream that signs its session cookie.
pub(crate) struct SessionCookies {
    signed: SignedCookies,
    cache: CookieCache,
}

impl SessionCookies {
    /// `None` without a secret, and for an upstream whose session cookie is no signed key.
    ///
    /// # Errors
    /// When a key cannot be derived.
    pub(super) fn new(format: TokenFormat, secrets: &[Zeroizing<String>]) -> Result<Option<Self>, KeyError> {
        if !format.is_cookie_cache() || secrets.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { signed: SignedCookies::new(secrets), cache: CookieCache::new(format, secrets)? }))
    }

    /// Whether the upstream may know this credential. During a rotation it may still sign with an older secret, so each
    /// of them counts. A Bearer token may come without a signature: then only the upstream can tell.
    pub(super) fn is_plausible(&self, credential: &Credential) -> bool {
        let token = credential.token();
        (credential.is_bearer() && !token.contains('.')) || self.signed.is_signed_by_any(token)
    }

    /// The data of the cookie cache that came with a credential: `session` and `user`. `None` if it cannot be used.
    pub(super) fn cached(&self, credential: &Credential, now_ms: u64) -> Option<Map<String, Value>> {
        let payload = self.cache.open(credential.token(), credential.cache()?, now_ms).inspect_err(|why| {
            tracing::debug!(target: "auth_proxy::token", "cookie cache not used: {why}");
        });
        let payload = payload.ok()?;
        let fields = [("session", payload.session), ("user", payload.user)];
        Some(fields.into_iter().map(|(name, fields)| (name.to_owned(), Value::Object(fields))).collect())
    }
}

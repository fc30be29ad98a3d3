//! Checks a signed session cookie, and reads the session in the cookie cache beside it.

use std::sync::Arc;

use auth_proxy_rules::{Settings, TokenFormat};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::cookie::Credential;
use crate::jwks::Issuer;
use crate::token::{CachedPayload, CookieCache, KeyError, NotUsable, PublicCookieCache, SignedCookies};

/// The keys of an upstream that signs its session cookie.
pub(crate) struct SessionCookies {
    /// Set with a secret.
    signed: Option<SignedCookies>,
    cache: Cache,
}

/// Reads the cookie cache.
enum Cache {
    Secret(CookieCache),
    /// With the published keys of the upstream.
    Published(PublicCookieCache, Arc<Issuer>),
}

impl SessionCookies {
    /// `None` for an upstream whose session cookie is no signed key, and without a key. `issuer` has the keys that the
    /// upstream publishes.
    ///
    /// # Errors
    /// When a key cannot be derived.
    pub(super) fn new(
        settings: &Settings,
        secrets: &[Zeroizing<String>],
        issuer: Option<&Arc<Issuer>>,
    ) -> Result<Option<Self>, KeyError> {
        let signed = (!secrets.is_empty()).then(|| SignedCookies::new(secrets));
        let cache = match (settings.token, issuer) {
            (TokenFormat::Jwks, Some(issuer)) => {
                Cache::Published(PublicCookieCache::new(settings.issuer.clone()), Arc::clone(issuer))
            }
            (format, _) if format.is_cookie_cache() && signed.is_some() => {
                Cache::Secret(CookieCache::new(format, secrets)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { signed, cache }))
    }

    /// Whether the upstream may know this credential. During a rotation it may still sign with an older secret, so each
    /// of them counts. A Bearer token may come without a signature: then only the upstream can tell.
    pub(super) fn is_plausible(&self, credential: &Credential) -> bool {
        let token = credential.token();
        let is_signed = || self.signed.as_ref().is_none_or(|signed| signed.is_signed_by_any(token));
        (credential.is_bearer() && !token.contains('.')) || is_signed()
    }

    /// Whether a configured secret signed this session cookie.
    pub(super) fn is_signed(&self, token: &str) -> bool {
        self.signed.as_ref().is_some_and(|signed| signed.is_signed_by_any(token))
    }

    /// The data of the cookie cache that came with a credential, `session` and `user`, and when it was written, in
    /// milliseconds since the Unix epoch. `None` if it cannot be used.
    pub(super) fn cached(&self, credential: &Credential, now_ms: u64) -> Option<(Map<String, Value>, f64)> {
        let payload = self.open(credential, credential.cache()?, now_ms).inspect_err(|why| {
            tracing::debug!(target: "auth_proxy::token", "cookie cache not used: {why}");
        });
        let payload = payload.ok()?;
        let fields = [("session", payload.session), ("user", payload.user)];
        let data = fields.into_iter().map(|(name, fields)| (name.to_owned(), Value::Object(fields)));
        Some((data.collect(), payload.written_ms))
    }

    fn open(&self, credential: &Credential, cached: &str, now_ms: u64) -> Result<CachedPayload, NotUsable> {
        let token = credential.token();
        match &self.cache {
            Cache::Secret(cache) => cache.open(token, cached, now_ms),
            // The upstream can be asked in place of the cache, so nobody waits for keys.
            Cache::Published(cache, issuer) => {
                if self.signed.as_ref().is_some_and(|signed| !signed.is_signed_by_any(token)) {
                    return Err(NotUsable::SessionCookie);
                }
                let keys = issuer.known_keys().ok_or(NotUsable::UnknownKey)?;
                let opened = cache.open(token, cached, now_ms, |kid| keys.key(kid));
                if let Err(NotUsable::UnknownKey) = opened {
                    issuer.search();
                }
                opened
            }
        }
    }
}

//! [`IdentityToken`]: a signed token that tells a service who the visitor is.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy_rules::InvalidValue;
use http::HeaderValue;
use serde_json::{Map, Value, json};

use super::encode::LIMIT;
use super::headers::IdentityHeader;
use crate::guard::VisitorIdentity;
use crate::token::SigningKey;

/// A short-lived signed token (JWT) in `X-Auth-Token`, for services that must not depend on the network to keep forged
/// headers away. They check it with the keys at `{path}/jwks.json` of the endpoint.
///
/// The claims are `iss`, `aud`, `sub`, `iat`, `exp`, and those of the chosen identity headers: `name`, `email`, `roles`. A
/// service checks the signature, `iss`, `aud` and `exp`. A visitor whose id is not known gets no token.
///
/// ```
/// use auth_proxy::{auth_proxy, verdict::{IdentityToken, SigningKey}};
///
/// auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" }, trusted_proxies: ["10.0.0.0/8"] } }
///
/// let auth = Auth::from_env()?;
/// let token = IdentityToken::new(SigningKey::generate()?, "https://app.example.com", "reports");
/// let app: axum::Router = auth.verdict().signed_token(token).router();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct IdentityToken {
    key: SigningKey,
    /// Keys that are published and do not sign.
    published: Vec<SigningKey>,
    issuer: Arc<str>,
    audience: Arc<str>,
    lifetime: Duration,
}

impl IdentityToken {
    /// A token that this key signs, valid for a minute.
    #[must_use]
    pub fn new(key: SigningKey, issuer: &str, audience: &str) -> Self {
        let lifetime = Duration::from_secs(60);
        Self { key, published: Vec::new(), issuer: issuer.into(), audience: audience.into(), lifetime }
    }

    /// How long a token is valid: 10 seconds to 5 minutes. Each request gets a new one.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use auth_proxy::verdict::{IdentityToken, SigningKey};
    /// let token = IdentityToken::new(SigningKey::generate()?, "https://app.example.com", "reports");
    /// let token = token.lifetime(Duration::from_secs(30))?;
    /// # let _ = token;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] for any other time.
    pub fn lifetime(mut self, lifetime: Duration) -> Result<Self, InvalidValue> {
        if !(Duration::from_secs(10)..=Duration::from_secs(300)).contains(&lifetime) {
            return Err(InvalidValue::new("a token is valid for 10 seconds to 5 minutes"));
        }
        self.lifetime = lifetime;
        Ok(self)
    }

    /// Publishes one more key: the next one, until every service has fetched it, or the one before, until its last token
    /// has expired.
    ///
    /// ```
    /// # use auth_proxy::verdict::{IdentityToken, SigningKey};
    /// let (current, next) = (SigningKey::generate()?, SigningKey::generate()?);
    /// let token = IdentityToken::new(current, "https://app.example.com", "reports").publish(next);
    /// # let _ = token;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn publish(mut self, key: SigningKey) -> Self {
        self.published.push(key);
        self
    }

    /// The key set (RFC 7517).
    pub(super) fn key_set(&self) -> String {
        let keys: Vec<_> = std::iter::once(&self.key).chain(&self.published).map(SigningKey::jwk).collect();
        json!({ "keys": keys }).to_string()
    }

    /// The token for a visitor. `now` is in seconds since the Unix epoch. `None` without a subject.
    pub(super) fn sign(
        &self,
        visitor: &VisitorIdentity,
        headers: &[IdentityHeader],
        now: u64,
    ) -> Option<HeaderValue> {
        let short = |text: &Option<String>| text.clone().filter(|text| text.len() <= LIMIT);
        let mut claims = Map::from_iter([
            ("iss".to_owned(), Value::from(&*self.issuer)),
            ("aud".to_owned(), Value::from(&*self.audience)),
            ("sub".to_owned(), Value::from(short(&visitor.subject)?)),
            ("iat".to_owned(), Value::from(now)),
            ("exp".to_owned(), Value::from(now.saturating_add(self.lifetime.as_secs()))),
        ]);
        for header in headers {
            let claim = match header {
                IdentityHeader::Subject => None,
                IdentityHeader::Name => short(&visitor.name).map(|name| ("name", Value::from(name))),
                IdentityHeader::Email => short(&visitor.email).map(|email| ("email", Value::from(email))),
                IdentityHeader::Roles => {
                    let length = visitor.roles.iter().map(String::len).sum::<usize>();
                    (length > 0 && length <= LIMIT).then(|| ("roles", Value::from(visitor.roles.clone())))
                }
            };
            claims.extend(claim.map(|(name, value)| (name.to_owned(), value)));
        }
        HeaderValue::try_from(self.key.sign(&claims)?).ok()
    }
}

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::HeaderMap;
use http::request::Parts;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::cookies::Sent;
use super::error::TokenError;
use super::{Credential, Verified};
use crate::diagnosis::{Finding, other_prefix};
use crate::error::{AuthError, Reason};
use crate::provider::{Provider, Provides, Proxy, Shared};
use crate::session::Visit;
use crate::session::extract::optional;

/// The claims of the visitor's session token, as an extractor.
///
/// With `upstream.secret` the token is decrypted or verified here, without a call to the upstream,
/// so it stays good until its `exp` even after a sign-out. Without a secret, and for database
/// sessions, the claims are those of the upstream's session: the user's fields with `id` as `sub`
/// and `image` as `picture` (`getToken` of the original answers the session then).
///
/// `Option<Token<Auth>>` and `Result<Token<Auth>, AuthError>` work as for
/// [`Session`](crate::Session).
///
/// ```
/// # use auth_proxy::{auth_proxy, Token};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: env("URL"), secret: env("AUTH_SECRET") } } }
/// async fn subject(token: Token<Auth>) -> String { token.sub.clone().unwrap_or_default() }
/// ```
pub struct Token<P: Provider>(Arc<P::Claims>);

impl<P: Provider> Token<P> {
    pub(crate) fn new(claims: Arc<P::Claims>) -> Self {
        Self(claims)
    }
}

impl<P: Provider> Deref for Token<P> {
    type Target = P::Claims;

    fn deref(&self) -> &P::Claims {
        &self.0
    }
}

impl<P: Provider> Clone for Token<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Shows no claim: they may hold the access tokens of other services.
impl<P: Provider> fmt::Debug for Token<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl<P: Provider<Claims: Serialize>> Serialize for Token<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<P: Provider, S: Provides<P> + Send + Sync> FromRequestParts<S> for Token<P> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let visit = Visit::of(state.provide().proxy().clone(), parts);
        visit.token().await?.map(Self).ok_or_else(|| AuthError::new(Reason::SESSION_ABSENT))
    }
}

impl<P: Provider, S: Provides<P> + Send + Sync> OptionalFromRequestParts<S> for Token<P> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthError> {
        let visit = Visit::of(state.provide().proxy().clone(), parts);
        optional(visit.token().await.map(|token| token.map(Self)))
    }
}

/// The visitor's session token as it was sent, chunks joined, as an extractor.
///
/// Nothing is proved: it says that a token was sent, not that it is good. It is what
/// `getToken({ raw: true })` answers. Treat it as a password. `Debug` does not show it, and its
/// memory is cleared when it is dropped.
///
/// ```
/// # use auth_proxy::{auth_proxy, RawToken};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: env("URL") } } }
/// async fn forward(token: RawToken<Auth>) -> String { format!("Bearer {}", token.as_str()) }
/// ```
pub struct RawToken<P> {
    value: Zeroizing<String>,
    provider: PhantomData<fn() -> P>,
}

impl<P> RawToken<P> {
    fn of(credential: &Credential) -> Option<Self> {
        let value = credential.candidates().next()?;
        Some(Self { value: Zeroizing::new(value.to_owned()), provider: PhantomData })
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.value
    }
}

impl<P> fmt::Debug for RawToken<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawToken(..)")
    }
}

impl<P: Provider, S: Provides<P> + Send + Sync> FromRequestParts<S> for RawToken<P> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let visit = Visit::of(state.provide().proxy().clone(), parts);
        let credential = visit.credential()?;
        credential.and_then(|c| Self::of(&c)).ok_or_else(|| AuthError::new(Reason::SESSION_ABSENT))
    }
}

impl<P: Provider, S: Provides<P> + Send + Sync> OptionalFromRequestParts<S> for RawToken<P> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthError> {
        let visit = Visit::of(state.provide().proxy().clone(), parts);
        optional(visit.credential().map(|credential| credential.and_then(|c| Self::of(&c))))
    }
}

impl<P: Provider> Proxy<P> {
    /// The claims of a request's token, outside of handlers. `None` when no credential was sent.
    ///
    /// # Errors
    /// [`AuthError`]: invalid, or unavailable where the upstream is asked.
    pub async fn token(&self, headers: &HeaderMap) -> Result<Option<Token<P>>, AuthError> {
        if self.shared().verifier.is_some() {
            let verified = self.shared().verified(headers)?;
            return verified.map(|verified| verified.claims().map(Token)).transpose();
        }
        Ok(Visit::of_headers(self.clone(), headers).token().await?.map(Token))
    }

    /// A request's session token as it was sent, outside of handlers. `None` when none was sent.
    ///
    /// # Errors
    /// [`AuthError`], invalid: the cookies are too large, or the `Authorization` header is broken.
    pub fn raw_token(&self, headers: &HeaderMap) -> Result<Option<RawToken<P>>, AuthError> {
        Ok(self.shared().credential(headers)?.and_then(|credential| RawToken::of(&credential)))
    }
}

impl Shared {
    /// The credential that headers carry.
    pub(crate) fn credential(&self, headers: &HeaderMap) -> Result<Option<Credential>, AuthError> {
        let opaque = self.settings.strategy == crate::config::Strategy::Database;
        let found = super::read(headers, &self.browser_cookie, opaque).map_err(AuthError::from)?;
        if found.is_none() && !self.diagnosis.has_said(Finding::OtherPrefix) {
            let other = super::read(headers, &other_prefix(&self.settings.cookie_name), opaque);
            if other.is_ok_and(|other| other.is_some()) {
                self.say(Finding::OtherPrefix);
            }
        }
        Ok(found)
    }

    /// The token that headers carry, decrypted or verified here. Only where the proxy decodes tokens.
    ///
    /// # Errors
    /// Invalid: the error of the likelier one, where two cookies could be the token and neither is good.
    pub(crate) fn verified(&self, headers: &HeaderMap) -> Result<Option<Arc<Verified>>, AuthError> {
        let Some(verifier) = &self.verifier else {
            // The rules see to it that nobody asks for this without a secret.
            return Err(AuthError::new(Reason::TOKEN_UNSUPPORTED));
        };
        let now = self.now();
        let sent = Sent::of(headers, &self.browser_cookie);
        let fingerprint = sent.as_ref().and_then(|sent| verifier.fingerprint(sent));
        if let Some(known) = fingerprint.and_then(|fingerprint| verifier.known(&fingerprint, now)) {
            return Ok(Some(known));
        }
        let verify = |token: &str| {
            verifier.verify(token, now, fingerprint).inspect_err(|error| {
                if *error == TokenError::UnknownKey {
                    self.say(Finding::UnknownKey);
                }
            })
        };
        if let Some(token) = sent.and_then(|sent| sent.whole()) {
            return Ok(Some(verify(&token)?));
        }
        let Some(credential) = self.credential(headers)? else { return Ok(None) };
        let mut first = None;
        for candidate in credential.candidates() {
            match verify(candidate) {
                Ok(verified) => return Ok(Some(verified)),
                Err(error) => first = first.or(Some(error)),
            }
        }
        let error = first.map_or_else(|| AuthError::new(Reason::TOKEN_MALFORMED), AuthError::from);
        Err(error.by_bearer(credential.is_bearer()))
    }
}

//! `Token` and `RawToken`, the extractors for a request's session token: its claims, and the token as it was sent.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::cookie::Credential;
use crate::provider::AuthProxy;

/// The claims of the visitor's session token, as an extractor.
///
/// With `upstream.secret` the token is decrypted or verified here, without a request to the upstream, so it stays valid
/// until its `exp` even after a sign-out. Without a secret, and for database sessions, the claims are those of the
/// upstream's session: the user's fields with `id` as `sub` and `image` as `picture`. So there is no `exp`, and a `sub`
/// only if the upstream's session callback returns the user's `id`. (`getToken` of `@robojs/auth` returns the session
/// then.)
///
/// `Option<Token<Auth>>` and `Result<Token<Auth>, AuthError>` work as for
/// [`Session`](crate::Session).
///
/// ```
/// # use auth_proxy::{Token, auth_proxy};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: env("URL"), secret: env("AUTH_SECRET") } } }
/// async fn subject(token: Token<Auth>) -> String { token.sub.clone().unwrap_or_default() }
/// ```
pub struct Token<P: AuthProxy>(Arc<P::Claims>);

impl<P: AuthProxy> Token<P> {
    pub(crate) fn new(claims: Arc<P::Claims>) -> Self {
        Self(claims)
    }
}

impl<P: AuthProxy> Deref for Token<P> {
    type Target = P::Claims;

    fn deref(&self) -> &P::Claims {
        &self.0
    }
}

impl<P: AuthProxy> Clone for Token<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Shows no claim: claims may hold the access tokens of other services.
impl<P: AuthProxy> fmt::Debug for Token<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl<P: AuthProxy<Claims: Serialize>> Serialize for Token<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The visitor's session token as it was sent, chunks joined, as an extractor.
///
/// The token is not verified: it may be expired or forged. It is what `getToken({ raw: true })` returns. Treat it as a
/// password. `Debug` does not show it, and its memory is cleared when it is dropped.
///
/// ```
/// # use auth_proxy::{RawToken, auth_proxy};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: env("URL") } } }
/// async fn forward(token: RawToken<Auth>) -> String { format!("Bearer {}", token.as_str()) }
/// ```
pub struct RawToken<P> {
    value: Zeroizing<String>,
    provider: PhantomData<fn() -> P>,
}

impl<P> RawToken<P> {
    pub(super) fn of(credential: &Credential) -> Self {
        Self { value: Zeroizing::new(credential.token().to_owned()), provider: PhantomData }
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

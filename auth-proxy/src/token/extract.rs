use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::error::TokenError;
use super::{Candidate, Credential, NamesInPlay, SessionName, Verified};
use crate::diagnosis::{Finding, other_prefix};
use crate::error::{AuthError, Reason};
use crate::provider::{Provider, Provides, Proxy, Shared};
use crate::session::Visit;
use crate::session::extract::optional;
use crate::upstream::Front;

/// The claims of the visitor's session token, as an extractor.
///
/// With `upstream.secret` the token is decrypted or verified here, without a call to the upstream,
/// so it stays good until its `exp` even after a sign-out. Without a secret, and for database
/// sessions, the claims are those of the upstream's session: the user's fields with `id` as `sub`
/// and `image` as `picture` (`getToken` of the original answers the session then). So there is no `exp`, and a
/// `sub` only where the upstream's session callback tells the user's `id`.
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
    fn of(credential: &Credential) -> Self {
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

impl<P: Provider, S: Provides<P> + Send + Sync> FromRequestParts<S> for RawToken<P> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let visit = Visit::of(state.provide().proxy().clone(), parts);
        let credential = visit.credential()?;
        credential.map(|found| Self::of(&found)).ok_or_else(|| AuthError::new(Reason::SESSION_ABSENT))
    }
}

impl<P: Provider, S: Provides<P> + Send + Sync> OptionalFromRequestParts<S> for RawToken<P> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthError> {
        let visit = Visit::of(state.provide().proxy().clone(), parts);
        optional(visit.credential().map(|credential| credential.map(|found| Self::of(&found))))
    }
}

impl<P: Provider> Proxy<P> {
    /// The claims of a request's token, outside of handlers. `None` when no credential was sent.
    ///
    /// # Errors
    /// [`AuthError`]: invalid, or unavailable where the upstream is asked.
    pub async fn token(&self, headers: &HeaderMap) -> Result<Option<Token<P>>, AuthError> {
        if self.shared().verifier.is_some() {
            let verified = Visit::of_headers(self.clone(), headers).verified()?;
            return verified.map(|verified| verified.claims().map(Token)).transpose();
        }
        Ok(Visit::of_headers(self.clone(), headers).token().await?.map(Token))
    }

    /// A request's session token as it was sent, outside of handlers. `None` when none was sent.
    ///
    /// # Errors
    /// [`AuthError`], invalid: the cookies are too large, or the `Authorization` header is broken.
    pub fn raw_token(&self, headers: &HeaderMap) -> Result<Option<RawToken<P>>, AuthError> {
        Ok(Visit::of_headers(self.clone(), headers).credential()?.map(|found| RawToken::of(&found)))
    }
}

impl Shared {
    /// Whether tokens are keys into a database, and never in chunks.
    pub(crate) fn is_opaque(&self) -> bool {
        self.settings.strategy == crate::config::Strategy::Database
    }

    /// The names that the session cookie may have in a request.
    pub(crate) fn names_of(&self, parts: Option<&Parts>) -> NamesInPlay<'_> {
        let https = parts
            .filter(|_| self.names.depend_on_scheme())
            .and_then(|parts| Front::scheme(parts, &self.settings));
        self.names.in_play(https)
    }

    /// The session token of a request: the one that everything here is about.
    ///
    /// # Errors
    /// `token_too_large`, `bearer_malformed`, `token_ambiguous`.
    pub(crate) fn candidate<'h>(
        &self,
        headers: &'h HeaderMap,
        names: NamesInPlay<'_>,
    ) -> Result<Option<Candidate<'h>>, AuthError> {
        let opaque = self.is_opaque();
        let found = match (names.get(0), names.get(1)) {
            (Some(first), Some(second)) => Candidate::of(headers, &[first, second], opaque),
            (first, _) => Candidate::of(headers, first.as_slice(), opaque),
        };
        let found = found?;
        if names.is_unsure() {
            let alone = |name: &SessionName| Candidate::of(headers, &[name], opaque).ok().flatten();
            let is_cookie = |found: &Candidate<'_>| !found.is_bearer();
            let cookies =
                names.iter().filter(|name| alone(name).is_some_and(|found| is_cookie(&found))).count();
            if cookies + usize::from(headers.contains_key(AUTHORIZATION)) > 1 {
                return Err(TokenError::Ambiguous.into());
            }
        }
        if found.is_none() && !self.diagnosis.has_said(Finding::OtherName) {
            self.look_for_another_name(headers);
        }
        Ok(found)
    }

    /// Looks for a session cookie that does not count, to say why nobody is recognised.
    fn look_for_another_name(&self, headers: &HeaderMap) {
        let own = |other: &str| self.names.all().iter().any(|name| name.browser == other);
        let known = ["authjs.session-token", "next-auth.session-token"].map(str::to_owned);
        let named = self.names.all().iter().map(|name| other_prefix(&name.upstream));
        let all = named.chain(known.iter().cloned()).chain(known.iter().map(|name| other_prefix(name)));
        for other in all.filter(|other| !own(other)) {
            if Candidate::of(headers, &[&other], false)
                .is_ok_and(|found| found.is_some_and(|found| !found.is_bearer()))
            {
                return self.say_other_name(&other);
            }
        }
    }

    /// The token that headers carry, decrypted or verified here. Only where the proxy decodes tokens.
    ///
    /// # Errors
    /// Invalid.
    pub(crate) fn verified(
        &self,
        headers: &HeaderMap,
        names: NamesInPlay<'_>,
    ) -> Result<Option<Arc<Verified>>, AuthError> {
        let Some(verifier) = &self.verifier else {
            // The rules see to it that nobody asks for this without a secret.
            return Err(AuthError::new(Reason::TOKEN_UNSUPPORTED));
        };
        let Some(candidate) = self.candidate(headers, names)? else { return Ok(None) };
        match verifier.verify(&candidate, names, self.now()) {
            Ok(verified) => Ok(Some(verified)),
            Err(error) => {
                if error == TokenError::UnknownKey {
                    self.say(Finding::UnknownKey);
                }
                Err(AuthError::from(error).by_bearer(candidate.is_bearer()))
            }
        }
    }
}

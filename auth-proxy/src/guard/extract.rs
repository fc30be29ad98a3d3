//! The guard as an extractor, and the check behind it.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::policy::is_any_session;
use super::{AnySession, GuardRejection, Policy};
use crate::error::{AuthError, Reason};
use crate::extract::{RequestAuth, Token, mark_personal};
use crate::provider::{AuthProxy, Provides, Proxy};

/// Lets a request through only for a signed-in visitor, as an extractor.
///
/// [`#[require_session]`](macro@crate::require_session) inserts it as the first argument; write it
/// yourself where an attribute is in the way. It takes the cheapest source that is configured: with
/// `upstream.secret` the token is decoded here, and no call is made, so that a token passes until
/// its `exp` even after a sign-out; else the upstream is asked. With a [`Policy`] the session comes
/// from `session.source`, since the policy looks at it.
///
/// ```
/// # use auth_proxy::{RequireSession, auth_proxy};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: env("URL") } } }
/// async fn dashboard(_: RequireSession<Auth>) -> &'static str { "hello" }
/// ```
pub struct RequireSession<P: AuthProxy, A: Policy<P> = AnySession> {
    marker: PhantomData<fn() -> (P, A)>,
}

#[cfg(feature = "testing")]
impl<P: AuthProxy, A: Policy<P>> RequireSession<P, A> {
    /// For handlers that a test calls.
    pub(crate) fn granted() -> Self {
        Self { marker: PhantomData }
    }
}

impl<P: AuthProxy, A: Policy<P>> fmt::Debug for RequireSession<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireSession")
    }
}

impl<P: AuthProxy, A: Policy<P>, S: Provides<P> + Send + Sync> FromRequestParts<S> for RequireSession<P, A> {
    type Rejection = GuardRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GuardRejection> {
        check::<P, A>(state.provide().proxy(), parts).await?;
        Ok(Self { marker: PhantomData })
    }
}

/// The check behind the extractor and the layer.
pub(super) async fn check<P: AuthProxy, A: Policy<P>>(
    proxy: &Proxy<P>,
    parts: &mut Parts,
) -> Result<(), GuardRejection> {
    let shared = proxy.shared();
    let allowed = if is_any_session::<A>() && shared.verifier.is_some() && shared.names.all().len() > 1 {
        // A response to another request may tell meanwhile which cookie name the upstream uses. The handler's extractors
        // must go by the name that counted here, so the choice is kept with the request.
        RequestAuth::of(proxy.clone(), parts)
            .verified()
            .and_then(|verified| verified.map(drop).ok_or_else(absent))
    } else if is_any_session::<A>() && shared.verifier.is_some() {
        // Nothing is kept with the request, which saves time: the cache of verified tokens has the result anyway.
        mark_personal(proxy, &parts.extensions);
        shared
            .verified(&parts.headers, shared.names_of(Some(parts)))
            .and_then(|verified| verified.map(drop).ok_or_else(absent))
    } else {
        allowed::<P, A>(&RequestAuth::of(proxy.clone(), parts)).await
    };
    allowed.map_err(|error| GuardRejection::new(error, parts, shared))
}

fn absent() -> AuthError {
    AuthError::new(Reason::SESSION_ABSENT)
}

async fn allowed<P: AuthProxy, A: Policy<P>>(request: &RequestAuth<'_, P>) -> Result<(), AuthError> {
    let session = request.session().await?.ok_or_else(absent)?;
    if is_any_session::<A>() {
        return Ok(());
    }
    // The session decides who is signed in. A policy gets no claims of an invalid token.
    let token = if request.decodes() { request.token().await.ok().flatten().map(Token::new) } else { None };
    if A::allow(&session, token.as_ref()) { Ok(()) } else { Err(AuthError::new(Reason::POLICY_REFUSED)) }
}

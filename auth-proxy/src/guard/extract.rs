//! The guard as an extractor, and the check behind it.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::rule::{Rule, Visitor};
use super::{AnySession, GuardRejection, Policy, step_up_cookie};
use crate::config::Source;
use crate::error::{AuthError, Reason};
use crate::extract::{RequestAuth, TestVisitors, mark_personal, verified_for_guard};
use crate::provider::{AuthProxy, FromState, Proxy};

/// Extractor that lets only signed-in visitors reach a handler.
///
/// [`#[require_session]`](macro@crate::require_session) inserts it as the first argument. Write it yourself if the
/// attribute cannot be used. With `upstream.secret` the token is decoded here, without a request to the upstream, so a
/// token passes until its `exp` even after a sign-out. Without a secret the upstream is asked. With a [`Policy`] the
/// session comes from `session.source`, since the policy reads it.
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
    /// A guard that has passed, for tests that call a handler directly.
    pub(crate) fn granted() -> Self {
        Self { marker: PhantomData }
    }
}

impl<P: AuthProxy, A: Policy<P>> fmt::Debug for RequireSession<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireSession")
    }
}

impl<P: AuthProxy + FromState<S>, A: Policy<P>, S: Send + Sync> FromRequestParts<S> for RequireSession<P, A> {
    type Rejection = GuardRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GuardRejection> {
        check(P::from_state(state).proxy(), parts, &A::rule()).await?;
        Ok(Self { marker: PhantomData })
    }
}

/// The check behind the extractor, the layer and [`Proxy::authorize`].
pub(super) async fn check<P: AuthProxy, R: Rule<P>>(
    proxy: &Proxy<P>,
    parts: &mut Parts,
    rule: &R,
) -> Result<(), GuardRejection> {
    let shared = proxy.shared();
    // With `session.source: local` the session mapping decides who is signed in, so a valid token is not enough.
    let is_token_enough =
        rule.is_signed_in() && shared.verifier.is_some() && shared.settings.source != Source::Local;
    let keeps_answers = shared.names.all().len() > 1
        || shared.sessions.revocations().is_some()
        || !TestVisitors::of(&parts.extensions).is_empty();
    let result = if is_token_enough && keeps_answers {
        // A response to another request may reveal the upstream's cookie name meanwhile. The handler's extractors must
        // use the name that is used here, so the request keeps it. This also compares the token with the revoked ones.
        let verified = match verified_for_guard(proxy, parts).await {
            Some(verified) => verified,
            None => RequestAuth::of(proxy.clone(), parts).verified().await,
        };
        verified.and_then(|verified| verified.map(drop).ok_or_else(session_absent))
    } else if is_token_enough {
        // Storing nothing in the request saves time: the cache of verified tokens has the result anyway.
        mark_personal(proxy, &parts.extensions);
        shared
            .verified(&parts.headers, shared.names_of(Some(parts)))
            .await
            .and_then(|verified| verified.map(drop).ok_or_else(session_absent))
    } else {
        check_session(&RequestAuth::of(proxy.clone(), parts), rule).await
    };
    finish(proxy, parts, result, false).map(drop)
}

/// Counts the decision of a guard, and reports a refusal. With `allows_guests`, visitors who are signed out pass too, as
/// `None`.
///
/// # Errors
/// The response to a refused request.
#[expect(clippy::result_large_err, reason = "a rejection is a response, which the caller sends at once")]
pub(super) fn finish<P: AuthProxy, T>(
    proxy: &Proxy<P>,
    parts: &mut Parts,
    result: Result<T, AuthError>,
    allows_guests: bool,
) -> Result<Option<T>, GuardRejection> {
    let shared = proxy.shared();
    match result {
        Err(error) if allows_guests && error.is_signed_out() => {
            shared.audit.guest_passed(&error);
            Ok(None)
        }
        result => {
            let about = || RequestAuth::of(proxy.clone(), parts).about();
            shared.audit.guard_decided(result.as_ref().err(), about);
            result.map(Some).map_err(|error| GuardRejection::new(error, parts, shared))
        }
    }
}

pub(super) fn session_absent() -> AuthError {
    AuthError::new(Reason::SESSION_ABSENT)
}

async fn check_session<P: AuthProxy, R: Rule<P>>(
    request: &RequestAuth<'_, P>,
    rule: &R,
) -> Result<(), AuthError> {
    if rule.is_signed_in() {
        return request.session().await?.map(drop).ok_or_else(session_absent);
    }
    let visitor = Visitor::of(request).await?.ok_or_else(session_absent)?;
    ask(request, rule, &visitor).await
}

/// Asks a rule about a visitor.
pub(super) async fn ask<P: AuthProxy, R: Rule<P>>(
    request: &RequestAuth<'_, P>,
    rule: &R,
    visitor: &Visitor<'_, P>,
) -> Result<(), AuthError> {
    let Some(refusal) = rule.check(visitor).await.refusal() else { return Ok(()) };
    let mark = refusal.step_up().map(|step_up| step_up_cookie::mark(step_up, visitor));
    let is_bearer = request.credential()?.is_some_and(|credential| credential.is_bearer());
    Err(refusal.with_mark(mark).by_bearer(is_bearer))
}

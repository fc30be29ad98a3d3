//! Policies: which signed-in visitors may pass a guard.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;

use super::rule::{Decision, Rule, Visitor};
use crate::extract::{Session, Token};
use crate::provider::AuthProxy;

/// Decides which signed-in visitors may pass. The others get 403, never 401.
///
/// It is a plain function of the session and the token. If it needs other data, let the upstream's callbacks add the
/// data to one of them, or write a [`Rule`](crate::rules::Rule), which may wait and may ask for a new sign-in.
///
/// `token` holds the claims of the session token if `upstream.secret` is set and the token is valid, else `None`.
///
/// ```
/// # use auth_proxy::{Policy, Session, Token, auth_proxy, require_session};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: env("URL") } } }
/// struct Admin;
///
/// impl Policy<Auth> for Admin {
///     fn allow(session: &Session<Auth>, _token: Option<&Token<Auth>>) -> bool {
///         session.user.extra.get("role").is_some_and(|role| role == "admin")
///     }
/// }
///
/// #[require_session(Auth, Admin)]
/// async fn reports() -> &'static str { "the figures" }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy of the proxy `{P}`",
    label = "does not implement `Policy<{P}>`",
    note = "write `impl Policy<{P}> for {Self} {{ fn allow(session: &Session<{P}>, token: Option<&Token<{P}>>) -> bool {{ .. }} }}`"
)]
pub trait Policy<P: AuthProxy>: 'static {
    /// Whether the visitor may pass.
    fn allow(session: &Session<P>, token: Option<&Token<P>>) -> bool;

    /// The rule that a guard asks: this policy. The types that `#[require_session]` writes for rules have another one.
    #[doc(hidden)]
    fn rule() -> impl Rule<P>
    where
        Self: Sized,
    {
        ByPolicy::<Self>::new()
    }
}

/// The policy of a guard without one: every signed-in visitor may pass.
///
/// ```
/// use auth_proxy::{RequireSession, auth_proxy, guards::AnySession};
///
/// auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
///
/// // The same as `RequireSession<Auth>`.
/// async fn dashboard(_: RequireSession<Auth, AnySession>) -> &'static str { "hello" }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AnySession;

impl<P: AuthProxy> Policy<P> for AnySession {
    fn allow(_: &Session<P>, _: Option<&Token<P>>) -> bool {
        true
    }
}

/// The rule of a [`Policy`]: that of `auth.require_policy::<Admin>()` and of `auth.require(Admin)`.
///
/// ```
/// # use auth_proxy::{auth_proxy, guards::AnySession, layers::RequireLayer, rules::ByPolicy};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer: RequireLayer<Auth, ByPolicy<AnySession>> = auth.require_policy::<AnySession>();
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub struct ByPolicy<A>(PhantomData<fn() -> A>);

impl<A> ByPolicy<A> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P: AuthProxy, A: Policy<P>> Rule<P> for ByPolicy<A> {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        visitor.decided(A::allow(visitor.session(), visitor.token()))
    }

    fn is_signed_in(&self) -> bool {
        is_any_session::<A>()
    }
}

impl<A> fmt::Debug for ByPolicy<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByPolicy")
    }
}

/// Whether the policy is [`AnySession`], which does not read the session.
fn is_any_session<A: 'static>() -> bool {
    TypeId::of::<A>() == TypeId::of::<AnySession>()
}

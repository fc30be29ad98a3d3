//! What can be used as a rule: rules, types that implement `Policy`, and functions.

use super::function::{AsyncFunction, Function};
use super::{Decision, Rule};
use crate::extract::{Session, Token};
use crate::guard::policy::{ByPolicy, Policy};
use crate::provider::AuthProxy;

/// What can be used as a rule of the proxy `P`:
///
/// - the rules of [`rules`](crate::rules), and every other [`Rule`];
/// - a value whose type implements [`Policy`];
/// - a function `Fn(&Session<P>, Option<&Token<P>>) -> bool`;
/// - a function `Fn(Session<P>, Option<Token<P>>)` that returns a future of `bool` or [`Decision`].
///
/// `M` says which of them it is. The compiler finds it.
///
/// ```
/// # use auth_proxy::{Policy, Session, Token, auth_proxy, rules::{Decision, all, role}};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # struct Members;
/// # impl Members { async fn contain(&self, _: &str) -> std::io::Result<bool> { Ok(true) } }
/// struct Verified;
///
/// impl Policy<Auth> for Verified {
///     fn allow(session: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
///         session.user.email.is_some()
///     }
/// }
///
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(all((
///     role("editor"),
///     Verified,
///     |session: &Session<Auth>, _: Option<&Token<Auth>>| !session.is_stale(),
///     |session: Session<Auth>, _: Option<Token<Auth>>| async move {
///         let id = session.user.id.as_deref().unwrap_or_default();
///         Members.contain(id).await.map_or_else(Decision::unavailable, Decision::from)
///     },
/// )));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rule of the proxy `{P}`",
    label = "neither a rule, nor a policy, nor a function of session and token",
    note = "write a rule such as `role(\"admin\")`, a value whose type implements `Policy<{P}>`, or `|session: &Session<{P}>, token: Option<&Token<{P}>>| ..`"
)]
pub trait IntoRule<P: AuthProxy, M> {
    /// The rule.
    type Rule: Rule<P>;

    /// Makes the rule.
    fn into_rule(self) -> Self::Rule;
}

/// Which implementation of [`IntoRule`] it is. With one type for each, they do not overlap.
pub(crate) mod marker {
    use std::marker::PhantomData;

    /// A rule.
    #[derive(Debug)]
    pub struct Rule;
    /// A value whose type is a policy.
    #[derive(Debug)]
    pub struct Policy;
    /// A function.
    #[derive(Debug)]
    pub struct Function;
    /// A function that returns a future.
    #[derive(Debug)]
    pub struct AsyncFunction<F>(PhantomData<fn() -> F>);
    /// `all(..)` of these.
    #[derive(Debug)]
    pub struct All<M>(PhantomData<fn() -> M>);
    /// `any(..)` of these.
    #[derive(Debug)]
    pub struct Any<M>(PhantomData<fn() -> M>);
    /// `not(..)` of this.
    #[derive(Debug)]
    pub struct Not<M>(PhantomData<fn() -> M>);
    /// Several of one kind.
    #[derive(Debug)]
    pub struct Several<M>(PhantomData<fn() -> M>);
}

impl<P: AuthProxy, R: Rule<P>> IntoRule<P, marker::Rule> for R {
    type Rule = R;

    fn into_rule(self) -> R {
        self
    }
}

impl<P: AuthProxy, A: Policy<P>> IntoRule<P, marker::Policy> for A {
    type Rule = ByPolicy<A>;

    fn into_rule(self) -> ByPolicy<A> {
        ByPolicy::new()
    }
}

impl<P, F> IntoRule<P, marker::Function> for F
where
    P: AuthProxy,
    F: Fn(&Session<P>, Option<&Token<P>>) -> bool + Send + Sync + 'static,
{
    type Rule = Function<F>;

    fn into_rule(self) -> Function<F> {
        Function(self)
    }
}

impl<P, F, A> IntoRule<P, marker::AsyncFunction<A>> for F
where
    P: AuthProxy,
    F: Fn(Session<P>, Option<Token<P>>) -> A + Send + Sync + 'static,
    A: Future<Output: Into<Decision>> + Send + 'static,
{
    type Rule = AsyncFunction<F>;

    fn into_rule(self) -> AsyncFunction<F> {
        AsyncFunction(self)
    }
}

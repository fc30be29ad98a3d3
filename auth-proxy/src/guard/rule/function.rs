//! Rules made of policies and functions.

use std::fmt;
use std::marker::PhantomData;

use super::{Decision, Rule, Visitor};
use crate::extract::{Session, Token};
use crate::guard::Policy;
use crate::guard::policy::is_any_session;
use crate::provider::AuthProxy;

/// The rule of a [`Policy`]: that of `auth.require_policy::<Admin>()` and of `auth.require(Admin)`.
pub struct ByPolicy<A>(PhantomData<fn() -> A>);

impl<A> ByPolicy<A> {
    pub(in crate::guard) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P: AuthProxy, A: Policy<P>> Rule<P> for ByPolicy<A> {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        decided(A::allow(visitor.session(), visitor.token()).into(), visitor)
    }

    fn is_signed_in(&self) -> bool {
        is_any_session::<A>()
    }
}

/// A function as a rule.
pub struct Function<F>(pub(super) F);

impl<P, F> Rule<P> for Function<F>
where
    P: AuthProxy,
    F: Fn(&Session<P>, Option<&Token<P>>) -> bool + Send + Sync + 'static,
{
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        decided((self.0)(visitor.session(), visitor.token()).into(), visitor)
    }
}

/// A function that returns a future, as a rule.
pub struct AsyncFunction<F>(pub(super) F);

impl<P, F, A> Rule<P> for AsyncFunction<F>
where
    P: AuthProxy,
    F: Fn(Session<P>, Option<Token<P>>) -> A + Send + Sync + 'static,
    A: Future<Output: Into<Decision>> + Send + 'static,
{
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        let future = (self.0)(visitor.session().clone(), visitor.token().cloned());
        decided(future.await.into(), visitor)
    }
}

/// The decision of a function that gets no token if the token cannot be read.
fn decided<P: AuthProxy>(decision: Decision, visitor: &Visitor<'_, P>) -> Decision {
    match decision {
        Decision::Refuse => visitor.refusal(),
        decision => decision,
    }
}

impl<A> fmt::Debug for ByPolicy<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByPolicy")
    }
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

impl<F> fmt::Debug for AsyncFunction<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncFunction")
    }
}

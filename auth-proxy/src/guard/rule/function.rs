//! Rules made of functions.

use std::fmt;

use super::{Decision, Rule, Visitor};
use crate::extract::{Session, Token};
use crate::provider::AuthProxy;

/// A function as a rule.
pub struct Function<F>(pub(super) F);

impl<P, F> Rule<P> for Function<F>
where
    P: AuthProxy,
    F: Fn(&Session<P>, Option<&Token<P>>) -> bool + Send + Sync + 'static,
{
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        visitor.decided((self.0)(visitor.session(), visitor.token()))
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
        visitor.decided(future.await)
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

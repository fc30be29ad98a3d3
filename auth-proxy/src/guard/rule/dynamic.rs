//! A rule whose type is not known when the code is written.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::{Decision, IntoRule, Rule, Visitor};
use crate::provider::AuthProxy;

/// A rule of any type, as a value that is cheap to clone: for a list or a table of rules, such as one from a configuration
/// file.
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// use std::collections::HashMap;
///
/// use auth_proxy::rules::{DynRule, any, role, signed_in};
///
/// let rules: HashMap<&str, DynRule<Auth>> = HashMap::from([
///     ("/members", DynRule::new(signed_in())),
///     ("/reports", DynRule::new(any((role("admin"), role("auditor"))))),
/// ]);
/// ```
pub struct DynRule<P: AuthProxy>(Arc<dyn Boxed<P>>);

impl<P: AuthProxy> DynRule<P> {
    /// Makes one of a rule, a policy or a function.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, rules::{DynRule, role}};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// let admin: DynRule<Auth> = DynRule::new(role("admin"));
    /// ```
    #[must_use]
    pub fn new<M>(rule: impl IntoRule<P, M>) -> Self {
        Self(Arc::new(rule.into_rule()))
    }
}

/// [`Rule`] with a boxed future.
trait Boxed<P: AuthProxy>: Send + Sync {
    fn check<'c>(
        &'c self,
        visitor: &'c Visitor<'_, P>,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'c>>;

    fn is_signed_in(&self) -> bool;
}

impl<P: AuthProxy, R: Rule<P>> Boxed<P> for R {
    fn check<'c>(
        &'c self,
        visitor: &'c Visitor<'_, P>,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'c>> {
        Box::pin(Rule::check(self, visitor))
    }

    fn is_signed_in(&self) -> bool {
        Rule::is_signed_in(self)
    }
}

impl<P: AuthProxy> Rule<P> for DynRule<P> {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        self.0.check(visitor).await
    }

    fn is_signed_in(&self) -> bool {
        self.0.is_signed_in()
    }
}

impl<P: AuthProxy> Clone for DynRule<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: AuthProxy> fmt::Debug for DynRule<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynRule")
    }
}

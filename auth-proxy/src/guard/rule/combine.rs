//! Rules made of rules: `all`, `any`, `not`.

use std::fmt;

use super::convert::{IntoRule, marker};
use super::list::IntoRules;
use super::{Decision, DynRule, Rule, Visitor};
use crate::provider::AuthProxy;

/// Allows a visitor whom every one of these rules allows: `all((role("admin"), max_age(..)))`. The rules are a tuple, an
/// array or a `Vec`.
///
/// The rules are asked in order, until one certainly refuses. Without any rule everyone is refused.
///
/// ```
/// # use std::time::Duration;
/// # use auth_proxy::{auth_proxy, rules::{all, max_age, role}};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(all((role("admin"), max_age(Duration::from_secs(600)))));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn all<L>(rules: L) -> All<L> {
    All(rules)
}

/// Allows a visitor whom at least one of these rules allows: `any((role("admin"), role("editor")))`. The rules are a tuple,
/// an array or a `Vec`.
///
/// The rules are asked in order, until one allows. If none does, and one of them could not decide, the answer is its error;
/// else, if a new sign-in would satisfy one, a new sign-in. Without any rule everyone is refused.
///
/// ```
/// # use auth_proxy::{auth_proxy, rules::{any, role}};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(any(["admin", "editor"].map(role)));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn any<L>(rules: L) -> Any<L> {
    Any(rules)
}

/// Allows a visitor whom this rule certainly refuses. If the rule cannot decide, the visitor is refused:
/// `not(role("guest"))` refuses a visitor without any role, one whose token is invalid, and everyone in an outage. It also
/// refuses a visitor who could satisfy the rule by a new sign-in.
///
/// ```
/// # use auth_proxy::{auth_proxy, rules::{not, role}};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(not(role("guest")));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn not<R>(rule: R) -> Not<R> {
    Not(rule)
}

/// The rule of [`all`].
///
/// ```
/// use auth_proxy::rules::{All, Has, all, role};
///
/// let both: All<(Has, Has)> = all((role("admin"), role("auditor")));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct All<L>(L);

/// The rule of [`any`].
///
/// ```
/// use auth_proxy::rules::{Any, Has, any, role};
///
/// let either: Any<[Has; 2]> = any([role("admin"), role("auditor")]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Any<L>(L);

/// The rule of [`not`].
///
/// ```
/// use auth_proxy::rules::{Has, Not, not, role};
///
/// let no_guest: Not<Has> = not(role("guest"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Not<R>(R);

#[diagnostic::do_not_recommend]
impl<P: AuthProxy, L: IntoRules<P, M>, M> IntoRule<P, marker::All<M>> for All<L> {
    type Rule = AllOf<P>;

    fn into_rule(self) -> AllOf<P> {
        AllOf(self.0.into_rules())
    }
}

#[diagnostic::do_not_recommend]
impl<P: AuthProxy, L: IntoRules<P, M>, M> IntoRule<P, marker::Any<M>> for Any<L> {
    type Rule = AnyOf<P>;

    fn into_rule(self) -> AnyOf<P> {
        AnyOf(self.0.into_rules())
    }
}

#[diagnostic::do_not_recommend]
impl<P: AuthProxy, R: IntoRule<P, M>, M> IntoRule<P, marker::Not<M>> for Not<R> {
    type Rule = NotOf<R::Rule>;

    fn into_rule(self) -> NotOf<R::Rule> {
        NotOf(self.0.into_rule())
    }
}

/// [`All`], for one proxy.
#[doc(hidden)]
pub struct AllOf<P: AuthProxy>(Vec<DynRule<P>>);

impl<P: AuthProxy> Rule<P> for AllOf<P> {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        let mut together = None;
        for rule in &self.0 {
            let decision = rule.check(visitor).await;
            // No other rule can change this.
            if matches!(decision, Decision::Refuse) {
                return decision;
            }
            together = Some(match together {
                None => decision,
                Some(before) => both(before, decision),
            });
        }
        together.unwrap_or(Decision::Unknown)
    }
}

/// The decision if both rules have to allow. Neither certainly refuses.
fn both(one: Decision, two: Decision) -> Decision {
    match (one, two) {
        (error @ Decision::Unavailable(_), _) | (_, error @ Decision::Unavailable(_)) => error,
        (unknown @ (Decision::Unknown | Decision::SignInTimeUnknown), _)
        | (_, unknown @ (Decision::Unknown | Decision::SignInTimeUnknown)) => unknown,
        (Decision::StepUp(one), Decision::StepUp(two)) => Decision::StepUp(one.and(two)),
        (Decision::Allow, other) | (other, Decision::Allow) => other,
        (refuse, _) => refuse,
    }
}

/// [`Any`], for one proxy.
#[doc(hidden)]
pub struct AnyOf<P: AuthProxy>(Vec<DynRule<P>>);

impl<P: AuthProxy> Rule<P> for AnyOf<P> {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        let mut together = None;
        for rule in &self.0 {
            let decision = rule.check(visitor).await;
            if matches!(decision, Decision::Allow) {
                return decision;
            }
            together = Some(match together {
                None => decision,
                Some(before) => either(before, decision),
            });
        }
        together.unwrap_or(Decision::Unknown)
    }
}

/// The decision if one of the rules has to allow. Neither does.
fn either(one: Decision, two: Decision) -> Decision {
    match (one, two) {
        (error @ Decision::Unavailable(_), _) | (_, error @ Decision::Unavailable(_)) => error,
        (step_up @ Decision::StepUp(_), _) | (_, step_up @ Decision::StepUp(_)) => step_up,
        (Decision::Refuse, other) | (other, _) => other,
    }
}

/// [`Not`], for one proxy.
#[doc(hidden)]
pub struct NotOf<R>(R);

impl<P: AuthProxy, R: Rule<P>> Rule<P> for NotOf<R> {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        match self.0.check(visitor).await {
            Decision::Allow => Decision::Refuse,
            // It is refused, but not certainly: an outer `not` must not turn it into a permission.
            Decision::StepUp(_) => Decision::Unknown,
            Decision::Refuse => match visitor.refusal() {
                Decision::Refuse => Decision::Allow,
                // The token that the rule may have read is invalid, or cannot be verified now.
                uncertain => uncertain,
            },
            uncertain => uncertain,
        }
    }
}

impl<P: AuthProxy> fmt::Debug for AllOf<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AllOf")
    }
}

impl<P: AuthProxy> fmt::Debug for AnyOf<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyOf")
    }
}

impl<R> fmt::Debug for NotOf<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotOf")
    }
}

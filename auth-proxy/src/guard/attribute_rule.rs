//! The rules of `#[require_session]` as types: `#[require_session(Auth, role("admin"))]` writes
//! `AttributeRule<Role<Text<..>>>`.
//!
//! The attribute adds an argument to a handler, and only a type says there which rule it is. A text is a type with its
//! bytes as numbers.

use std::marker::PhantomData;
use std::time::Duration;

use super::Policy;
use super::rule::{self, DynRule, Rule};
use crate::extract::{Session, Token};
use crate::provider::AuthProxy;

/// A rule as a policy.
#[derive(Debug)]
pub struct AttributeRule<R>(PhantomData<fn() -> R>);

// An error about a missing policy does not list it: nobody writes it by hand.
#[diagnostic::do_not_recommend]
impl<P: AuthProxy, R: ToRule<P>> Policy<P> for AttributeRule<R> {
    /// The guard asks the rule and not this.
    fn allow(_: &Session<P>, _: Option<&Token<P>>) -> bool {
        false
    }

    fn rule() -> impl Rule<P> {
        R::to_rule()
    }
}

/// Makes the rule that a type stands for.
pub trait ToRule<P: AuthProxy>: 'static {
    /// The rule.
    fn to_rule() -> DynRule<P>;
}

/// A text of so many bytes, which are the first of these numbers. The macro knows how many bytes they have (`LONGEST` in
/// `require_session/rule.rs`).
#[derive(Debug)]
pub struct Text<const LENGTH: usize, const A: u128, const B: u128, const C: u128, const D: u128>;

/// A text as a type.
pub trait ToText: 'static {
    /// The text.
    fn to_text() -> String;
}

impl<const LENGTH: usize, const A: u128, const B: u128, const C: u128, const D: u128> ToText
    for Text<LENGTH, A, B, C, D>
{
    fn to_text() -> String {
        let bytes = [A, B, C, D].into_iter().flat_map(u128::to_be_bytes).take(LENGTH).collect();
        // The macro writes the bytes of a `str`.
        String::from_utf8(bytes).unwrap_or_default()
    }
}

macro_rules! of_a_text {
    ($($(#[$doc:meta])* $name:ident = $rule:path;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name<T>(PhantomData<fn() -> T>);

            impl<P: AuthProxy, T: ToText> ToRule<P> for $name<T> {
                fn to_rule() -> DynRule<P> {
                    DynRule::new($rule(T::to_text()))
                }
            }
        )+
    };
}

of_a_text! {
    /// `role("..")`.
    Role = rule::role;
    /// `permission("..")`.
    Permission = rule::permission;
    /// `organization("..")`.
    Organization = rule::organization;
    /// `acr("..")`.
    Acr = rule::acr;
}

/// `signed_in()`.
#[derive(Debug)]
pub struct SignedIn;

impl<P: AuthProxy> ToRule<P> for SignedIn {
    fn to_rule() -> DynRule<P> {
        DynRule::new(rule::signed_in())
    }
}

/// `max_age(..)`, in seconds.
#[derive(Debug)]
pub struct MaxAge<const SECONDS: u64>;

impl<P: AuthProxy, const SECONDS: u64> ToRule<P> for MaxAge<SECONDS> {
    fn to_rule() -> DynRule<P> {
        DynRule::new(rule::max_age(Duration::from_secs(SECONDS)))
    }
}

/// A policy in a list of rules.
#[derive(Debug)]
pub struct Of<A>(PhantomData<fn() -> A>);

impl<P: AuthProxy, A: Policy<P>> ToRule<P> for Of<A> {
    fn to_rule() -> DynRule<P> {
        DynRule::new(A::rule())
    }
}

/// `not(..)`.
#[derive(Debug)]
pub struct Not<R>(PhantomData<fn() -> R>);

impl<P: AuthProxy, R: ToRule<P>> ToRule<P> for Not<R> {
    fn to_rule() -> DynRule<P> {
        DynRule::new(rule::not(R::to_rule()))
    }
}

/// `all(..)`.
#[derive(Debug)]
pub struct All<L>(PhantomData<fn() -> L>);

impl<P: AuthProxy, L: ToRules<P>> ToRule<P> for All<L> {
    fn to_rule() -> DynRule<P> {
        DynRule::new(rule::all(L::to_rules()))
    }
}

/// `any(..)`.
#[derive(Debug)]
pub struct Any<L>(PhantomData<fn() -> L>);

impl<P: AuthProxy, L: ToRules<P>> ToRule<P> for Any<L> {
    fn to_rule() -> DynRule<P> {
        DynRule::new(rule::any(L::to_rules()))
    }
}

/// Makes the rules of a list: `()`, or `(A, L)` with the first rule and the list of the others.
pub trait ToRules<P: AuthProxy>: 'static {
    /// The rules.
    fn to_rules() -> Vec<DynRule<P>>;
}

impl<P: AuthProxy> ToRules<P> for () {
    fn to_rules() -> Vec<DynRule<P>> {
        Vec::new()
    }
}

impl<P: AuthProxy, A: ToRule<P>, L: ToRules<P>> ToRules<P> for (A, L) {
    fn to_rules() -> Vec<DynRule<P>> {
        std::iter::once(A::to_rule()).chain(L::to_rules()).collect()
    }
}

//! Lists of rules, for `all` and `any`.

use super::convert::{IntoRule, marker};
use super::dynamic::DynRule;
use crate::provider::AuthProxy;

/// Several rules: a tuple of up to twelve, an array, or a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not rules of the proxy `{P}`",
    label = "neither a tuple, nor an array, nor a `Vec` of rules",
    note = "write the rules as a tuple: `all((role(\"admin\"), role(\"auditor\")))`"
)]
pub trait IntoRules<P: AuthProxy, M> {
    /// Makes the rules.
    fn into_rules(self) -> Vec<DynRule<P>>;
}

impl<P: AuthProxy, R: IntoRule<P, M>, M> IntoRules<P, marker::Several<M>> for Vec<R> {
    fn into_rules(self) -> Vec<DynRule<P>> {
        self.into_iter().map(DynRule::new).collect()
    }
}

impl<P: AuthProxy, R: IntoRule<P, M>, M, const N: usize> IntoRules<P, marker::Several<M>> for [R; N] {
    fn into_rules(self) -> Vec<DynRule<P>> {
        self.into_iter().map(DynRule::new).collect()
    }
}

macro_rules! tuples {
    ($(($($rule:ident $marker:ident),+))+) => {
        $(
            impl<P: AuthProxy, $($rule: IntoRule<P, $marker>, $marker),+> IntoRules<P, ($($marker,)+)>
                for ($($rule,)+)
            {
                fn into_rules(self) -> Vec<DynRule<P>> {
                    #[expect(non_snake_case, reason = "the names of the types")]
                    let ($($rule,)+) = self;
                    vec![$(DynRule::new($rule)),+]
                }
            }
        )+
    };
}

tuples! {
    (A MA)
    (A MA, B MB)
    (A MA, B MB, C MC)
    (A MA, B MB, C MC, D MD)
    (A MA, B MB, C MC, D MD, E ME)
    (A MA, B MB, C MC, D MD, E ME, F MF)
    (A MA, B MB, C MC, D MD, E ME, F MF, G MG)
    (A MA, B MB, C MC, D MD, E ME, F MF, G MG, H MH)
    (A MA, B MB, C MC, D MD, E ME, F MF, G MG, H MH, I MI)
    (A MA, B MB, C MC, D MD, E ME, F MF, G MG, H MH, I MI, J MJ)
    (A MA, B MB, C MC, D MD, E ME, F MF, G MG, H MH, I MI, J MJ, K MK)
    (A MA, B MB, C MC, D MD, E ME, F MF, G MG, H MH, I MI, J MJ, K MK, L ML)
}

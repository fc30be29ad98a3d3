//! Reads a rule in the arguments of `#[require_session]`, such as `all(role("admin"), max_age(10m))`, as a type: the guard
//! is an argument of the handler, and only types stand there.

use std::time::Duration;

use auth_proxy_rules::{duration, nearest};
use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Lit, Type};

use super::mistakes::{self, RULES};
use crate::errors::Errors;
use crate::tokens::{at_commas_outside_angles, flatten, is_punct, stream};

/// The longest text, in bytes: four numbers of 16 bytes, which the type `Text` of the runtime has (`guard/written.rs`).
const LONGEST: usize = 64;

/// Whether this is a call of a function, whose name is in lower case: a rule, or meant to be one.
pub(super) fn is_rule(piece: &[TokenTree]) -> bool {
    matches!(piece, [TokenTree::Ident(name), TokenTree::Group(arguments)]
        if arguments.delimiter() == Delimiter::Parenthesis && name.to_string().starts_with(char::is_lowercase))
}

/// A rule as a type.
pub(super) struct Rule {
    pub(super) ty: TokenStream,
    /// The policies in it.
    pub(super) policies: Vec<Type>,
}

/// Reads a rule. `None` after a mistake.
pub(super) fn parse(piece: &[TokenTree], krate: &TokenStream, errors: &mut Errors) -> Option<Rule> {
    let mut reader = Reader { types: quote!(#krate::__private::rule), policies: Vec::new(), errors };
    let rule = reader.rule(piece)?;
    let types = &reader.types;
    Some(Rule { ty: quote!(#types::AttributeRule<#rule>), policies: reader.policies })
}

/// The type of a list of rules: `(A, (B, ()))`.
fn list(rules: &[TokenStream]) -> TokenStream {
    rules.iter().rev().fold(quote!(()), |rest, rule| quote!((#rule, #rest)))
}

struct Reader<'e> {
    /// The path of the types.
    types: TokenStream,
    policies: Vec<Type>,
    errors: &'e mut Errors,
}

impl Reader<'_> {
    fn rule(&mut self, piece: &[TokenTree]) -> Option<TokenStream> {
        let [TokenTree::Ident(name), TokenTree::Group(arguments)] = piece else { return None };
        let inside: Vec<TokenTree> = flatten(&arguments.stream().into_iter().collect::<Vec<_>>());
        let types = self.types.clone();
        match name.to_string().as_str() {
            "signed_in" if inside.is_empty() => Some(quote!(#types::SignedIn)),
            "signed_in" => self.mistake(&inside, arguments, "`signed_in` takes nothing: remove it"),
            kind @ ("role" | "permission" | "organization" | "acr") => {
                let ty = Ident::new(
                    match kind {
                        "role" => "Role",
                        "permission" => "Permission",
                        "organization" => "Organization",
                        _ => "Acr",
                    },
                    Span::call_site(),
                );
                let text = self.text(name, arguments, &inside)?;
                Some(quote!(#types::#ty<#text>))
            }
            "max_age" => {
                let seconds = self.seconds(arguments, &inside)?;
                Some(quote!(#types::MaxAge<#seconds>))
            }
            "all" => {
                let rules = list(&self.several(name, arguments, &inside)?);
                Some(quote!(#types::All<#rules>))
            }
            "any" => {
                let rules = list(&self.several(name, arguments, &inside)?);
                Some(quote!(#types::Any<#rules>))
            }
            "not" => match self.several(name, arguments, &inside)?.as_slice() {
                [rule] => Some(quote!(#types::Not<#rule>)),
                _ => {
                    self.mistake(&[], arguments, "`not` takes one rule: put them into `any(..)` or `all(..)`")
                }
            },
            unknown => {
                let message = match nearest(unknown, RULES) {
                    Some(meant) => format!("unknown rule `{unknown}`: write `{meant}`"),
                    None => format!(
                        "unknown rule `{unknown}`: the rules are `{}`; for another one write a type that implements \
                         `Policy<Auth>`",
                        RULES.join("`, `")
                    ),
                };
                self.errors.at(name, message);
                None
            }
        }
    }

    /// The rules in the parentheses of `all`, `any` and `not`. A second pair of brackets, as around the tuple or the array of
    /// the functions of these names, is allowed.
    fn several(&mut self, name: &Ident, arguments: &Group, inside: &[TokenTree]) -> Option<Vec<TokenStream>> {
        let mut pieces = at_commas_outside_angles(inside);
        let list: Vec<TokenTree>;
        if let [[TokenTree::Group(group)]] = pieces.as_slice()
            && group.delimiter() != Delimiter::Brace
        {
            list = flatten(&group.stream().into_iter().collect::<Vec<_>>());
            pieces = at_commas_outside_angles(&list);
        }
        if pieces.is_empty() {
            return self.mistake(
                &[],
                arguments,
                &format!("`{name}` needs a rule, as in `{name}(role(\"admin\"))`"),
            );
        }
        // Every mistake in the list is reported.
        let rules: Vec<Option<TokenStream>> = pieces.into_iter().map(|piece| self.one(piece)).collect();
        rules.into_iter().collect()
    }

    /// A rule or a policy in a list.
    fn one(&mut self, piece: &[TokenTree]) -> Option<TokenStream> {
        if is_rule(piece) {
            return self.rule(piece);
        }
        match syn::parse2::<Type>(stream(piece)) {
            Ok(ty @ Type::Path(_)) if !mistakes::is_call(piece) => {
                let types = &self.types;
                let rule = quote!(#types::Of<#ty>);
                self.policies.push(ty);
                Some(rule)
            }
            _ => {
                self.errors.at(stream(piece), mistakes::explain(piece, false).message);
                None
            }
        }
    }

    /// The type of a text.
    fn text(&mut self, name: &Ident, arguments: &Group, inside: &[TokenTree]) -> Option<TokenStream> {
        let text = match inside {
            [TokenTree::Literal(literal)] => match Lit::new(literal.clone()) {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        };
        let Some(text) = text else {
            let message = match inside {
                [TokenTree::Ident(word)] => format!("expected a text: write `\"{word}\"`"),
                [TokenTree::Literal(_), comma, ..] if is_punct(Some(comma), ',') => {
                    format!("`{name}` takes one text, as in `any({name}(..), {name}(..))`")
                }
                _ => format!("expected a text, as in `{name}(\"admin\")`"),
            };
            return self.mistake(inside, arguments, &message);
        };
        let length = text.len();
        if length == 0 || length > LONGEST {
            let message = format!(
                "expected a text of 1 to {LONGEST} bytes; for a longer one write a type that implements `Policy<Auth>`"
            );
            return self.mistake(inside, arguments, &message);
        }
        let mut bytes = text.into_bytes();
        bytes.resize(LONGEST, 0);
        let parts = bytes.chunks(16).map(|part| {
            let number = part.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
            Literal::u128_suffixed(number)
        });
        let types = &self.types;
        Some(quote!(#types::Text<#length #(, #parts)*>))
    }

    /// The seconds of a duration.
    fn seconds(&mut self, arguments: &Group, inside: &[TokenTree]) -> Option<u64> {
        let written: String = inside.iter().map(ToString::to_string).collect();
        let bare = written.trim_matches('"');
        let message = match duration(&written) {
            Ok(age) if age >= Duration::from_secs(1) && age.subsec_nanos() == 0 => {
                return Some(age.as_secs());
            }
            Ok(_) => "expected whole seconds, at least one: write `1s`".to_owned(),
            Err(_) if duration(bare).is_ok() => format!("a duration has no quotes here: write `{bare}`"),
            Err(_) if duration(&format!("{bare}s")).is_ok() => {
                format!("a duration needs a unit: write `{bare}s`, or `{bare}m` for minutes")
            }
            Err(_) => "expected a duration with the unit `s`, `m` or `h`: write `10m`".to_owned(),
        };
        self.mistake(inside, arguments, &message)
    }

    /// Reports a mistake at the tokens in the parentheses, or at the parentheses if these are empty.
    fn mistake<T>(&mut self, inside: &[TokenTree], arguments: &Group, message: &str) -> Option<T> {
        if inside.is_empty() {
            self.errors.at(arguments, message);
        } else {
            self.errors.at(stream(inside), message);
        }
        None
    }
}

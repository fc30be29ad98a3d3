//! Reads `env("NAME")`, `env("NAME", default = "..")` and `env("NAME", optional)`.

use auth_proxy_rules::{OptionKey, nearest};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Lit, LitStr};

use super::model::Env;
use crate::errors::Errors;
use crate::tokens::{self, entry_key, is_punct};

/// Reads `env(..)` and returns it with the tokens behind it.
///
/// `None` if the tokens do not start with `env`. `Some((None, ..))` if they do but a mistake was reported.
pub(super) fn read_env<'t>(
    option: OptionKey,
    tokens: &'t [TokenTree],
    errors: &mut Errors,
) -> Option<(Option<Env>, &'t [TokenTree])> {
    let Some(TokenTree::Ident(word)) = tokens.first() else { return None };
    if word != "env" {
        return None;
    }
    if is_punct(tokens.get(1), '!') {
        let all = tokens::stream(tokens.get(..3).unwrap_or(tokens));
        errors.at(all, "`env!` is read at compile time: write `env(\"..\")`, which is read at start");
        return Some((None, tokens.get(3..).unwrap_or_default()));
    }
    let rest = tokens.get(2..).unwrap_or_default();
    let all = tokens::stream(tokens.get(..2).unwrap_or(tokens));
    let Some(inner) = tokens::group(tokens.get(1), Delimiter::Parenthesis) else {
        errors.at(word, "name the variable: write `env(\"NAME\")`");
        return Some((None, tokens.get(1..).filter(|rest| entry_key(rest).is_some()).unwrap_or_default()));
    };
    if !option.takes_env() {
        errors.at(
            &all,
            format!(
                "`{option}` is part of the routes and must be known at compile time: write it as a literal"
            ),
        );
        return Some((None, rest));
    }
    Some((arguments(option, inner, all, errors), rest))
}

/// Reads the arguments of `env(..)`.
fn arguments(option: OptionKey, inner: TokenStream, all: TokenStream, errors: &mut Errors) -> Option<Env> {
    let pieces = tokens::at_commas(inner, errors);
    let mut pieces = pieces.iter().map(|piece| tokens::flatten(piece));
    let name = match pieces.next().as_deref() {
        Some([TokenTree::Literal(literal)]) => match Lit::new(literal.clone()) {
            Lit::Str(name) => name,
            _ => {
                errors.at(literal, "the name of a variable is a string: write `env(\"NAME\")`");
                return None;
            }
        },
        Some([TokenTree::Ident(ident)]) => {
            errors.at(ident, format!("the name of a variable is a string: write `env(\"{ident}\")`"));
            return None;
        }
        Some([TokenTree::Literal(_), more @ ..]) => {
            errors.at(tokens::stream(more), format!("write a `,` before `{}`", tokens::stream(more)));
            return None;
        }
        Some(other) => {
            errors.at(tokens::stream(other), "expected the name of a variable: write `env(\"NAME\")`");
            return None;
        }
        None => {
            errors.at(all, "name the variable: write `env(\"NAME\")`");
            return None;
        }
    };
    if !is_variable_name(&name.value()) {
        errors.at(
            &name,
            "the name of a variable holds letters, digits and `_`, and does not start with a digit",
        );
    }
    let mut env = Env { name, default: None, optional: false, tokens: all };
    for piece in pieces {
        extra(option, &piece, &mut env, errors);
    }
    if let (Some(default), true) = (&env.default, env.optional) {
        errors.at(default, "with a default the value is never missing: remove `optional`, or the default");
    }
    Some(env)
}

/// Reads `default = ".."` or `optional`.
fn extra(option: OptionKey, piece: &[TokenTree], env: &mut Env, errors: &mut Errors) {
    match piece {
        [TokenTree::Ident(word)] if word == "optional" => env.optional = true,
        [TokenTree::Ident(word), ..] if word == "optional" => {
            errors.at(tokens::stream(piece), "write `optional` alone");
        }
        [TokenTree::Ident(word), ..] if word == "default" && env.default.is_some() => {
            errors.at(tokens::stream(piece), "`default` is set twice: remove one");
        }
        [TokenTree::Ident(word), equals, TokenTree::Literal(value)] if word == "default" && is_punct(Some(equals), '=') => {
            match Lit::new(value.clone()) {
                Lit::Str(_) if option == OptionKey::Secret => {
                    errors.at(value, "secrets do not belong in source: remove the default");
                }
                Lit::Str(text) => env.default = Some(text),
                _ => errors.at(value, format!("a default is written in quotes, like the value of the variable: write `default = \"{value}\"`")),
            }
        }
        [TokenTree::Ident(word), equals, TokenTree::Ident(value)] if word == "default" && is_punct(Some(equals), '=') => {
            errors.at(value, format!("a default is written in quotes, like the value of the variable: write `default = \"{value}\"`"));
        }
        [TokenTree::Ident(word), ..] if word == "default" => {
            errors.at(tokens::stream(piece), "expected `default = \"..\"`, with the text that the variable would have");
        }
        [TokenTree::Literal(literal)] => {
            errors.at(literal, format!("name it: write `default = {literal}`"));
        }
        [TokenTree::Ident(word), ..] if nearest(&word.to_string(), ["optional"]).is_some() => {
            errors.at(word, format!("unknown argument `{word}`, did you mean `optional`?"));
        }
        _ => errors.at(tokens::stream(piece).into_token_stream(), "expected `default = \"..\"` or `optional`"),
    }
}

fn is_variable_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The text of a default, where one is given.
pub(super) fn default_text(env: &Env) -> Option<(&LitStr, String)> {
    env.default.as_ref().map(|default| (default, default.value()))
}

/// The `env(..)` to write for another way to name a variable: `std::env::var("X")`, `process.env.X`, `X`.
pub(super) fn variable(tokens: &[TokenTree]) -> Option<String> {
    let capitals = |token: &TokenTree| match token {
        TokenTree::Ident(word) if !word.to_string().contains(|c: char| c.is_ascii_lowercase()) => {
            Some(word.to_string())
        }
        _ => None,
    };
    let env = tokens.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "env"));
    let name = match (env, tokens) {
        (None, [only]) => capitals(only),
        (None, _) => None,
        (Some(at), _) => tokens.iter().skip(at + 1).find_map(|token| match token {
            TokenTree::Group(group) => match group.stream().into_iter().next() {
                Some(TokenTree::Literal(name)) => match Lit::new(name) {
                    Lit::Str(name) => Some(name.value()),
                    _ => None,
                },
                _ => None,
            },
            token => capitals(token),
        }),
    };
    name.map(|name| format!("env(\"{name}\")"))
}

//! Reads the value of an option: `env(..)`, a literal, a bare word or a list.

use auth_proxy_rules::{Draft, OptionKey, Shape};
use proc_macro2::{TokenStream, TokenTree};

use super::env::read_env;
use super::expression;
use super::literal::{self, Refusal};
use super::model::{Env, Value};
use super::strings::{only_string, string};
use super::{list, store, variable};
use crate::errors::Errors;
use crate::misspelt::Misspelt;
use crate::tokens::{self, before_next_entry};

/// Reads a value. Returns it with the tokens behind it.
///
/// The value ends before the next entry. A value that is an expression is refused as a whole.
pub(super) fn read<'t>(
    option: OptionKey,
    tokens: &'t [TokenTree],
    errors: &mut Errors,
) -> (Option<Value>, &'t [TokenTree]) {
    let (value, next) = tokens.split_at(before_next_entry(tokens));
    if option.shape() == Shape::Store {
        return (store::read(option, value, errors), next);
    }
    let is_list = matches!(option.shape(), Shape::List | Shape::Names);
    if let Some(message) = hint(option, value) {
        errors.at(tokens::stream(value), message);
        return (None, next);
    }
    if !is_list && let Some(message) = expression::advice(option, value, accepts) {
        errors.at(tokens::stream(value), message);
        return (None, next);
    }
    if !(is_list && variable::message(option, value).is_some())
        && let Some((env, rest)) = read_env(option, value, errors)
    {
        return (env.map(Value::Env), rest_or_next(rest, tokens, next));
    }
    if is_list {
        let (list, rest) = match value {
            // Only the comma is missing behind a list.
            [TokenTree::Group(_), TokenTree::Ident(_) | TokenTree::Literal(_), ..] => tokens.split_at(1),
            _ => (value, next),
        };
        return (list::read(option, list, errors, accepts), rest);
    }
    match literal::read(option, value) {
        Ok((text, used)) => {
            let (value, rest) = tokens.split_at(used.min(tokens.len()));
            (Some(Value::Literal { text, tokens: tokens::stream(value), items: Vec::new() }), rest)
        }
        Err(Refusal { message, tokens: used, meant }) => {
            match (meant, value) {
                (Some(meant), [TokenTree::Ident(word), ..]) => {
                    let misspelt = Misspelt::value(word, meant, expression::words(option), option);
                    errors.unknown_word(word, message, misspelt);
                }
                _ => errors.at(tokens::stream(value.get(..used).unwrap_or(value)), message),
            }
            (None, next)
        }
    }
}

/// Whether this text, as the value of the option in a block, would be accepted.
pub(super) fn accepts(option: OptionKey, source: &str) -> bool {
    let Ok(tokens) = source.parse::<TokenStream>() else { return false };
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut errors = Errors::default();
    let (found, _) = read(option, &tokens, &mut errors);
    match found {
        Some(Value::Literal { text, .. }) => {
            let is_valid = match option {
                OptionKey::Headers => auth_proxy_rules::header_value(&text).is_ok(),
                _ => Draft::default().set(option, &text).is_ok(),
            };
            errors.count() == 0 && is_valid
        }
        _ => false,
    }
}

/// What follows `env(..)`: the rest of the value if only a comma is missing, else the next entry. The rest of an
/// expression is part of the refused value.
fn rest_or_next<'t>(rest: &[TokenTree], tokens: &'t [TokenTree], next: &'t [TokenTree]) -> &'t [TokenTree] {
    match rest.first() {
        Some(TokenTree::Ident(_) | TokenTree::Literal(_)) => {
            tokens.get(tokens.len() - rest.len() - next.len()..).unwrap_or_default()
        }
        _ => next,
    }
}

/// Reads a secret, which is `env(..)` only.
pub(super) fn secret<'t>(
    option: OptionKey,
    tokens: &'t [TokenTree],
    errors: &mut Errors,
) -> (Option<Env>, &'t [TokenTree]) {
    let (value, next) = tokens.split_at(before_next_entry(tokens));
    let example = option.example();
    if let Some(message) = variable::message(option, value) {
        errors.at(tokens::stream(value), message);
        return (None, next);
    }
    if let Some((env, rest)) = read_env(option, value, errors) {
        return (env, rest_or_next(rest, tokens, next));
    }
    let list = list::brackets_in(value).filter(|_| value.len() > 1);
    let message = match (list, value) {
        (Some(list), _) => format!("a list of secrets: write `{list}`"),
        _ if only_string(value).is_some() || matches!(value, [TokenTree::Literal(_)]) => {
            format!("secrets do not belong in source: write `{example}`")
        }
        (None, [TokenTree::Ident(word)]) if !word.to_string().contains(|c: char| c.is_ascii_lowercase()) => {
            format!("a secret comes from a variable: write `env(\"{word}\")`, with the name of the variable")
        }
        _ => format!("expected `{example}`, or a list of them, newest first"),
    };
    errors.at(tokens::stream(value), message);
    (None, next)
}

/// The rules' advice for another name of a word, with or without quotes, in one or more tokens: `auth.js`.
fn hint(option: OptionKey, value: &[TokenTree]) -> Option<String> {
    let text = string(value).unwrap_or_else(|| value.iter().map(ToString::to_string).collect());
    option.hint(&text).map(|hint| format!("`{option}`: {hint}, found `{text}`"))
}

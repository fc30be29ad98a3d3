//! Reads the value of an option: `env(..)`, a literal, a bare word or a list.

use auth_proxy_rules::{OptionKey, Shape};
use proc_macro2::{Delimiter, TokenTree};
use syn::Lit;
use syn::ext::IdentExt as _;

use super::env::{read_env, variable};
use super::literal::{self, Refusal};
use super::model::{Env, Value};
use crate::errors::Errors;
use crate::tokens::{self, before_next_entry, entry_key};

/// Reads a value. Returns it with the tokens behind it.
pub(super) fn read<'t>(
    option: OptionKey,
    tokens: &'t [TokenTree],
    errors: &mut Errors,
) -> (Option<Value>, &'t [TokenTree]) {
    if let Some((env, rest)) = read_env(option, tokens, errors) {
        return (env.map(Value::Env), rest);
    }
    match text(option, tokens) {
        Ok((text, used)) => {
            let (value, rest) = tokens.split_at(used.min(tokens.len()));
            (Some(Value::Literal { text, tokens: tokens::stream(value) }), rest)
        }
        Err(refusal) => {
            let (refused, rest) = tokens.split_at(refusal.tokens.min(tokens.len()));
            errors.at(tokens::stream(refused), refusal.message);
            // Continue with the next entry. The tokens before it belong to the refused value.
            let next = rest.iter().position(|token| matches!(token, TokenTree::Ident(_)));
            let next = next.and_then(|at| rest.get(at..)).filter(|rest| entry_key(rest).is_some());
            (None, next.unwrap_or_default())
        }
    }
}

/// Reads a secret, which is `env(..)` only.
pub(super) fn secret<'t>(tokens: &'t [TokenTree], errors: &mut Errors) -> (Option<Env>, &'t [TokenTree]) {
    if let Some(read) = read_env(OptionKey::Secret, tokens, errors) {
        return read;
    }
    let first = tokens.first();
    let message = if matches!(first, Some(TokenTree::Literal(_))) {
        "secrets do not belong in source: write `env(\"AUTH_SECRET\")`".to_owned()
    } else {
        format!("expected `{}`, or a list of them, newest first", OptionKey::Secret.example())
    };
    errors.at(first, message);
    (None, tokens.get(1..).filter(|rest| entry_key(rest).is_some()).unwrap_or_default())
}

/// The text that the rules check, and the number of its tokens.
fn text(option: OptionKey, tokens: &[TokenTree]) -> Result<(String, usize), Refusal> {
    let value = tokens.get(..before_next_entry(tokens)).unwrap_or_default();
    let refuse = |message| Err(Refusal { message, tokens: value.len() });
    if option.takes_env()
        && !matches!(value.first(), Some(TokenTree::Literal(_)))
        && let Some(form) = variable(value)
    {
        return refuse(format!("`{option}` reads a variable as `env(..)`: write `{form}`"));
    }
    if let Some(hint) = hint(option, value) {
        return refuse(hint);
    }
    match (option.shape(), tokens.first()) {
        (Shape::List | Shape::Names, Some(first)) => {
            list(option, first).map(|text| (text, 1)).map_err(|message| Refusal { message, tokens: 1 })
        }
        _ => literal::read(option, tokens),
    }
}

/// The rules' advice for another name of a word, with or without quotes, in one or more tokens: `auth.js`.
fn hint(option: OptionKey, value: &[TokenTree]) -> Option<String> {
    let text = match value {
        [TokenTree::Literal(literal)] => match Lit::new(literal.clone()) {
            Lit::Str(text) => text.value(),
            _ => return None,
        },
        _ => value.iter().map(ToString::to_string).collect(),
    };
    option.hint(&text).map(|hint| format!("`{option}`: {hint}, found `{text}`"))
}

/// The items of a list as one text, with commas between them. The list is `["..", ".."]`, or for names also `[a, b]`.
fn list(option: OptionKey, first: &TokenTree) -> Result<String, String> {
    let example = option.example();
    let TokenTree::Group(group) = first else {
        return Err(format!("`{option}` is a list: write `{}: {example}`", option.key()));
    };
    let takes_words = option.shape() == Shape::Names;
    let refuse = || {
        let items = if takes_words { "names" } else { "strings" };
        Err(format!("a list of {items}: write `{example}`"))
    };
    if group.delimiter() != Delimiter::Bracket {
        return refuse();
    }
    let mut texts = Vec::new();
    for token in group.stream() {
        match &token {
            TokenTree::Literal(literal) => match Lit::new(literal.clone()) {
                Lit::Str(text) => texts.push(text.value()),
                _ => return refuse(),
            },
            TokenTree::Ident(word) if takes_words => texts.push(word.unraw().to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ',' => {}
            _ => return refuse(),
        }
    }
    Ok(texts.join(","))
}

//! Reads the value of a list option: `["..", ".."]`, or for names also `[a, b]`.

use auth_proxy_rules::{OptionKey, Shape};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;

use super::model::{Item, Value};
use super::strings::{only_string, string};
use super::variable;
use crate::errors::Errors;
use crate::tokens;

/// Whether a text would be accepted as the value of an option.
type Accepts = fn(OptionKey, &str) -> bool;

/// Reads a whole value as a list. Each bad item is reported on its own tokens.
pub(super) fn read(
    option: OptionKey,
    value: &[TokenTree],
    errors: &mut Errors,
    accepts: Accepts,
) -> Option<Value> {
    match value {
        [list] if brackets(list).is_some() => {}
        [other, ..] => {
            errors.at(tokens::stream(value), no_list(option, other, value, accepts));
            return None;
        }
        [] => return None,
    }
    let inner = value.first().and_then(brackets)?;
    let mut items = Vec::new();
    for piece in tokens::at_commas(inner, errors) {
        items.extend(item(option, &tokens::flatten(&piece), errors, accepts));
    }
    let text = items.iter().map(|item: &Item| item.text.as_str()).collect::<Vec<_>>().join(",");
    let tokens = tokens::stream(value);
    Some(Value::Literal { text, tokens, items })
}

fn brackets(token: &TokenTree) -> Option<TokenStream> {
    tokens::group(Some(token), Delimiter::Bracket)
}

/// The `[..]` in `vec![..]`, `&[..]`, `[..].to_vec()` or `Vec::from([..])`.
pub(super) fn brackets_in(value: &[TokenTree]) -> Option<TokenTree> {
    value.iter().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some(token.clone()),
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            brackets_in(&group.stream().into_iter().collect::<Vec<_>>())
        }
        _ => None,
    })
}

/// The message for a value that is no list.
fn no_list(option: OptionKey, first: &TokenTree, value: &[TokenTree], accepts: Accepts) -> String {
    let key = option.key();
    if let Some(message) = variable::message(option, value) {
        return message;
    }
    let written = match (brackets_in(value), first) {
        (Some(list), _) if value.len() > 1 => Some(list.to_string()),
        // `("a", "b")` and `{ "a" }`
        (_, TokenTree::Group(group)) if value.len() == 1 => Some(format!("[{}]", group.stream())),
        _ => string(value).map(|text| {
            let items = text.split(',').map(|item| format!("\"{}\"", item.trim()));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }),
    };
    let written = match (written, value) {
        (None, [TokenTree::Ident(word)]) if option.shape() == Shape::Names => Some(format!("[{word}]")),
        // `10.0.0.0/8`
        (None, _) if !value.iter().any(|token| matches!(token, TokenTree::Group(_))) => {
            Some(format!("[\"{}\"]", value.iter().map(ToString::to_string).collect::<String>()))
        }
        (written, _) => written,
    };
    let written = written.filter(|written| accepts(option, written));
    format!("`{option}` is a list: write `{key}: {}`", written.as_deref().unwrap_or(option.example()))
}

fn item(option: OptionKey, tokens: &[TokenTree], errors: &mut Errors, accepts: Accepts) -> Option<Item> {
    let all = tokens::stream(tokens);
    if let Some(text) = string(tokens) {
        return Some(Item { text, tokens: all });
    }
    let example = option.example();
    match tokens {
        [TokenTree::Ident(word)] if option.shape() == Shape::Names => {
            return Some(Item { text: word.unraw().to_string(), tokens: all });
        }
        [TokenTree::Literal(first), second @ TokenTree::Literal(_), ..] => {
            errors.at(second, format!("expected `,` before this: write `{first}, {second}`"));
        }
        _ if variable::env_form(option, tokens).is_some() || is_env(tokens) => {
            let name = variable::name(tokens).unwrap_or_else(|| "NAME".to_owned());
            let message = format!(
                "one variable holds the whole list, with commas between the items: write `{}: env(\"{name}\")`",
                option.key()
            );
            errors.at(all, message);
        }
        _ => {
            let text = only_string(tokens)
                .unwrap_or_else(|| tokens.iter().map(ToString::to_string).collect::<String>());
            let list = format!("[\"{text}\"]");
            let message = if !text.contains(['"', ' ', '(', '[', '{']) && accepts(option, &list) {
                format!("an item is a string: write `\"{text}\"`")
            } else if option.shape() == Shape::Names {
                format!("a list of names: write `{}: {example}`", option.key())
            } else {
                format!("a list of strings: write `{}: {example}`", option.key())
            };
            errors.at(all.into_token_stream(), message);
        }
    }
    None
}

fn is_env(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Ident(env), TokenTree::Group(_), ..] if env == "env")
}

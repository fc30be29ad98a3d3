//! Reads `session.store`: `redis(env("REDIS_URL"))`, or `redis("redis://host:port")`.

use auth_proxy_rules::{Draft, OptionKey, has_password};
use proc_macro2::{Delimiter, TokenTree};
use quote::ToTokens as _;

use super::env::read_env;
use super::model::{Env, Value};
use super::strings::string;
use super::variable;
use crate::errors::Errors;
use crate::tokens::{self, is_punct};

/// Reads the value. It ends before the next entry.
pub(super) fn read(option: OptionKey, value: &[TokenTree], errors: &mut Errors) -> Option<Value> {
    let value = tokens::flatten(value);
    let (kind, address) = kind_and_address(&value);
    // Comes first: the advice of other messages repeats what is written.
    if let Some(literal) = password(&value) {
        let variable = variable::name(&address).map(|name| format!("redis(env(\"{name}\"))"));
        let written = variable.unwrap_or_else(|| option.example().to_owned());
        errors.at(literal, format!("secrets do not belong in source: write `{written}`"));
        return None;
    }
    match kind.as_deref() {
        Some("redis") if !address.is_empty() => redis(option, &address, errors),
        _ => {
            errors.at(tokens::stream(&value), advice(option, kind.as_deref(), &value, &address));
            None
        }
    }
}

/// The word before the parentheses and the tokens in them. Without such a word all tokens are the address.
fn kind_and_address(value: &[TokenTree]) -> (Option<String>, Vec<TokenTree>) {
    match value {
        [TokenTree::Ident(kind), TokenTree::Group(group)]
            if group.delimiter() == Delimiter::Parenthesis && (kind == "redis" || kind == "valkey") =>
        {
            let address = group.stream().into_iter().collect::<Vec<_>>();
            (Some(kind.to_string()), tokens::flatten(&address))
        }
        _ => (None, value.to_vec()),
    }
}

/// Reads the tokens in `redis(..)`.
fn redis(option: OptionKey, tokens: &[TokenTree], errors: &mut Errors) -> Option<Value> {
    let mut parts = tokens.splitn(2, |token| is_punct(Some(token), ','));
    let (address, behind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let or_example = |written: Option<String>| written.unwrap_or_else(|| option.example().to_owned());
    if !behind.is_empty() {
        let written = or_example(written(option, address));
        errors.at(tokens::stream(behind), format!("expected nothing behind the address: write `{written}`"));
        return None;
    }
    if let Some(text) = string(address) {
        return Some(Value::Literal { text, tokens: tokens::stream(address), items: Vec::new() });
    }
    if let Some(env) = variable::env_form(option, address) {
        errors.at(tokens::stream(address), format!("a variable is read as `env(..)`: write `redis({env})`"));
        return None;
    }
    match read_env(option, address, errors) {
        Some((env, [])) => env.map(Value::Env),
        Some((_, rest)) => {
            let message = format!("expected nothing behind the address: write `{}`", option.example());
            errors.at(tokens::stream(rest), message);
            None
        }
        None => {
            let message = format!("expected the address of Redis: write `{}`", option.example());
            errors.at(tokens::stream(tokens), message);
            None
        }
    }
}

/// What to write in place of a value that is no store.
fn advice(option: OptionKey, kind: Option<&str>, value: &[TokenTree], address: &[TokenTree]) -> String {
    let example = option.example();
    let word = match value {
        [TokenTree::Ident(word), ..] => word.to_string(),
        _ => String::new(),
    };
    let written = written(option, address);
    match (kind, word.as_str()) {
        (_, "redis") => format!("`redis` needs an address: write `{example}`"),
        (_, "valkey") => {
            format!("Valkey is used like Redis: write `{}`", written.as_deref().unwrap_or(example))
        }
        (_, "memory" | "off" | "none") => "this process's memory is the default: remove `store`".to_owned(),
        _ => match written {
            Some(written) => format!("name the kind of store: write `{written}`"),
            None => format!("expected `{example}`"),
        },
    }
}

/// The value with this address, if it is one.
fn written(option: OptionKey, address: &[TokenTree]) -> Option<String> {
    if let Some(url) = string(address) {
        return Draft::default().set(option, &url).is_ok().then(|| format!("redis({url:?})"));
    }
    if let Some(env) = variable::env_form(option, address) {
        return Some(format!("redis({env})"));
    }
    // Its mistakes are reported when the value is written so.
    match read_env(option, address, &mut Errors::default())? {
        (Some(Env { name, default, optional, .. }), []) => {
            let name = name.to_token_stream();
            let default = default.map(|default| format!(", default = {}", default.to_token_stream()));
            let optional = if optional { ", optional" } else { "" };
            Some(format!("redis(env({name}{}{optional}))", default.unwrap_or_default()))
        }
        _ => None,
    }
}

/// The first string literal, at any depth, that contains a password.
fn password(tokens: &[TokenTree]) -> Option<TokenTree> {
    tokens.iter().find_map(|token| match token {
        TokenTree::Group(group) => password(&group.stream().into_iter().collect::<Vec<_>>()),
        token => string(std::slice::from_ref(token)).filter(|text| has_password(text)).map(|_| token.clone()),
    })
}

#[cfg(test)]
mod tests;

//! Reads `session.store`: `redis(env("REDIS_URL"))`, or `redis("redis://host:port")`.

use auth_proxy_rules::{OptionKey, has_password};
use proc_macro2::{Delimiter, TokenTree};

use super::env::{default_text, read_env};
use super::model::Value;
use super::strings::only_string;
use crate::errors::Errors;
use crate::tokens;

/// Reads the value. It ends before the next entry.
pub(super) fn read(option: OptionKey, value: &[TokenTree], errors: &mut Errors) -> Option<Value> {
    let example = option.example();
    let inner = match value {
        [TokenTree::Ident(word), TokenTree::Group(group)]
            if word == "redis" && group.delimiter() == Delimiter::Parenthesis =>
        {
            group.stream().into_iter().collect::<Vec<_>>()
        }
        _ => {
            errors.at(tokens::stream(value), advice(value, example));
            return None;
        }
    };
    if let Some((env, rest)) = read_env(option, &inner, errors) {
        if !rest.is_empty() {
            errors
                .at(tokens::stream(rest), format!("expected nothing behind the address: write `{example}`"));
        }
        if let Some((literal, url)) = env.as_ref().and_then(default_text)
            && has_password(&url)
        {
            errors.at(literal, "secrets do not belong in source: give a default without a password, or none");
            return None;
        }
        return env.map(Value::Env);
    }
    match only_string(&inner) {
        Some(url) if has_password(&url) => {
            errors.at(tokens::stream(&inner), format!("secrets do not belong in source: write `{example}`"));
            None
        }
        Some(text) => Some(Value::Literal { text, tokens: tokens::stream(&inner), items: Vec::new() }),
        None if inner.is_empty() => {
            errors.at(tokens::stream(value), format!("`redis` needs an address: write `{example}`"));
            None
        }
        None => {
            errors.at(tokens::stream(&inner), format!("expected the address of Redis: write `{example}`"));
            None
        }
    }
}

/// What to write in place of a value that is no store.
fn advice(value: &[TokenTree], example: &str) -> String {
    let kind = match value {
        [TokenTree::Ident(word), ..] => word.to_string(),
        _ => String::new(),
    };
    match kind.as_str() {
        "redis" => format!("`redis` needs an address: write `{example}`"),
        "valkey" => match value {
            [_, TokenTree::Group(address)] if !address.stream().is_empty() => {
                format!("Valkey is used like Redis: write `redis{address}`")
            }
            _ => format!("Valkey is used like Redis: write `{example}`"),
        },
        "memory" | "off" | "none" => "this process's memory is the default: remove `store`".to_owned(),
        "env" => {
            let written: String = value.iter().map(ToString::to_string).collect();
            format!("name the kind of store: write `redis({written})`")
        }
        _ => match only_string(value) {
            Some(url) if url.contains("://") && !has_password(&url) => {
                format!("name the kind of store: write `redis(\"{url}\")`")
            }
            _ => format!("expected `{example}`"),
        },
    }
}

//! Checks a declaration with the rules that the runtime applies to the environment.

use auth_proxy_rules::{Draft, OptionKey, Place, Shape};
use quote::ToTokens;
use syn::LitStr;

use super::correction;
use super::env::{default_text, placeholder};
use super::model::{Block, Declaration, Value};
use crate::errors::Errors;

/// Stands for the address of a store that a variable gives.
const ANY_STORE: &str = "redis://localhost";

/// Checks every literal, and the rules between options as far as the literals decide them. Returns the values
/// that are known.
pub(super) fn check(declaration: &Declaration, errors: &mut Errors) -> Draft {
    let block = &declaration.block;
    let mut draft = Draft::default();
    options(block, &mut draft, errors);
    headers(block, &mut draft, errors);
    for secret in &block.secrets {
        draft.set_later(OptionKey::Secret, secret.optional);
    }
    // A secret that could not be read is set: do not report it as missing.
    let secret_is_set = block.options.iter().any(|entry| entry.option == OptionKey::Secret);
    if secret_is_set && block.secrets.is_empty() {
        draft.set_later(OptionKey::Secret, true);
    }
    for secret in &block.webhook_secrets {
        draft.set_later(OptionKey::WebhookSecret, secret.optional);
    }
    base_url_default(block, &draft, errors);
    for option in &block.misplaced {
        draft.set_later(*option, false);
    }
    if let (Some(fetch), Err(error)) = (&block.fetch, draft.check_fetch()) {
        errors.at(fetch, format!("`{}`: {error}", OptionKey::Fetch));
    }
    for problem in draft.check() {
        let entry = block.options.iter().find(|entry| entry.option == problem.place.option());
        match (problem.place, entry) {
            (Place::Secret(n), _) => {
                errors.at(block.secrets.get(n).map(|secret| &secret.tokens), problem.message);
            }
            (Place::Option(OptionKey::Secret), Some(_)) => {
                let tokens: proc_macro2::TokenStream =
                    block.secrets.iter().map(|secret| secret.tokens.clone()).collect();
                errors.at(tokens, problem.message);
            }
            (Place::Option(_), Some(entry)) => match &entry.value {
                Some(Value::Env(env)) => match &env.optional_word {
                    // Only the word is known: the value of the variable is checked at start.
                    Some(word) => errors.at(word, problem.quoted()),
                    None => errors.at(&env.tokens, problem.quoted()),
                },
                Some(value) => errors.at(value.tokens(), problem.quoted()),
                None => errors.at(&entry.key, problem.message),
            },
            (Place::Missing(_), _) if block.is_unreadable => {}
            (Place::Missing(option), _) => {
                let in_block =
                    format!("`{option}` is missing: write `{}: {}`", option.key(), option.example());
                match &block.upstream {
                    Some(key) => errors.at(key, in_block),
                    None => errors.at(&declaration.name, problem.message),
                }
            }
            (Place::Option(_), None) => errors.at(&declaration.name, problem.message),
        }
    }
    draft
}

/// Applies the rules between options to the default of `upstream.base_url`.
fn base_url_default(block: &Block, draft: &Draft, errors: &mut Errors) {
    let entry = block.options.iter().find(|entry| entry.option == OptionKey::BaseUrl);
    let Some(Value::Env(env)) = entry.and_then(|entry| entry.value.as_ref()) else { return };
    let Some((literal, text)) = default_text(env) else { return };
    let mut draft = draft.clone();
    if draft.set(OptionKey::BaseUrl, &text).is_err() {
        return;
    }
    for problem in draft.check() {
        if problem.place == Place::Option(OptionKey::BaseUrl) {
            errors.at(literal, problem.quoted());
        }
    }
}

fn options(block: &Block, draft: &mut Draft, errors: &mut Errors) {
    for entry in &block.options {
        let option = entry.option;
        match &entry.value {
            _ if matches!(option.shape(), Shape::Secret | Shape::Headers | Shape::Expression) => {}
            None => draft.set_later(option, false),
            Some(Value::Literal { text, tokens, items }) => {
                let count = errors.count();
                if items.is_empty() {
                    text_of(option, text, tokens, errors);
                }
                for item in items {
                    text_of(option, &item.text, &item.tokens, errors);
                }
                // A rule between items, such as a name given twice.
                if errors.count() == count
                    && let Err(error) = draft.set(option, text)
                {
                    errors.at(tokens, format!("`{option}`: {}", error.quoted()));
                }
                if errors.count() != count {
                    draft.set_later(option, false);
                }
            }
            Some(Value::Env(env)) => {
                if let Some((literal, text)) = default_text(env) {
                    default_of(option, &text, literal, errors);
                }
                // Rules between options ask whether there is a store, and not for its address.
                if option.shape() != Shape::Store || draft.set(option, ANY_STORE).is_err() {
                    draft.set_later(option, env.optional);
                }
            }
        }
    }
}

/// Checks one text with the rule of the option.
fn text_of(option: OptionKey, text: &str, tokens: impl ToTokens, errors: &mut Errors) {
    if let Some(message) = placeholder(option, text) {
        errors.at(tokens, message);
    } else {
        rule(option, text, tokens, errors);
    }
}

/// Checks the default of a variable with the rule of the option.
fn default_of(option: OptionKey, text: &str, literal: &LitStr, errors: &mut Errors) {
    if placeholder(option, text).is_some() {
        errors.at(literal, "a default is used as it is, and names no variable: remove the default");
    } else {
        rule(option, text, literal, errors);
    }
}

fn rule(option: OptionKey, text: &str, tokens: impl ToTokens, errors: &mut Errors) {
    if let Err(error) = Draft::default().set(option, text) {
        let refusal = error.quoted();
        let in_quotes = tokens.to_token_stream().to_string().starts_with('"');
        let advice = correction::advice(option, text, &refusal, in_quotes);
        errors.at(tokens, format!("`{option}`: {refusal}{advice}"));
    }
}

fn headers(block: &Block, draft: &mut Draft, errors: &mut Errors) {
    for header in &block.headers {
        let name = header.name.value();
        if let Err(error) = draft.add_header(&name, None) {
            let advice = header_advice(&name);
            errors.at(&header.name, format!("{}: {advice}", error.quoted()));
            continue;
        }
        let mut is_default = false;
        let (text, tokens) = match &header.value {
            Some(Value::Literal { text, tokens, .. }) => (text.clone(), tokens.clone()),
            Some(Value::Env(env)) => match default_text(env) {
                Some((literal, text)) => {
                    is_default = true;
                    (text, literal.to_token_stream())
                }
                None => continue,
            },
            None => continue,
        };
        if let Some(message) = placeholder(OptionKey::Headers, &text) {
            errors.at(tokens, message);
        } else if auth_proxy_rules::is_credential(&name, &text) && is_default {
            errors.at(tokens, "credentials do not belong in source: remove the default");
        } else if auth_proxy_rules::is_credential(&name, &text) {
            errors.at(
                tokens,
                "credentials do not belong in source: write `env(\"AUTH_PROXY_KEY\")`, with the whole text in the variable",
            );
        } else if let Err(error) = auth_proxy_rules::header_value(&text) {
            let visible: String = text.chars().filter(|c| matches!(c, ' '..='~')).collect();
            let advice = if visible.is_empty() { String::new() } else { format!(": write `{visible:?}`") };
            errors.at(tokens, format!("{}{advice}", error.quoted()));
        }
    }
}

/// What to do about a refused name of a header.
fn header_advice(name: &str) -> String {
    let written: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let is_another = written != name && Draft::default().add_header(&written, None).is_ok();
    if is_another { format!("write `\"{written}\"`") } else { "remove it".to_owned() }
}

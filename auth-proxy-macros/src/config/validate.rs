use auth_proxy_rules::{Draft, OptionKey, Place, Shape};
use quote::ToTokens;

use super::env::default_text;
use super::model::{Declaration, Settings, Value};
use crate::errors::Errors;

/// Proves every literal, and every rule across options as far as literals tell. The rules are those
/// that the runtime applies to the environment.
pub(super) fn check(declaration: &Declaration, errors: &mut Errors) {
    let settings = &declaration.settings;
    let mut draft = Draft::default();
    options(settings, &mut draft, errors);
    headers(settings, &mut draft, errors);
    for secret in &settings.secrets {
        draft.set_later(OptionKey::Secret, secret.optional);
    }
    // A secret that could not be read is there all the same.
    let secret_is_set = settings.options.iter().any(|setting| setting.option == OptionKey::Secret);
    if secret_is_set && settings.secrets.is_empty() {
        draft.set_later(OptionKey::Secret, true);
    }
    for problem in draft.check() {
        let setting = settings.options.iter().find(|setting| setting.option == problem.place.option());
        match (problem.place, setting) {
            (Place::Secret(n), _) => {
                errors.at(settings.secrets.get(n).map(|secret| &secret.tokens), problem.message);
            }
            (Place::Option(OptionKey::Secret), Some(_)) => {
                let tokens: proc_macro2::TokenStream =
                    settings.secrets.iter().map(|secret| secret.tokens.clone()).collect();
                errors.at(tokens, problem.message);
            }
            (Place::Option(_), Some(setting)) => match &setting.value {
                Some(value) => errors.at(value.tokens(), problem.message),
                None => errors.at(&setting.key, problem.message),
            },
            (Place::Missing(_), _) if settings.unreadable => {}
            (Place::Missing(option), _) => {
                let in_block =
                    format!("`{option}` is missing: write `{}: {}`", option.key(), option.example());
                match &settings.upstream {
                    Some(key) => errors.at(key, in_block),
                    None => errors.at(&declaration.name, problem.message),
                }
            }
            (Place::Option(_), None) => errors.at(&declaration.name, problem.message),
        }
    }
}

fn options(settings: &Settings, draft: &mut Draft, errors: &mut Errors) {
    for setting in &settings.options {
        let option = setting.option;
        match &setting.value {
            _ if matches!(option.shape(), Shape::Secret | Shape::Headers | Shape::Expression) => {}
            None => draft.set_later(option, false),
            Some(Value::Literal { text, tokens }) => {
                if let Err(bad) = draft.set(option, text) {
                    errors.at(tokens, format!("`{option}`: {}", bad.quoted()));
                    draft.set_later(option, false);
                }
            }
            Some(Value::Env(env)) => {
                if let Some((literal, text)) = default_text(env)
                    && let Err(bad) = Draft::default().set(option, &text)
                {
                    errors.at(literal, format!("`{option}`: {}", bad.quoted()));
                }
                draft.set_later(option, env.optional);
            }
        }
    }
}

fn headers(settings: &Settings, draft: &mut Draft, errors: &mut Errors) {
    for header in &settings.headers {
        let name = header.name.value();
        if let Err(bad) = draft.add_header(&name, None) {
            errors.at(&header.name, bad.quoted());
            continue;
        }
        let (text, tokens) = match &header.value {
            Some(Value::Literal { text, tokens }) => (text.clone(), tokens.clone()),
            Some(Value::Env(env)) => match default_text(env) {
                Some((literal, text)) => (text, literal.to_token_stream()),
                None => continue,
            },
            None => continue,
        };
        if let Err(bad) = auth_proxy_rules::header_value(&text) {
            errors.at(tokens, bad.quoted());
        }
    }
}

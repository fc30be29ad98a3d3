//! Reads `env("NAME")`, `env("NAME", default = "..")` and `env("NAME", optional)`.

use auth_proxy_rules::{OptionKey, Shape, nearest};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Lit, LitStr};

use super::model::Env;
use super::strings::string;
use crate::errors::Errors;
use crate::misspelt::Misspelt;
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
        let name = tokens::group(tokens.get(2), Delimiter::Parenthesis)
            .and_then(|arguments| string(&arguments.into_iter().take(1).collect::<Vec<_>>()))
            .unwrap_or_else(|| "..".to_owned());
        errors.at(
            all,
            format!("`env!` is read at compile time: write `env(\"{name}\")`, which is read at start"),
        );
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
                "`{option}` is part of the routes and must be known at compile time: write `{}`, or another literal",
                option.example()
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
                errors.at(literal, "the name of a variable is a string: write `\"NAME\"`");
                return None;
            }
        },
        Some([TokenTree::Ident(ident)]) => {
            errors.at(ident, format!("the name of a variable is a string: write `\"{ident}\"`"));
            return None;
        }
        Some([TokenTree::Literal(_), more @ ..]) => {
            errors.at(tokens::stream(more), format!("write a `,` before `{}`", tokens::stream(more)));
            return None;
        }
        Some(other) => {
            errors.at(tokens::stream(other), "expected the name of a variable: write `\"NAME\"`");
            return None;
        }
        None => {
            errors.at(all, "name the variable: write `env(\"NAME\")`");
            return None;
        }
    };
    if !is_variable_name(&name.value()) {
        let written = variable_name(&name.value());
        errors.at(
            &name,
            format!(
                "the name of a variable holds letters, digits and `_`, and does not start with a digit: \
                 write `\"{written}\"`"
            ),
        );
    }
    let mut env = Env { name, default: None, optional: false, optional_word: None, tokens: all };
    for piece in pieces {
        extra(option, &piece, &mut env, errors);
    }
    if let (Some(default), true) = (&env.default, env.optional) {
        errors.at(default, "with a default the value is never missing: remove `optional`, or the default");
    }
    Some(env)
}

/// What may follow the name of the variable.
const ARGUMENTS: [&str; 2] = ["default", "optional"];

/// Reads `default = ".."` or `optional`.
fn extra(option: OptionKey, piece: &[TokenTree], env: &mut Env, errors: &mut Errors) {
    match piece {
        [TokenTree::Ident(word)] if word == "optional" => {
            env.optional = true;
            env.optional_word = Some(word.clone());
        }
        [TokenTree::Ident(word), ..] if word == "optional" => {
            errors.at(tokens::stream(piece), "write `optional` alone");
        }
        [TokenTree::Ident(word), ..] if word == "default" && env.default.is_some() => {
            errors.at(tokens::stream(piece), "`default` is set twice: remove one");
        }
        [TokenTree::Ident(word), equals, TokenTree::Literal(value)] if word == "default" && is_punct(Some(equals), '=') => {
            match Lit::new(value.clone()) {
                Lit::Str(_) if option.shape() == Shape::Secret => {
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
        [TokenTree::Ident(word), ..] if nearest(&word.to_string(), ARGUMENTS).is_some() => {
            let meant = nearest(&word.to_string(), ARGUMENTS).unwrap_or_default();
            let message = format!("unknown argument `{word}`, did you mean `{meant}`?");
            errors.unknown_word(word, message, Misspelt::new(word, meant, &ARGUMENTS, "EnvArguments"));
        }
        [TokenTree::Ident(word)] => {
            errors.at(word, format!("expected `default` or `optional`: write `default = \"{word}\"`"));
        }
        _ => errors.at(tokens::stream(piece).into_token_stream(), "expected `default = \"..\"` or `optional`"),
    }
}

/// Whether this is the name of a variable.
pub(super) fn is_variable_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The name of a variable that is most like this text.
fn variable_name(text: &str) -> String {
    let name: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() { format!("_{name}") } else { name }
}

/// The text of a default, where one is given.
pub(super) fn default_text(env: &Env) -> Option<(&LitStr, String)> {
    env.default.as_ref().map(|default| (default, default.value()))
}

/// The advice for a text that names a variable as a shell or TypeScript does: `${KEY}`, `$KEY`, `process.env.KEY`.
pub(super) fn placeholder(option: OptionKey, text: &str) -> Option<String> {
    let name = if let Some((_, rest)) = text.split_once("${") {
        rest.split_once('}').map(|(name, _)| name.trim_start_matches("process.env.")).unwrap_or_default()
    } else if let Some(name) = text.strip_prefix('$').filter(|name| is_constant_name(name)) {
        name
    } else if let Some(inner) = text.strip_prefix("env(").and_then(|rest| rest.strip_suffix(')')) {
        inner.trim_matches(['"', '\''])
    } else {
        text.strip_prefix("process.env.").filter(|name| is_variable_name(name))?
    };
    let (name, default) = match name.split_once(":-") {
        Some((name, default)) => (name, format!(", default = \"{default}\"")),
        None => (name, String::new()),
    };
    let is_whole = !text.contains("${") || (text.starts_with("${") && text.ends_with('}'));
    let name = if is_whole && is_variable_name(name) { name } else { "NAME" };
    Some(match (option.takes_env(), is_whole) {
        (false, _) => {
            let example = option.example();
            format!("`{option}` must be known at compile time: write `{example}`, or another literal")
        }
        (true, true) => {
            format!("a text is used as it is, and names no variable: write `env(\"{name}\"{default})`")
        }
        (true, false) => format!(
            "a text is used as it is, and `${{..}}` in it is not replaced: write `env(\"{name}\")`, with the whole \
             text in the variable"
        ),
    })
}

fn is_constant_name(name: &str) -> bool {
    is_variable_name(name) && !name.contains(|c: char| c.is_ascii_lowercase())
}

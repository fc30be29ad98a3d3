use auth_proxy_rules::{Opt, Shape};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Lit, LitStr};

use super::model::{Env, Value};
use super::split::{self, is_punct};
use crate::errors::Errors;

/// Reads the value of an option and answers what follows it.
pub(super) fn read<'t>(
    option: Opt,
    tokens: &'t [TokenTree],
    errors: &mut Errors,
) -> (Option<Value>, &'t [TokenTree]) {
    if let Some((env, rest)) = read_env(option, tokens, errors) {
        return (env.map(Value::Env), rest);
    }
    let (value, used) = match literal(option, tokens) {
        Ok(read) => read,
        Err((message, used)) => {
            let (bad, rest) = tokens.split_at(used.min(tokens.len()));
            errors.at(split::stream(bad), message);
            // Whatever else belonged to the value is reported with it.
            let next = rest.iter().position(|token| matches!(token, TokenTree::Ident(_)));
            return (
                None,
                next.and_then(|at| rest.get(at..)).filter(|rest| starts_entry(rest)).unwrap_or_default(),
            );
        }
    };
    (Some(value), tokens.get(used..).unwrap_or_default())
}

/// A secret: `env(..)` only.
pub(super) fn secret<'t>(tokens: &'t [TokenTree], errors: &mut Errors) -> (Option<Env>, &'t [TokenTree]) {
    if let Some(read) = read_env(Opt::Secret, tokens, errors) {
        return read;
    }
    let first = tokens.first();
    let message = if matches!(first, Some(TokenTree::Literal(_))) {
        "secrets do not belong in source: write `env(\"AUTH_SECRET\")`".to_owned()
    } else {
        format!("expected `{}`, or a list of them, newest first", Opt::Secret.example())
    };
    errors.at(first, message);
    (None, tokens.get(1..).filter(|rest| starts_entry(rest)).unwrap_or_default())
}

fn starts_entry(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Ident(_), colon, ..] if is_punct(Some(colon), ':'))
}

type Read = Result<(Value, usize), (String, usize)>;

/// A literal or a bare word, in the text that the rules prove, and the number of its tokens.
fn literal(option: Opt, tokens: &[TokenTree]) -> Read {
    let (first, used) = match tokens {
        [minus, number @ TokenTree::Literal(_), ..] if is_punct(Some(minus), '-') => (number, 2),
        [first, ..] => (first, 1),
        [] => return Err((expected(option), 0)),
    };
    let all = split::stream(tokens.get(..used).unwrap_or_default());
    let keep = |text: String| Ok((Value::Literal { text, tokens: all }, used));
    let lit = match first {
        TokenTree::Literal(literal) => Some(Lit::new(literal.clone())),
        _ => None,
    };
    let word = match first {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    };
    match (option.shape(), lit, word) {
        (Shape::Text | Shape::WordOrText(_) | Shape::Headers, Some(Lit::Str(text)), _) => keep(text.value()),
        (Shape::Text | Shape::Headers, _, Some(word)) if tokens.len() == 1 => {
            Err((format!("`{option}` is a string: write `\"{word}\"`"), 1))
        }
        (Shape::Word(words) | Shape::WordOrText(words), None, Some(word))
            if tokens.len() == 1 || words.contains(&word.as_str()) =>
        {
            keep(word)
        }
        (Shape::Word(words), Some(Lit::Str(text)), _) if words.contains(&text.value().as_str()) => {
            Err((format!("a bare word, without quotes: write `{}`", text.value()), 1))
        }
        (Shape::Word(_), None, Some(word)) => keep(word),
        (Shape::Duration | Shape::Size, Some(Lit::Int(_) | Lit::Float(_)), _) => {
            let text: String = tokens.iter().take(used).map(ToString::to_string).collect();
            keep(text)
        }
        (Shape::Duration | Shape::Size, Some(Lit::Str(text)), _) if starts_with_digit(&text.value()) => {
            Err((format!("no quotes here: write `{}`", text.value()), 1))
        }
        (Shape::Bool, _, Some(word)) if word == "true" || word == "false" => keep(word),
        (Shape::Bool, Some(Lit::Str(text)), _) if matches!(text.value().as_str(), "true" | "false") => {
            Err((format!("no quotes here: write `{}`", text.value()), 1))
        }
        // Anything longer than a token: a path or a call is pointed at as a whole.
        _ => Err((expected(option), whole(tokens))),
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// How many tokens to point at: all up to what looks like the next entry.
fn whole(tokens: &[TokenTree]) -> usize {
    (1..tokens.len())
        .find(|at| tokens.get(*at..).is_some_and(|rest| starts_entry(rest) && !is_punct(rest.get(2), ':')))
        .unwrap_or(tokens.len())
}

fn expected(option: Opt) -> String {
    let example = option.example();
    let what = match option.shape() {
        Shape::Text => format!("a string such as `{}`", plain_example(option)),
        Shape::Word(words) | Shape::WordOrText(words) => {
            let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            let more =
                if matches!(option.shape(), Shape::WordOrText(_)) { ", or a host in quotes" } else { "" };
            format!("one of {list}{more}")
        }
        Shape::Duration => format!("a duration such as `{example}`"),
        Shape::Size => format!("a size such as `{example}`"),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Headers => "a string or `env(\"..\")` as the value of a header".to_owned(),
        Shape::Secret | Shape::Expression => example.to_owned(),
    };
    let env = if option.takes_env() && option.shape() != Shape::Headers { ", or `env(\"..\")`" } else { "" };
    format!("`{option}` takes {what}{env}")
}

fn plain_example(option: Opt) -> &'static str {
    if option == Opt::BaseUrl { "\"https://auth.example.com\"" } else { option.example() }
}

/// `env(..)`, if these tokens start with it; `Some((None, ..))` when it is there and wrong.
fn read_env<'t>(
    option: Opt,
    tokens: &'t [TokenTree],
    errors: &mut Errors,
) -> Option<(Option<Env>, &'t [TokenTree])> {
    let Some(TokenTree::Ident(word)) = tokens.first() else { return None };
    if word != "env" {
        return None;
    }
    if is_punct(tokens.get(1), '!') {
        let all = split::stream(tokens.get(..3).unwrap_or(tokens));
        errors.at(
            all,
            "`env!` would be read when this is compiled: write `env(\"..\")`, which is read at start",
        );
        return Some((None, tokens.get(3..).unwrap_or_default()));
    }
    let rest = tokens.get(2..).unwrap_or_default();
    let all = split::stream(tokens.get(..2).unwrap_or(tokens));
    let Some(inner) = split::group(tokens.get(1), Delimiter::Parenthesis) else {
        errors.at(word, "name the variable: write `env(\"NAME\")`");
        return Some((None, tokens.get(1..).filter(|rest| starts_entry(rest)).unwrap_or_default()));
    };
    if !option.takes_env() {
        errors.at(&all, format!("`{option}` is part of the routes and must be known when this is compiled: write it as a literal"));
        return Some((None, rest));
    }
    Some((arguments(option, inner, all, errors), rest))
}

/// The inside of `env(..)`.
fn arguments(option: Opt, inner: TokenStream, all: TokenStream, errors: &mut Errors) -> Option<Env> {
    let pieces = split::at_commas(inner, errors);
    let mut pieces = pieces.iter().map(|piece| split::flatten(piece));
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
            errors.at(split::stream(more), "expected `,` after the name");
            return None;
        }
        Some(other) => {
            errors.at(split::stream(other), "expected the name of a variable: write `env(\"NAME\")`");
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
        errors.at(default, "a default is always there: remove `optional`, or the default");
    }
    Some(env)
}

fn extra(option: Opt, piece: &[TokenTree], env: &mut Env, errors: &mut Errors) {
    match piece {
        [TokenTree::Ident(word)] if word == "optional" => env.optional = true,
        [TokenTree::Ident(word), equals, TokenTree::Literal(value)] if word == "default" && is_punct(Some(equals), '=') => {
            match Lit::new(value.clone()) {
                Lit::Str(_) if option == Opt::Secret => {
                    errors.at(value, "secrets do not belong in source: remove the default");
                }
                Lit::Str(text) => env.default = Some(text),
                _ => errors.at(value, format!("a default is written as the variable would be, in quotes: write `default = \"{value}\"`")),
            }
        }
        [TokenTree::Ident(word), ..] if word == "default" => {
            errors.at(split::stream(piece), "expected `default = \"..\"`, as the variable would say it");
        }
        [TokenTree::Literal(literal)] => {
            errors.at(literal, format!("name it: write `default = {literal}`"));
        }
        _ => errors.at(split::stream(piece).into_token_stream(), "expected `default = \"..\"` or `optional`"),
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

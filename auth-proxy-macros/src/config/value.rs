use auth_proxy_rules::{Draft, OptionKey, Shape, nearest};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Lit;
use syn::ext::IdentExt as _;

use super::env::{read_env, variable};
use super::model::{Env, Value};
use crate::errors::Errors;
use crate::tokens::{self, before_next_entry, entry_key, is_punct};

/// Reads the value of an option and answers what follows it.
pub(super) fn read<'t>(
    option: OptionKey,
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
            errors.at(tokens::stream(bad), message);
            // Whatever else belonged to the value is reported with it.
            let next = rest.iter().position(|token| matches!(token, TokenTree::Ident(_)));
            return (
                None,
                next.and_then(|at| rest.get(at..))
                    .filter(|rest| entry_key(rest).is_some())
                    .unwrap_or_default(),
            );
        }
    };
    (Some(value), tokens.get(used..).unwrap_or_default())
}

/// A secret: `env(..)` only.
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

type Read = Result<(Value, usize), (String, usize)>;

/// A literal or a bare word, in the text that the rules prove, and the number of its tokens.
fn literal(option: OptionKey, tokens: &[TokenTree]) -> Read {
    let (first, used) = match tokens {
        [minus, number @ TokenTree::Literal(_), ..] if is_punct(Some(minus), '-') => (number, 2),
        [first, ..] => (first, 1),
        [] => return Err((expected(option), 0)),
    };
    let all = tokens::stream(tokens.get(..used).unwrap_or_default());
    let keep = |text: String| Ok((Value::Literal { text, tokens: all.clone() }, used));
    let lit = match first {
        TokenTree::Literal(literal) => Some(Lit::new(literal.clone())).filter(|lit| !has_suffix(lit)),
        _ => None,
    };
    let word = match first {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    };
    let value = tokens.get(..before_next_entry(tokens)).unwrap_or_default();
    if option.takes_env()
        && !matches!(first, TokenTree::Literal(_))
        && let Some(form) = variable(value)
    {
        return Err((format!("`{option}` reads a variable as `env(..)`: write `{form}`"), value.len()));
    }
    if let Some(hint) = hint(option, value) {
        return Err((hint, value.len()));
    }
    if matches!(option.shape(), Shape::List | Shape::Names) {
        return list(option, first, all.clone());
    }
    match (option.shape(), lit, word) {
        (Shape::WordOrText(words), Some(Lit::Str(text)), _) if words.contains(&text.value().as_str()) => {
            Err((format!("a bare word, without quotes: write `{}`", text.value()), 1))
        }
        (Shape::Text | Shape::WordOrText(_) | Shape::Headers, Some(Lit::Str(text)), _) => keep(text.value()),
        (Shape::Text | Shape::Headers, _, Some(word)) if tokens.len() == 1 => {
            Err((format!("`{option}` is a string: write `\"{word}\"`"), 1))
        }
        (Shape::WordOrText(words), None, Some(word)) if words.contains(&word.as_str()) => keep(word),
        // A slip in a word must not become a name: `host: presrve`.
        (Shape::WordOrText(words), None, Some(word)) if value.len() == 1 => {
            let near = nearest(&word, words.iter().copied());
            let advice = near.map_or_else(|| format!("\"{word}\""), str::to_owned);
            Err((format!("{}: write `{advice}`", expected(option)), 1))
        }
        // Before the words: `encrypted-v4` begins with one.
        (Shape::Word(words), None, Some(_)) if is_punct(tokens.get(1), '-') => {
            let used = before_next_entry(tokens);
            let text: String = tokens.iter().take(used).map(ToString::to_string).collect();
            let near = nearest(&text, words.iter().copied());
            Err((near.map_or_else(|| expected(option), |near| format!("`{text}` is spelled `{near}`")), used))
        }
        (Shape::Word(words), None, Some(word)) if tokens.len() == 1 || words.contains(&word.as_str()) => {
            keep(word)
        }
        (Shape::Word(words), Some(Lit::Str(text)), _) if words.contains(&text.value().as_str()) => {
            Err((format!("a bare word, without quotes: write `{}`", text.value()), 1))
        }
        (Shape::Word(words), Some(Lit::Str(text)), _)
            if nearest(&text.value(), words.iter().copied()).is_some() =>
        {
            let near = nearest(&text.value(), words.iter().copied()).unwrap_or_default();
            Err((format!("a bare word, without quotes: write `{near}`"), 1))
        }
        (Shape::Word(_), None, Some(word)) => keep(word),
        (
            Shape::Duration | Shape::DurationOrOff | Shape::DurationOrAlways | Shape::Size,
            Some(Lit::Int(number)),
            _,
        ) if number.suffix().is_empty()
            && matches!(tokens.get(used), Some(TokenTree::Ident(_)))
            && entry_key(tokens.get(used..).unwrap_or_default()).is_none() =>
        {
            let text: String = tokens.iter().take(used + 1).map(ToString::to_string).collect();
            Err((format!("the unit stands straight behind the number: write `{text}`"), used + 1))
        }
        (
            Shape::Duration | Shape::DurationOrOff | Shape::DurationOrAlways | Shape::Size,
            Some(Lit::Int(_) | Lit::Float(_)),
            _,
        ) => {
            let text: String = tokens.iter().take(used).map(ToString::to_string).collect();
            keep(text)
        }
        (shape, Some(Lit::Str(text)), _) if is_number(shape) && starts_with_digit(&text.value()) => {
            // No advice that would be refused in its turn.
            Err(match Draft::default().set(option, &text.value()) {
                Ok(_) => (format!("no quotes here: write `{}`", text.value()), 1),
                Err(bad) => (format!("`{option}`: {}, and no quotes", bad.message()), 1),
            })
        }
        (shape, None, Some(word)) if Some(word.as_str()) == word_of(shape) => keep(word),
        (shape, Some(Lit::Str(text)), _) if Some(text.value().as_str()) == word_of(shape) => {
            Err((format!("no quotes here: write `{}`", text.value()), 1))
        }
        (Shape::Count | Shape::CountOrOff, Some(Lit::Int(_)), _) => {
            keep(tokens.iter().take(used).map(ToString::to_string).collect())
        }
        (Shape::Bool, _, Some(word)) if word == "true" || word == "false" => keep(word),
        (Shape::Bool, Some(Lit::Str(text)), _) if matches!(text.value().as_str(), "true" | "false") => {
            Err((format!("no quotes here: write `{}`", text.value()), 1))
        }
        // Anything longer than a token: a path or a call is pointed at as a whole.
        _ => Err((expected(option), before_next_entry(tokens))),
    }
}

/// What the rules say of another name for a word, with or without quotes, in one token or more: `auth.js`.
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

/// `"text"suffix`, which is no string.
fn has_suffix(literal: &Lit) -> bool {
    matches!(literal, Lit::Str(text) if !text.suffix().is_empty())
}

/// `["..", ".."]`, or of names also `[a, b]`; in one text with commas between.
fn list(option: OptionKey, first: &TokenTree, all: TokenStream) -> Read {
    let example = option.example();
    let TokenTree::Group(group) = first else {
        return Err((format!("`{option}` is a list: write `{}: {example}`", option.key()), 1));
    };
    let takes_words = option.shape() == Shape::Names;
    let what = if takes_words { "names" } else { "strings" };
    let no_list = || Err((format!("a list of {what}: write `{example}`"), 1));
    if group.delimiter() != Delimiter::Bracket {
        return no_list();
    }
    let mut texts = Vec::new();
    for token in group.stream() {
        match &token {
            TokenTree::Literal(literal) => match Lit::new(literal.clone()) {
                Lit::Str(text) => texts.push(text.value()),
                _ => return no_list(),
            },
            TokenTree::Ident(word) if takes_words => texts.push(word.unraw().to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ',' => {}
            _ => return no_list(),
        }
    }
    Ok((Value::Literal { text: texts.join(","), tokens: all }, 1))
}

fn is_number(shape: Shape) -> bool {
    matches!(
        shape,
        Shape::Duration
            | Shape::DurationOrOff
            | Shape::DurationOrAlways
            | Shape::Size
            | Shape::Count
            | Shape::CountOrOff
    )
}

/// The word that may stand in place of a number.
fn word_of(shape: Shape) -> Option<&'static str> {
    match shape {
        Shape::DurationOrOff | Shape::CountOrOff => Some("off"),
        Shape::DurationOrAlways => Some("always"),
        _ => None,
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn expected(option: OptionKey) -> String {
    let example = option.example();
    let what = match option.shape() {
        Shape::Text => format!("a string such as `{}`", plain_example(option)),
        Shape::Word(words) | Shape::WordOrText(words) => {
            let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            let more = match option {
                OptionKey::Audience | OptionKey::Issuer => ", or a string",
                _ if matches!(option.shape(), Shape::WordOrText(_)) => ", or a host in quotes",
                _ => "",
            };
            let one_of = if words.len() > 1 { "one of " } else { "" };
            format!("{one_of}{list}{more}")
        }
        Shape::Duration => format!("a duration such as `{example}`"),
        Shape::DurationOrOff => format!("a duration such as `{example}`, or `off`"),
        Shape::DurationOrAlways => format!("a duration such as `{example}`, or `always`"),
        Shape::Size => format!("a size such as `{example}`"),
        Shape::Count => format!("a whole number such as `{example}`"),
        Shape::CountOrOff => format!("a whole number such as `{example}`, or `off`"),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Headers => "a string or `env(\"..\")` as the value of a header".to_owned(),
        Shape::Secret | Shape::Expression | Shape::List | Shape::Names => example.to_owned(),
    };
    let env = if option.takes_env() && option.shape() != Shape::Headers { ", or `env(\"..\")`" } else { "" };
    format!("`{option}` takes {what}{env}")
}

fn plain_example(option: OptionKey) -> &'static str {
    if option == OptionKey::BaseUrl { "\"https://auth.example.com\"" } else { option.example() }
}

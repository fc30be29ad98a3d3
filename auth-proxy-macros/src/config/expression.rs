//! Advice for a Rust or JavaScript expression in the place of a value, such as `Kind::Authjs` or `10 * 1024`.

use auth_proxy_rules::{OptionKey, Shape, nearest};
use proc_macro2::{Delimiter, TokenTree};
use syn::Lit;

use super::expected::expected;
use super::strings::{only_string, string};
use super::variable;
use crate::tokens::is_punct;

/// The message for a value that is an expression and no literal. `None` if it may be a literal.
///
/// `accepts` tells whether a text would be accepted as the value of the option, so that no advice is refused in its turn.
pub(super) fn advice(
    option: OptionKey,
    value: &[TokenTree],
    accepts: fn(OptionKey, &str) -> bool,
) -> Option<String> {
    if let Some(message) = variable::message(option, value) {
        return Some(message);
    }
    if let Some(word) = other_case(option, value) {
        let written: String = value.iter().map(ToString::to_string).collect();
        return Some(if value.len() == 1 {
            format!("`{written}` is spelled `{word}`")
        } else {
            format!("`{option}` takes a bare word and no path: write `{word}`")
        });
    }
    if let Some(constant) = constant(option, value) {
        let method = option.to_string().replace('.', "_");
        let or_env = match value {
            [_] if option.takes_env() => format!(", or `env(\"{constant}\")` for an environment variable"),
            _ => String::new(),
        };
        let or_builder = match option.shape() {
            Shape::Text => format!("; or call `.{method}({constant})` on the builder"),
            _ => String::new(),
        };
        return Some(format!("`{option}` takes no constant: write the value itself{or_env}{or_builder}"));
    }
    if let [TokenTree::Ident(word), TokenTree::Group(arguments)] = value
        && arguments.delimiter() == Delimiter::Parenthesis
        && words(option).contains(&word.to_string().as_str())
    {
        let path = only_string(&arguments.stream().into_iter().collect::<Vec<_>>());
        let and = match path {
            Some(path) if option == OptionKey::Unauthenticated && path.starts_with('/') => {
                format!(", and at the top level `sign_in_path: \"{path}\"`")
            }
            _ => String::new(),
        };
        return Some(format!("`{word}` has no arguments: write `{word}`{and}"));
    }
    // `env(..)` is read on its own.
    if matches!(value.first(), Some(TokenTree::Ident(word)) if word == "env") || !is_expression(value) {
        return None;
    }
    let plain = plain(option, value).into_iter().find(|source| accepts(option, source));
    Some(match plain {
        Some(source) => format!("`{option}` takes a literal and no expression: write `{source}`"),
        None => format!("{}, and no expression", expected(option)),
    })
}

const KEYWORDS: [&str; 6] = ["if", "match", "loop", "unsafe", "async", "move"];

/// Whether the value is more than one literal or word: an operator or arguments follow its first token.
pub(super) fn is_expression(value: &[TokenTree]) -> bool {
    match value {
        [first, number @ TokenTree::Literal(_), rest @ ..]
            if is_punct(Some(first), '-') && !is_text(number) =>
        {
            is_expression_end(rest.first())
        }
        [TokenTree::Punct(_), _, ..] => true,
        [TokenTree::Ident(word), _, ..] if KEYWORDS.iter().any(|keyword| word == keyword) => true,
        // A misspelled word: `encrypted-v4`.
        [TokenTree::Ident(_), dash, TokenTree::Ident(_)] if is_punct(Some(dash), '-') => false,
        [_, rest @ ..] => is_expression_end(rest.first()),
        [] => false,
    }
}

fn is_expression_end(next: Option<&TokenTree>) -> bool {
    matches!(next, Some(TokenTree::Punct(_) | TokenTree::Group(_)))
}

fn is_text(token: &TokenTree) -> bool {
    string(std::slice::from_ref(token)).is_some()
}

/// The literals that an expression may stand for.
fn plain(option: OptionKey, value: &[TokenTree]) -> Vec<String> {
    let mut candidates = Vec::new();
    if let [TokenTree::Ident(some), TokenTree::Group(inner)] = value
        && some == "Some"
    {
        candidates.push(inner.stream().to_string());
    }
    candidates.extend(duration(value));
    candidates.extend(product(option, value));
    if is_punct(value.first(), '/') {
        candidates.push(format!("\"{}\"", value.iter().map(ToString::to_string).collect::<String>()));
    }
    if let [TokenTree::Ident(word), dot, ..] = value
        && is_punct(Some(dot), '.')
        && words(option).contains(&word.to_string().as_str())
    {
        candidates.push(word.to_string());
    }
    if let Some(text) = only_string(value) {
        candidates.push(format!("\"{text}\""));
        candidates.push(text);
    }
    candidates
}

/// `5s` for `Duration::from_secs(5)`.
fn duration(value: &[TokenTree]) -> Option<String> {
    let [.., TokenTree::Ident(from), TokenTree::Group(number)] = value else { return None };
    let unit = match from.to_string().as_str() {
        "from_millis" => "ms",
        "from_secs" => "s",
        "from_mins" => "m",
        "from_hours" => "h",
        _ => return None,
    };
    let number = product_of(&number.stream().into_iter().collect::<Vec<_>>())?;
    Some(format!("{number}{unit}"))
}

/// `10MiB` for `10 * 1024 * 1024` and for `10 << 20`.
fn product(option: OptionKey, value: &[TokenTree]) -> Option<String> {
    let number = product_of(value)?;
    if option.shape() != Shape::Size {
        return Some(number.to_string());
    }
    let (unit, size) = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, size)| number % size == 0)
        .unwrap_or(("B", 1));
    Some(format!("{}{unit}", number / size))
}

fn product_of(value: &[TokenTree]) -> Option<u64> {
    let whole = |token: &TokenTree| match token {
        TokenTree::Literal(literal) => match Lit::new(literal.clone()) {
            Lit::Int(number) => number.base10_parse::<u64>().ok(),
            _ => None,
        },
        _ => None,
    };
    match value {
        [number] => whole(number),
        [number, less, lesser, bits] if is_punct(Some(less), '<') && is_punct(Some(lesser), '<') => {
            whole(number)?.checked_mul(1_u64.checked_shl(u32::try_from(whole(bits)?).ok()?)?)
        }
        [number, times, rest @ ..] if is_punct(Some(times), '*') => {
            whole(number)?.checked_mul(product_of(rest)?)
        }
        _ => None,
    }
}

/// The words of an option.
pub(super) fn words(option: OptionKey) -> &'static [&'static str] {
    match option.shape() {
        Shape::Word(words) | Shape::WordOrText(words) => words,
        Shape::Bool => &["true", "false"],
        Shape::DurationOrOff | Shape::CountOrOff => &["off"],
        Shape::DurationOrAlways => &["always"],
        _ => &[],
    }
}

/// The word that is written in another case (`HS256`) or as a variant (`Kind::AuthJs`).
fn other_case(option: OptionKey, value: &[TokenTree]) -> Option<&'static str> {
    let (TokenTree::Ident(last), is_path) = (match value {
        [word] => (word, false),
        [.., colon, word] if is_punct(Some(colon), ':') => (word, true),
        _ => return None,
    }) else {
        return None;
    };
    let last = last.to_string();
    let fold = |word: &str| word.replace('_', "").to_ascii_lowercase();
    let same = |word: &&&str| fold(word) == fold(&last) && (is_path || **word != last);
    let words = words(option);
    words
        .iter()
        .find(same)
        .copied()
        .or_else(|| is_path.then(|| nearest(&last, words.iter().copied())).flatten())
}

/// The constant that the value names.
fn constant(option: OptionKey, value: &[TokenTree]) -> Option<String> {
    let is_path =
        value.iter().all(|token| matches!(token, TokenTree::Ident(_)) || is_punct(Some(token), ':'));
    let Some(TokenTree::Ident(last)) = value.last().filter(|_| is_path) else { return None };
    let last = last.to_string();
    // A misspelled word, which the rules refuse with the nearest one: `HS265`.
    if value.len() == 1 && nearest(&last, words(option).iter().copied()).is_some() {
        return None;
    }
    let is_constant = last.len() > 1 && !last.contains(|c: char| c.is_ascii_lowercase());
    is_constant.then(|| value.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use super::*;
    use crate::config::value::accepts;

    fn tokens(source: &str) -> Vec<TokenTree> {
        source.parse::<TokenStream>().unwrap().into_iter().collect()
    }

    #[test]
    fn advice_for_an_expression_is_accepted_in_its_place() {
        for (option, source, written) in [
            (OptionKey::BodyLimit, "10 * 1024 * 1024", "10MiB"),
            (OptionKey::BodyLimit, "1 << 20", "1MiB"),
            (OptionKey::BodyLimit, "3 * 5", "15B"),
            (OptionKey::Queue, "2 * 64", "128"),
            (OptionKey::Timeout, "Duration::from_secs(5)", "5s"),
            (OptionKey::Cache, "std::time::Duration::from_millis(500)", "500ms"),
            (OptionKey::Cache, "Off", "off"),
            (OptionKey::Timeout, "Some(5s)", "5s"),
            (OptionKey::BasePath, "\"/a\".to_string()", "\"/a\""),
            (OptionKey::BasePath, "String::from(\"/a\")", "\"/a\""),
            (OptionKey::BaseUrl, "Url::parse(\"http://auth\").unwrap()", "\"http://auth\""),
            (OptionKey::Timeout, "\"5s\".parse().unwrap()", "5s"),
            (OptionKey::Kind, "UpstreamKind::AuthJs", "authjs"),
            (OptionKey::Kind, "Kind::NextAuthV4", "next_auth_v4"),
            (OptionKey::Token, "HS256", "hs256"),
            (OptionKey::AllowHttp, "TRUE", "true"),
            (OptionKey::Unauthenticated, "redirect(\"/login\")", "redirect"),
            (OptionKey::Headers, "\"a\".into()", "\"a\""),
            (OptionKey::BasePath, "/api/auth", "\"/api/auth\""),
            (OptionKey::Issuer, "any.into()", "any"),
        ] {
            let message = advice(option, &tokens(source), accepts).unwrap();
            assert!(message.contains(&format!(" `{written}`")), "{option}: {source}: {message}");
            assert!(accepts(option, written), "{option}: {written}");
        }
    }

    #[test]
    fn advice_that_would_be_refused_is_not_given() {
        for (option, source) in [
            (OptionKey::Timeout, "2 * 1024"),
            (OptionKey::Timeout, "Duration::from_secs(5000)"),
            (OptionKey::BodyLimit, "1 << 64"),
            (OptionKey::BodyLimit, "18446744073709551615 * 2"),
            (OptionKey::BasePath, "format!(\"/{}\", a)"),
            (OptionKey::BasePath, "\"a\".to_string()"),
            (OptionKey::Kind, "Kind::Other"),
            (OptionKey::Kind, "if a { robo } else { authjs }"),
            (OptionKey::Kind, "match a { _ => robo }"),
        ] {
            let message = advice(option, &tokens(source), accepts).unwrap();
            assert!(message.ends_with(", and no expression"), "{option}: {source}: {message}");
        }
    }
}

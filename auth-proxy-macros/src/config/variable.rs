//! Recognises other ways to read a variable, such as `std::env::var("X")` and `process.env.X`.

use auth_proxy_rules::{Draft, OptionKey, Shape};
use proc_macro2::TokenTree;

use super::env::is_variable_name;
use super::strings::{only_string, string};
use crate::tokens::is_punct;

/// The message for another way to read a variable.
pub(super) fn message(option: OptionKey, value: &[TokenTree]) -> Option<String> {
    if matches!(value.first(), Some(TokenTree::Literal(_))) || !option.takes_env() {
        return None;
    }
    let form = env_form(option, value)?;
    Some(match value {
        [TokenTree::Ident(env), TokenTree::Group(_), ..] if env == "env" => {
            format!("`env(..)` is the whole value, read at start: write `{form}`")
        }
        _ => format!("`{option}` reads a variable as `env(..)`: write `{form}`"),
    })
}

/// The `env(..)` to write for another way to read a variable: `std::env::var("X")`, `process.env.X ?? "a"`,
/// `env("X").unwrap_or("a")`.
pub(super) fn env_form(option: OptionKey, value: &[TokenTree]) -> Option<String> {
    if let [TokenTree::Ident(env), TokenTree::Group(_)] = value
        && env == "env"
    {
        return None;
    }
    // Only the comma may be missing.
    if let [TokenTree::Ident(env), TokenTree::Group(_), TokenTree::Ident(_) | TokenTree::Literal(_), ..] =
        value
        && env == "env"
    {
        return None;
    }
    let (name, behind) = name_and_behind(value)?;
    // The message of `expect` is no default.
    let has = |wanted: &[&str]| {
        behind.iter().any(|token| matches!(token, TokenTree::Ident(word) if wanted.iter().any(|w| word == w)))
    };
    let default = only_string(behind).filter(|_| option.shape() != Shape::Secret && !has(&["expect"]));
    let default =
        default.filter(|text| Draft::default().set(option, text).is_ok() || option == OptionKey::Headers);
    let optional = option != OptionKey::BaseUrl && has(&["ok", "unwrap_or_default"]);
    Some(match default {
        Some(text) => format!("env(\"{name}\", default = \"{text}\")"),
        None if optional => format!("env(\"{name}\", optional)"),
        None => format!("env(\"{name}\")"),
    })
}

/// The name of the variable that an expression reads.
pub(super) fn name(value: &[TokenTree]) -> Option<String> {
    name_and_behind(value).map(|(name, _)| name)
}

fn name_and_behind(value: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    const READERS: [&str; 4] = ["env", "option_env", "dotenv", "dotenvy"];
    let reader = value.iter().position(
        |token| matches!(token, TokenTree::Ident(word) if READERS.iter().any(|reader| word == reader)),
    )?;
    // `env!("X")` has a message of its own.
    if is_punct(value.get(reader + 1), '!')
        && matches!(value.get(reader), Some(TokenTree::Ident(env)) if env == "env")
    {
        return None;
    }
    value.iter().enumerate().skip(reader + 1).find_map(|(at, token)| {
        let name = match token {
            TokenTree::Group(group) => string(&group.stream().into_iter().take(1).collect::<Vec<_>>())?,
            TokenTree::Ident(word) if !word.to_string().contains(|c: char| c.is_ascii_lowercase()) => {
                word.to_string()
            }
            _ => return None,
        };
        is_variable_name(&name).then(|| (name, value.get(at + 1..).unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<TokenTree> {
        source.parse::<proc_macro2::TokenStream>().unwrap().into_iter().collect()
    }

    #[test]
    fn other_ways_to_read_a_variable_keep_their_default() {
        for (option, source, written) in [
            (OptionKey::Host, "process.env.HOST", Some("env(\"HOST\")")),
            (OptionKey::Host, "process.env.HOST!", Some("env(\"HOST\")")),
            (OptionKey::Host, "process.env[\"HOST\"] || \"a\"", Some("env(\"HOST\", default = \"a\")")),
            (OptionKey::Host, "std::env::var(\"HOST\").expect(\"no host\")", Some("env(\"HOST\")")),
            (OptionKey::Host, "env(\"HOST\").ok()", Some("env(\"HOST\", optional)")),
            (OptionKey::BaseUrl, "env(\"URL\").ok()", Some("env(\"URL\")")),
            (OptionKey::Secret, "env(\"A\").unwrap_or(\"b\")", Some("env(\"A\")")),
            (OptionKey::Timeout, "option_env!(\"T\").unwrap_or(\"x\")", Some("env(\"T\")")),
            (OptionKey::Host, "env(\"HOST\")", None),
            (OptionKey::Host, "env(\"HOST\") word", None),
            (OptionKey::Host, "env!(\"HOST\")", None),
        ] {
            assert_eq!(env_form(option, &tokens(source)).as_deref(), written, "{option}: {source}");
        }
    }
}

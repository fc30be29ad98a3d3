//! Messages for a value that an option does not accept.

use auth_proxy_rules::{OptionKey, Shape};

/// Describes the values that an option accepts.
pub(super) fn expected(option: OptionKey) -> String {
    let example = option.example();
    let what = match option.shape() {
        Shape::Text => format!("a string such as `{}`", literal_example(option)),
        Shape::Word(words) => one_of(words),
        Shape::WordOrText(words) => {
            let text = match option {
                OptionKey::Audience | OptionKey::Issuer => "a string",
                _ => "a host in quotes",
            };
            format!("{}, or {text}", one_of(words))
        }
        Shape::Duration => format!("a duration such as `{example}`"),
        Shape::DurationOrOff => format!("a duration such as `{example}`, or `off`"),
        Shape::DurationOrAlways => format!("a duration such as `{example}`, or `always`"),
        Shape::Size => format!("a size such as `{example}`"),
        Shape::Count => format!("a whole number such as `{example}`"),
        Shape::CountOrOff => format!("a whole number such as `{example}`, or `off`"),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Headers => "a string or `env(\"..\")` as the value of a header".to_owned(),
        Shape::Secret | Shape::Store | Shape::Expression | Shape::List | Shape::Names => example.to_owned(),
    };
    let env = if option.takes_env() && !matches!(option.shape(), Shape::Headers | Shape::Store) {
        ", or `env(\"..\")`"
    } else {
        ""
    };
    format!("`{option}` takes {what}{env}")
}

pub(super) fn word_without_quotes(word: &str) -> String {
    format!("a bare word, without quotes: write `{word}`")
}

pub(super) fn no_quotes(text: &str) -> String {
    format!("no quotes here: write `{text}`")
}

fn one_of(words: &[&str]) -> String {
    let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    if words.len() > 1 { format!("one of {list}") } else { list }
}

fn literal_example(option: OptionKey) -> &'static str {
    if option == OptionKey::BaseUrl { "\"https://auth.example.com\"" } else { option.example() }
}

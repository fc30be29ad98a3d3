//! Writes the documentation of the declared type: the configuration in force.

use std::fmt::Write as _;

use auth_proxy_rules::{Draft, OptionKey};
use quote::ToTokens;

use super::model::{Block, Env, Header, Value};

/// The table of a declaration: each option that is set, then the defaults of the others.
///
/// `known` has the values that are known at compile time. Secrets have no value in source. The text
/// of a header is not shown, since it may be a key.
pub(super) fn configuration(block: &Block, known: &Draft) -> String {
    let mut text = String::from("\n# Configuration\n\n| option | value |\n|---|---|\n");
    let set: Vec<(String, String)> = OptionKey::ALL.iter().flat_map(|option| rows(block, *option)).collect();
    for (name, value) in &set {
        row(&mut text, name, value);
    }
    text.push_str("\nDefaults:\n\n| option | default |\n|---|---|\n");
    for option in OptionKey::ALL.iter().filter(|option| !is_set(block, **option)) {
        row(&mut text, &option.to_string(), &known.default_beside(*option));
    }
    text
}

/// In place of a text that may be a key.
const TEXT: &str = "a text in the block";

/// A line of a table. A `|` would end the cell, in code too.
fn row(text: &mut String, name: &str, value: &str) {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "| {} | {} |", cell(&code(name)), cell(value));
}

fn is_set(block: &Block, option: OptionKey) -> bool {
    match option {
        OptionKey::Headers => !block.headers.is_empty(),
        OptionKey::Fetch => block.fetch.is_some(),
        option => block.options.iter().any(|entry| entry.option == option),
    }
}

/// The names and values of an option that is set: one row for each header and each secret.
fn rows(block: &Block, option: OptionKey) -> Vec<(String, String)> {
    match option {
        OptionKey::Headers => {
            let header = |header: &Header| {
                let name = format!("{option}[\"{}\"]", header.name.value());
                let value = match header.value.as_ref()? {
                    Value::Literal { .. } => TEXT.to_owned(),
                    Value::Env(env) => variable(env, TEXT),
                };
                Some((name, value))
            };
            block.headers.iter().filter_map(header).collect()
        }
        OptionKey::WebhookSecret => {
            let secrets = block.webhook_secrets.iter();
            secrets.map(|secret| (option.to_string(), variable(secret, TEXT))).collect()
        }
        OptionKey::Secret => {
            block.secrets.iter().map(|secret| (option.to_string(), variable(secret, TEXT))).collect()
        }
        OptionKey::Fetch => {
            let client = block.fetch.as_ref().map(|_| (option.to_string(), "the app's client".to_owned()));
            client.into_iter().collect()
        }
        option => {
            let entry = block.options.iter().find(|entry| entry.option == option);
            let value = entry.and_then(|entry| entry.value.as_ref()).map(value);
            value.map(|value| (option.to_string(), value)).into_iter().collect()
        }
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Literal { tokens, items, .. } if items.is_empty() => {
            code(&tokens.to_string().replace("- ", "-"))
        }
        Value::Literal { items, .. } => {
            let items: Vec<String> = items.iter().map(|item| item.tokens.to_string()).collect();
            code(&format!("[{}]", items.join(", ")))
        }
        Value::Env(env) => {
            let default = env.default.as_ref().map(|default| code(&default.to_token_stream().to_string()));
            variable(env, &default.unwrap_or_default())
        }
    }
}

/// `default` describes the default, if there is one.
fn variable(env: &Env, default: &str) -> String {
    let name = env.name.value();
    match (&env.default, env.optional) {
        (Some(_), _) => format!("variable `{name}`, or else {default}"),
        (None, true) => format!("variable `{name}`, which may be unset"),
        (None, false) => format!("variable `{name}`, which is required"),
    }
}

/// The text as code in Markdown. Backticks in it need more of them around it.
fn code(text: &str) -> String {
    match text.split(|c| c != '`').map(str::len).max() {
        None | Some(0) => format!("`{text}`"),
        Some(most) => {
            let around = "`".repeat(most + 1);
            format!("{around} {text} {around}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{parse, validate};
    use crate::errors::Errors;

    fn table(source: &str) -> String {
        let source = format!("(krate) struct Auth {{ {source} }}");
        let mut errors = Errors::default();
        let declaration = parse::declaration(source.parse().unwrap(), &mut errors).unwrap();
        let known = validate::check(&declaration, &mut errors);
        configuration(&declaration.block, &known)
    }

    #[test]
    fn each_option_has_one_row() {
        let text = table("base_path: \"/login\", upstream: { base_url: env(\"URL\"), kind: next_auth_v4 }");
        for option in OptionKey::ALL {
            assert_eq!(text.matches(&format!("| `{option}` |")).count(), 1, "{option} in {text}");
        }
        for row in [
            "| `base_path` | `\"/login\"` |",
            "| `sign_in_path` | `\"/login/signin\"` |",
            "| `upstream.base_url` | variable `URL`, which is required |",
            "| `upstream.token` | `encrypted_v4` |",
        ] {
            assert!(text.contains(&format!("{row}\n")), "{row} in {text}");
        }
    }

    #[test]
    fn values_do_not_break_the_table() {
        let text = table(
            "upstream: { base_url: \"http://auth\", audience: \"c|`d\", headers: { \"a|b\": env(\"A\") } }",
        );
        assert!(
            text.contains("| `upstream.headers[\"a\\|b\"]` | variable `A`, which is required |\n"),
            "{text}"
        );
        assert!(text.contains("| `upstream.audience` | `` \"c\\|`d\" `` |\n"), "{text}");
        assert_eq!(code("a``b"), "``` a``b ```");
    }

    #[test]
    fn texts_that_may_be_secret_are_not_shown() {
        let text = table(
            "upstream: { secret: \"hunter2\", headers: { \"x-key\": \"hunter2\", \"x-other\": env(\"A\", default = \"hunter2\") } }",
        );
        assert!(text.contains("`upstream.headers[\"x-key\"]` | a text in the block |"), "{text}");
        assert!(text.contains("variable `A`, or else a text in the block |"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

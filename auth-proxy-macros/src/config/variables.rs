//! Lists the environment variables that a declaration reads.

use auth_proxy_rules::OptionKey;

use super::model::{Block, Env, Value};

/// The variables with the full names of their options, in the order of the documentation.
pub(super) fn of(block: &Block) -> Vec<(&Env, String)> {
    OptionKey::ALL.iter().flat_map(|option| of_option(block, *option)).collect()
}

fn of_option(block: &Block, option: OptionKey) -> Vec<(&Env, String)> {
    match option {
        OptionKey::WebhookSecret => {
            block.webhook_secrets.iter().map(|env| (env, option.to_string())).collect()
        }
        OptionKey::Secret => block.secrets.iter().map(|env| (env, option.to_string())).collect(),
        OptionKey::Headers => {
            let headers = block.headers.iter();
            headers
                .filter_map(|header| match &header.value {
                    Some(Value::Env(env)) => Some((env, format!("{option}[\"{}\"]", header.name.value()))),
                    _ => None,
                })
                .collect()
        }
        option => {
            let entries = block.options.iter().filter(|entry| entry.option == option);
            entries
                .filter_map(|entry| match &entry.value {
                    Some(Value::Env(env)) => Some((env, option.to_string())),
                    _ => None,
                })
                .collect()
        }
    }
}

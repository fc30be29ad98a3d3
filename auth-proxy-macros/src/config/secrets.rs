//! Reads `upstream.secret` and `revocation.webhook_secret`: `env(..)`, or a list of them.

use auth_proxy_rules::OptionKey;
use proc_macro2::{Delimiter, TokenTree};

use super::model::Block;
use super::value;
use crate::errors::Errors;
use crate::tokens;

/// Reads one secret or a list. Returns the tokens behind it.
pub(super) fn read<'t>(
    option: OptionKey,
    value: &'t [TokenTree],
    block: &mut Block,
    errors: &mut Errors,
) -> &'t [TokenTree] {
    let secrets = match option {
        OptionKey::WebhookSecret => &mut block.webhook_secrets,
        _ => &mut block.secrets,
    };
    let is_list = !matches!(value.get(1), Some(TokenTree::Punct(_) | TokenTree::Group(_)));
    let Some(list) = tokens::group(value.first(), Delimiter::Bracket).filter(|_| is_list) else {
        let (secret, rest) = value::secret(option, value, errors);
        secrets.extend(secret);
        return rest;
    };
    let entries = tokens::at_commas(list, errors);
    if entries.is_empty() {
        let example = option.example();
        errors.at(value.first(), format!("the list is empty: write `{example}`, or remove the option"));
    }
    for entry in entries {
        let entry = tokens::flatten(&entry);
        let (secret, rest) = value::secret(option, &entry, errors);
        match secret {
            Some(secret) if secrets.iter().any(|other| other.name.value() == secret.name.value()) => {
                let message = format!("`{}` is in the list already: remove one", secret.name.value());
                errors.at(&secret.tokens, message);
            }
            secret => secrets.extend(secret),
        }
        if !rest.is_empty() {
            errors.at(tokens::stream(rest), "expected `,` after the value");
        }
    }
    value.get(1..).unwrap_or_default()
}

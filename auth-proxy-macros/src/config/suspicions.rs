//! Warns about deprecated options, and about values that are allowed and probably not meant.

use auth_proxy_rules::{Draft, OptionKey};
use quote::ToTokens;

use super::model::{Block, Value};
use crate::warnings::Warnings;

/// The warnings about a block, whose known values are in `draft`.
pub(super) fn warnings(block: &Block, draft: &Draft) -> Warnings {
    let mut warnings = Warnings::default();
    deprecated_options(block, OptionKey::deprecated, &mut warnings);
    for suspicion in draft.suspicions() {
        let entry = block.options.iter().find(|entry| entry.option == suspicion.option);
        let Some(value) = entry.and_then(|entry| entry.value.as_ref()) else { continue };
        let item = suspicion.item.and_then(|item| value.items().get(item));
        warnings.suspicious(item.map_or(value.tokens(), |item| &item.tokens), suspicion.message);
    }
    secrets_in_headers(block, &mut warnings);
    warnings
}

/// `note` returns what to write in place of a deprecated option.
fn deprecated_options(
    block: &Block,
    note: impl Fn(OptionKey) -> Option<&'static str>,
    warnings: &mut Warnings,
) {
    for entry in &block.options {
        if let Some(note) = note(entry.option) {
            warnings.deprecated(&entry.key, note);
        }
    }
}

/// A header whose variable is a secret of session tokens: whoever reads the header can make sessions.
fn secrets_in_headers(block: &Block, warnings: &mut Warnings) {
    for header in &block.headers {
        let Some(Value::Env(env)) = &header.value else { continue };
        if block.secrets.iter().any(|secret| secret.name.value() == env.name.value()) {
            warnings.suspicious(
                &env.name.to_token_stream(),
                format!(
                    "`upstream.secret` is read from this variable too, and whoever reads the header can make sessions: \
                     write `env(\"AUTH_PROXY_KEY\")`, with a key of its own, in place of `env({})`",
                    env.name.to_token_stream()
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::errors::Errors;

    fn block(source: &str) -> Block {
        let source = format!("(krate) struct Auth {{ {source} }}");
        parse::declaration(source.parse().unwrap(), &mut Errors::default()).unwrap().block
    }

    #[test]
    fn deprecated_option_is_reported_at_its_key() {
        let mut warnings = Warnings::default();
        let block = block("base_path: \"/a\", upstream: { timeout: 5s }");
        let note = |option| (option == OptionKey::Timeout).then_some("write `limit`");
        deprecated_options(&block, note, &mut warnings);
        let code = warnings.into_tokens(&[]).to_string();
        assert!(code.contains("(note = \"write `limit`\")] const timeout"), "{code}");
        assert!(!code.contains("base_path"), "{code}");
    }

    #[test]
    fn secret_in_a_header_is_suspicious() {
        for (header, count) in
            [("env(\"A\")", 1), ("env(\"B\", optional)", 1), ("env(\"C\")", 0), ("\"A\"", 0)]
        {
            let block = block(&format!(
                "upstream: {{ secret: [env(\"A\"), env(\"B\")], headers: {{ \"x\": {header} }} }}"
            ));
            let mut warnings = Warnings::default();
            secrets_in_headers(&block, &mut warnings);
            let code = warnings.into_tokens(&[]).to_string();
            assert_eq!(code.matches("const SUSPICIOUS").count(), count, "{header}: {code}");
        }
    }
}

//! [`BuilderOptions`]: the options that the builder sets.

use auth_proxy_rules::{Draft, InvalidValue, OptionKey};
use zeroize::Zeroizing;

/// The options that the builder sets. They replace those of the declaration.
#[derive(Default)]
pub(crate) struct BuilderOptions {
    pub(super) draft: Draft,
    pub(super) options: Vec<BuilderOption>,
    pub(crate) headers: Vec<(String, Zeroizing<String>)>,
    pub(crate) secrets: Option<Vec<Zeroizing<String>>>,
    pub(crate) webhook_secrets: Option<Vec<Zeroizing<String>>>,
}

/// An option that the builder sets. Its value is in the draft.
pub(super) struct BuilderOption {
    pub(super) option: OptionKey,
    /// A note for the log, or why the value is refused. `resolve` reports it when the proxy is built.
    pub(super) result: Result<Option<&'static str>, InvalidValue>,
}

impl BuilderOptions {
    /// Sets an option. The last value counts.
    pub(crate) fn set(
        &mut self,
        option: OptionKey,
        set: impl FnOnce(&mut Draft) -> Result<Option<&'static str>, InvalidValue>,
    ) {
        let result = set(&mut self.draft);
        if result.is_err() {
            // The option counts as set: rules between options must not report it again.
            self.draft.set_later(option, false);
        }
        self.options.retain(|other| other.option != option);
        self.options.push(BuilderOption { option, result });
    }

    pub(super) fn has(&self, option: OptionKey) -> bool {
        self.options.iter().any(|other| other.option == option)
    }

    /// The options that are set, besides headers and secrets.
    pub(crate) fn names(&self) -> impl Iterator<Item = OptionKey> {
        self.options.iter().map(|set| set.option)
    }
}

//! [`BuilderOptions`]: the options that the builder sets.

use auth_proxy_rules::{Draft, InvalidValue, OptionKey, nearest};
use zeroize::Zeroizing;

/// The options that the builder sets. They replace those of the declaration.
#[derive(Default)]
pub(crate) struct BuilderOptions {
    pub(super) draft: Draft,
    pub(super) options: Vec<BuilderOption>,
    /// Names that were given for an option and are none, each with the advice.
    pub(super) unknown: Vec<(String, String)>,
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

    /// Sets an option by its full name, with a text as a variable would have it.
    pub(crate) fn set_by_name(&mut self, name: &str, text: &str) {
        let Some(option) = OptionKey::ALL.iter().copied().find(|option| option.to_string() == name) else {
            let names: Vec<String> = OptionKey::ALL.iter().map(ToString::to_string).collect();
            let advice = match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("there is no such option: write `{near}`"),
                None => "there is no such option".to_owned(),
            };
            self.unknown.push((name.to_owned(), advice));
            return;
        };
        self.set(option, |draft| draft.set(option, text));
    }

    pub(super) fn has(&self, option: OptionKey) -> bool {
        self.options.iter().any(|other| other.option == option)
    }

    /// The options that are set, besides headers and secrets.
    pub(crate) fn names(&self) -> impl Iterator<Item = OptionKey> {
        self.options.iter().map(|set| set.option)
    }
}

//! [`Problem`]: a broken rule between options, and the option to report.

use crate::option::OptionKey;

/// The place in a configuration that a [`Problem`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// An option that is set.
    Option(OptionKey),
    /// The n-th entry of `upstream.secret`, newest first.
    Secret(usize),
    /// An option that is required and not set.
    Missing(OptionKey),
}

impl Place {
    /// The option that the place belongs to.
    #[must_use]
    pub fn option(self) -> OptionKey {
        match self {
            Self::Option(option) | Self::Missing(option) => option,
            Self::Secret(_) => OptionKey::Secret,
        }
    }
}

/// A broken rule between options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option to point at.
    pub place: Place,
    /// What is wrong and what to write instead, without the values of URLs.
    pub message: String,
    /// The value to write. It is made of the value that is set, so it is shown for literals only.
    pub fixed: Option<String>,
    /// Other options that can be changed instead. A report names the variables that they are read from.
    pub others: &'static [OptionKey],
}

impl Problem {
    /// The message with the value to write. For values that stand in the source code.
    #[doc(hidden)]
    #[must_use]
    pub fn quoted(&self) -> String {
        match &self.fixed {
            Some(fixed) => format!("{}: write `\"{fixed}\"`", self.message),
            None => self.message.clone(),
        }
    }
}

//! [`Problem`]: a rule that the configuration as a whole breaks, and where to point.

use crate::option::OptionKey;

/// Where in a configuration a [`Problem`] lies.
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

/// A rule that the configuration as a whole breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option to point at.
    pub place: Place,
    /// What is wrong and what to write instead.
    pub message: String,
}

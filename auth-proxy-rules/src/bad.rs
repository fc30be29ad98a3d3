use std::fmt;

use crate::Opt;

/// Why a value is refused.
///
/// `message` never contains the value, so it may be shown whatever the value was. `part` quotes
/// the offending piece and is shown for literals only: they stand in the source already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// What is wrong and what to write instead, lower case, without a full stop.
    pub message: String,
    /// The piece of the value that is wrong, where one can be named.
    pub part: Option<String>,
}

impl Bad {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), part: None }
    }

    pub(crate) fn part(message: impl Into<String>, part: impl Into<String>) -> Self {
        Self { message: message.into(), part: Some(part.into()) }
    }

    /// The message with the offending piece quoted, for values that stand in the source.
    #[must_use]
    pub fn quoting(&self) -> String {
        match &self.part {
            Some(part) => format!("{}, found `{part}`", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Where in a configuration a [`Problem`] lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// An option that is set.
    Option(Opt),
    /// The n-th entry of `upstream.secret`, newest first.
    Secret(usize),
    /// An option that is required and not set.
    Missing(Opt),
}

impl Place {
    /// The option that the place belongs to.
    #[must_use]
    pub fn option(self) -> Opt {
        match self {
            Self::Option(option) | Self::Missing(option) => option,
            Self::Secret(_) => Opt::Secret,
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

//! [`InvalidValue`]: why a value of an option is refused.

use std::fmt;

/// Why a value of an option is refused.
///
/// `Display` writes [`message`](Self::message), which never contains the value: it may be shown even for a value that
/// came from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    message: String,
    /// The offending piece. It is part of the value, so it is shown for literals only.
    part: Option<String>,
}

impl InvalidValue {
    #[doc(hidden)]
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), part: None }
    }

    pub(crate) fn with_part(message: impl Into<String>, part: impl Into<String>) -> Self {
        Self { message: message.into(), part: Some(part.into()) }
    }

    /// Names the whole text as the offending piece.
    pub(crate) fn found(mut self, text: &str) -> Self {
        self.part = Some(text.to_owned());
        self
    }

    /// What is wrong and what to write instead: lower case, without a full stop, without the value.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The message with the offending piece quoted. For values that stand in the source code.
    #[doc(hidden)]
    #[must_use]
    pub fn quoted(&self) -> String {
        match &self.part {
            Some(part) => format!("{}, found `{part}`", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidValue {}

//! [`Finding`]: one thing that is wrong. [`Unchecked`]: what could not be checked.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::code::{Code, Severity};
use crate::error::{AuthError, Causes};

/// One thing that is wrong with a deployment: what was seen, and what to change. It shows no secret, no token and no value
/// of a cookie or a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    code: Code,
    evidence: String,
    change: String,
}

impl Finding {
    pub(super) fn new(code: Code, evidence: impl Into<String>, change: impl Into<String>) -> Self {
        Self { code, evidence: evidence.into(), change: change.into() }
    }

    /// The stable name of the kind of finding, such as `secret_wrong`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.name
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity
    }

    /// What is wrong, in one sentence that is the same for each finding with this code.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.code.summary
    }

    /// What was seen.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// What to change: an option of this app or a setting of the server, with the text to write.
    #[must_use]
    pub fn change(&self) -> &str {
        &self.change
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}: {}", self.severity().name(), self.code(), self.summary())?;
        writeln!(f, "  seen:   {}", self.evidence)?;
        write!(f, "  change: {}", self.change)
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 5)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("severity", &self.severity())?;
        fields.serialize_field("summary", self.summary())?;
        fields.serialize_field("evidence", &self.evidence)?;
        fields.serialize_field("change", &self.change)?;
        fields.end()
    }
}

/// The causes of an error, or the error itself if it has none.
pub(super) fn seen(error: &AuthError) -> String {
    match std::error::Error::source(error) {
        Some(source) => Causes(source).to_string(),
        None => error.to_string(),
    }
}

/// What a check could not find out, and why. It is no finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unchecked {
    check: &'static str,
    reason: String,
}

impl Unchecked {
    pub(super) fn new(check: &'static str, reason: impl Into<String>) -> Self {
        Self { check, reason: reason.into() }
    }

    /// What was not checked: `session_strategy`, `token`, `callback_urls`, `cookie_name`, `secret`, `trusted_origins`,
    /// `clock` or `keys`.
    #[must_use]
    pub fn check(&self) -> &'static str {
        self.check
    }

    /// Why not.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not checked: {}: {}", self.check, self.reason)
    }
}

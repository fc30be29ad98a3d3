//! `RawSession`: a session as JSON, before its user is converted to the app's type.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A session as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RawSession {
    pub(crate) user: Map<String, Value>,
    pub(crate) expires: Option<SystemTime>,
    pub(crate) extra: Map<String, Value>,
}

impl RawSession {
    /// Whether every field of the user is null or empty.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.user.values().all(|value| value.is_null() || value.as_str().is_some_and(str::is_empty))
    }
}

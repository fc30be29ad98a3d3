//! Reads a JSON object into the app's type, with errors that name the field and never its value.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{AuthError, Reason};

/// Deserialises an object into the app's type.
///
/// # Errors
/// `reason`, if the object does not deserialise. The source names the field and never its value.
pub(crate) fn deserialize_into<T: DeserializeOwned>(
    object: Map<String, Value>,
    reason: &'static Reason,
) -> Result<T, AuthError> {
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|error| {
        let mismatch = Mismatch {
            path: error.path().to_string(),
            // serde_json's messages quote values, which may be personal data. The message for a missing field quotes
            // only the field's name.
            missing: error.inner().to_string().strip_prefix("missing field ").map(str::to_owned),
            expected: std::any::type_name::<T>(),
        };
        let error = AuthError::new(reason);
        if error.is(Reason::CLAIMS_MISMATCH) {
            tracing::error!(target: "auth_proxy::token", %mismatch, "the upstream's data does not match the app's type");
        } else {
            tracing::error!(target: "auth_proxy::lookup", %mismatch, "the upstream's data does not match the app's type");
        }
        error.because(mismatch)
    })
}

/// The field that does not match the app's type.
#[derive(Debug)]
struct Mismatch {
    path: String,
    missing: Option<String>,
    expected: &'static str,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, missing, expected } = self;
        match missing {
            Some(field) => write!(f, "`{expected}` needs the field {field}, which is missing"),
            None => write!(f, "the field `{path}` does not have the type that `{expected}` declares"),
        }
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Strict {
        name: String,
        age: u8,
    }

    #[test]
    fn type_mismatch_error_names_the_field_and_hides_its_value() {
        for (value, expected_text) in [
            (json!({"name": "hunter2"}), "needs the field `age`"),
            (json!({"name": "a", "age": "hunter2"}), "the field `age` does not have the type"),
        ] {
            let Value::Object(object) = value else { unreachable!() };
            let error = deserialize_into::<Strict>(object, Reason::USER_MISMATCH).unwrap_err();
            let text = format!("{error} {error:?} {}", error.source().unwrap());
            assert!(text.contains(expected_text) && !text.contains("hunter2"), "{text}");
        }
    }
}

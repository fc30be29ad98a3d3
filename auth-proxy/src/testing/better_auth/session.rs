//! `/get-session`.

use http::StatusCode;
use serde_json::Value;

use super::request::{DatabaseDown, Request};
use super::response::{Answered, Json, error};

impl Request<'_> {
    /// The session or `null`. A failure of the database is an error, and sets no cookie but what was set before.
    pub(super) fn get_session(&mut self) -> Answered {
        match self.find_session(false) {
            Ok(found) => Ok(Json::ok(found.map_or(Value::Null, |found| found.json()))),
            Err(DatabaseDown) => Err(error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "FAILED_TO_GET_SESSION",
                "Failed to get session",
            )),
        }
    }

    /// POST is for the option `deferSessionRefresh`, which the fake does not have.
    pub(super) fn post_session(&mut self) -> Answered {
        Err(error(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED",
            "POST method requires deferSessionRefresh to be enabled in session config",
        ))
    }
}

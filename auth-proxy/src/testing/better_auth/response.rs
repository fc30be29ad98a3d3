//! The responses: JSON, errors with a code, and responses without a body.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION, PRAGMA};
use serde_json::{Value, json};

use crate::testing::answer::Answer;

/// A JSON response.
pub(super) struct Json {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    pub(super) location: Option<String>,
}

impl Json {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body, location: None }
    }
}

/// A request that is not carried out.
pub(super) enum Refusal {
    Error(Json),
    /// An exception that nothing catches: 500 without a body.
    Crash,
}

/// The result of a route.
pub(super) type Answered = Result<Json, Refusal>;

/// An error with a message and a code.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Refusal {
    Refusal::Error(Json { status, body: json!({ "message": message, "code": code }), location: None })
}

/// The error of a body that lacks a field, or has one of another type.
pub(super) fn validation_error(message: &str) -> Refusal {
    error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
}

pub(super) fn unauthorized() -> Refusal {
    error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Unauthorized")
}

/// A response without a body and a content type.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A JSON response with these `Set-Cookie` values.
pub(super) fn json_with(json: Json, cookies: Vec<String>, is_uncached: bool) -> Response {
    let mut answer = Answer::json(json.status, json.body.to_string());
    if is_uncached {
        answer = answer.header(CACHE_CONTROL, "no-store").header(PRAGMA, "no-cache");
    }
    if let Some(location) = json.location {
        answer = answer.header(LOCATION, &location);
    }
    answer.cookies(cookies).done()
}

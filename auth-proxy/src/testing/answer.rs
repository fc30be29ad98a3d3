//! Builds the responses of the fake.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};

/// A response of the fake that is being built.
pub(super) struct Answer(Response);

impl Answer {
    pub(super) fn json(status: StatusCode, body: String) -> Self {
        Self::with_type(status, "application/json", body)
    }

    pub(super) fn html(body: String) -> Self {
        Self::with_type(StatusCode::OK, "text/html; charset=utf-8", body)
    }

    /// A 302. With `X-Auth-Return-Redirect` Auth.js sends 200 and `{url}` instead, and keeps `Location`
    /// (`docs/authjs.md#return-redirect`).
    pub(super) fn redirect(location: &str, as_json: bool) -> Self {
        let answer = if as_json {
            Self::json(StatusCode::OK, serde_json::json!({ "url": location }).to_string())
        } else {
            Self::with_type(StatusCode::FOUND, "text/plain", String::new())
        };
        answer.header(LOCATION, location)
    }

    /// Auth.js's response to every unknown action.
    pub(super) fn bad_request() -> Self {
        Self::json(StatusCode::BAD_REQUEST, "\"Bad request.\"".to_owned())
    }

    fn with_type(status: StatusCode, kind: &'static str, body: String) -> Self {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Self(response)
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().append(name, value);
        }
        self
    }

    pub(super) fn uncached(self) -> Self {
        self.header(CACHE_CONTROL, "private, no-cache, no-store")
    }

    pub(super) fn cookies(self, cookies: Vec<String>) -> Self {
        cookies.into_iter().fold(self, |answer, cookie| answer.header(SET_COOKIE, &cookie))
    }

    pub(super) fn done(self) -> Response {
        self.0
    }
}

use std::sync::LazyLock;

use axum::body::Body;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::input::message;
use crate::world::{self, Auth};

static AUTH: LazyLock<Auth> = LazyLock::new(|| world::builder().build().unwrap());

/// `STATUS` of an answer to `GET /session`, headers, a body.
///
/// Somebody is signed in only if a plain 200 says so, and is told signed out only if it takes the cookie or
/// renews it.
pub fn session(data: &[u8]) {
    let input = message(data);
    let Ok(status) = StatusCode::from_bytes(input.first) else { return };
    let mut answer = Response::new(Body::from(input.body.to_vec()));
    *answer.status_mut() = status;
    *answer.headers_mut() = input.headers.clone();
    world::upstream(Some(answer));
    let headers: HeaderMap =
        [(COOKIE, HeaderValue::from_static("authjs.session-token=anything"))].into_iter().collect();
    let found = world::wait(AUTH.session(&headers));
    assert_eq!(world::asked().len(), 1);
    // As lenient as can be: what is no JSON for this either is none at all.
    let told = serde_json::from_slice::<Value>(input.body).ok();
    let mentions = input.headers.get_all(SET_COOKIE).iter().any(|line| {
        let text = String::from_utf8_lossy(line.as_bytes()).into_owned();
        text.trim_start().starts_with(world::COOKIE)
    });
    match found {
        Ok(Some(session)) => {
            assert_eq!(status, StatusCode::OK);
            // Half a character is mended before.
            if let Some(told) = told {
                let user = told.get("user").and_then(Value::as_object).expect("a user");
                assert_eq!(session.user.name.as_deref(), user.get("name").and_then(Value::as_str));
            }
        }
        Ok(None) => assert!(status == StatusCode::OK && mentions, "signed out by nobody"),
        Err(error) if error.is_invalid() => {
            assert!(status == StatusCode::OK && mentions, "refused by nobody")
        }
        Err(error) => assert!(error.is_unavailable(), "{error}"),
    }
}

use std::sync::LazyLock;

use auth_proxy::testing::mint;
use axum::body::Body;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::input::message;
use crate::world::{self, SECRET};

/// A value without the shape of a token is refused unasked.
static COOKIES: LazyLock<HeaderMap> = LazyLock::new(|| {
    let token = mint(&json!({ "sub": "1" }), SECRET, world::COOKIE);
    let cookie = format!("{}={token}", world::COOKIE);
    [(COOKIE, HeaderValue::from_str(&cookie).unwrap())].into_iter().collect()
});

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
    // A proxy learns from `Set-Cookie` which name counts: each input has one of its own.
    let auth = world::builder().build().unwrap();
    let found = world::wait(auth.session(&COOKIES));
    let asked = world::asked();
    assert_eq!(asked.len(), 1 + usize::from(matches!(status.as_u16(), 502..=504)));
    // Whether the upstream fails everybody is seen by a request with nothing of a client.
    for own in asked.iter().skip(1) {
        assert_eq!(own.uri.path(), "/tenant/api/auth/providers");
        assert!(!own.headers.contains_key(COOKIE));
    }
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

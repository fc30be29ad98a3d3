use std::sync::LazyLock;

use auth_proxy::testing::mint;
use axum::body::Body;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::input::message;
use crate::world::{self, SECRET};

/// A cookie with a valid token: a value without the form of a token would be rejected without a lookup.
static COOKIES: LazyLock<HeaderMap> = LazyLock::new(|| {
    let token = mint(&json!({ "sub": "1" }), SECRET, world::COOKIE);
    let cookie = format!("{}={token}", world::COOKIE);
    [(COOKIE, HeaderValue::from_str(&cookie).unwrap())].into_iter().collect()
});

/// Input: the status of a response to `GET /session`, headers, a body.
///
/// Property: the visitor is signed in only by a 200 with a user, and signed out only by a 200 that clears or renews the
/// cookie.
pub fn session(data: &[u8]) {
    let input = message(data);
    let Ok(status) = StatusCode::from_bytes(input.first) else { return };
    let mut answer = Response::new(Body::from(input.body.to_vec()));
    *answer.status_mut() = status;
    *answer.headers_mut() = input.headers.clone();
    world::upstream(Some(answer));
    // A proxy learns from `Set-Cookie` which cookie name the upstream uses, so each input gets a new proxy.
    let auth = world::builder().build().unwrap();
    let found = world::wait(auth.session(&COOKIES));
    let requests = world::take_requests();
    assert_eq!(requests.len(), 1 + usize::from(matches!(status.as_u16(), 502..=504)));
    // The health check that confirms an outage contains nothing of the client's request.
    for health_check in requests.iter().skip(1) {
        assert_eq!(health_check.uri.path(), "/tenant/api/auth/providers");
        assert!(!health_check.headers.contains_key(COOKIE));
    }
    // serde_json reads more bodies than the library accepts.
    let parsed = serde_json::from_slice::<Value>(input.body).ok();
    let sets_session_cookie = input.headers.get_all(SET_COOKIE).iter().any(|line| {
        let text = String::from_utf8_lossy(line.as_bytes()).into_owned();
        text.trim_start().starts_with(world::COOKIE)
    });
    match found {
        Ok(Some(session)) => {
            assert_eq!(status, StatusCode::OK);
            // The library replaces lone surrogates first, so the original body may be invalid JSON.
            if let Some(parsed) = parsed {
                let user = parsed.get("user").and_then(Value::as_object).expect("a body with a user");
                assert_eq!(session.user.name.as_deref(), user.get("name").and_then(Value::as_str));
            }
        }
        Ok(None) => assert!(
            status == StatusCode::OK && sets_session_cookie,
            "signed out without a 200 that sets the session cookie"
        ),
        Err(error) if error.is_invalid() => {
            assert!(
                status == StatusCode::OK && sets_session_cookie,
                "refused without a 200 that sets the session cookie"
            )
        }
        Err(error) => assert!(error.is_unavailable(), "{error}"),
    }
}

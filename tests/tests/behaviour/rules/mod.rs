//! Rules: `auth.require(..)` and `auth.authorize(..)` with roles, ages and what is made of them.

mod attribute;
mod guards;
mod logic;
mod membership;
mod sign_in;
mod uncertain;

use auth_proxy::options::{Builder, SessionSource};
use auth_proxy::rules::IntoRule;
use auth_proxy::testing::mint;
use http::Request;
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::support::Auth;

const SECRET: &str = "a secret that is long enough for a test";
const COOKIE: &str = "authjs.session-token";
const NOW: u64 = 1_800_000_000;

/// An app that makes the session of the claim `the_session`.
fn builder() -> Builder<Auth> {
    fn session(claims: &Map<String, Value>) -> Map<String, Value> {
        claims.get("the_session").and_then(Value::as_object).cloned().unwrap_or_default()
    }
    Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_secret([SECRET])
        .session_source(SessionSource::Local)
        .session_mapping(session)
        .clock(|| NOW)
}

/// A request of a visitor with this session and these other claims.
fn request(session: &Value, claims: &Value) -> Parts {
    let mut all = json!({ "sub": "1", "the_session": session });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let cookie = format!("{COOKIE}={}", mint(&all, SECRET, COOKIE));
    Request::get("/page").header("cookie", cookie).body(()).unwrap().into_parts().0
}

/// `ok`, or the status and the code with which a rule refuses this visitor.
async fn decide<M>(session: &Value, claims: &Value, rule: impl IntoRule<Auth, M>) -> String {
    let auth = builder().build().unwrap();
    of(auth.authorize(&mut request(session, claims), rule).await)
}

fn of(result: Result<(), auth_proxy::errors::GuardRejection>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(rejection) => format!("{} {}", rejection.error().status().as_u16(), rejection.error().code()),
    }
}

/// `ok` or a refusal.
fn is(allowed: bool) -> &'static str {
    if allowed { "ok" } else { "403 policy_refused" }
}

//! `revocation.back_channel`: the issuer ends sessions with logout tokens (OpenID Connect Back-Channel Logout 1.0).

mod keys;
mod refused;
mod route;
mod sessions;

use std::time::{SystemTime, UNIX_EPOCH};

use auth_proxy::options::{Builder, RevocationList};
use auth_proxy_tests::{App, Browser, SharedStore, loopback_client};
use http::HeaderMap;
use serde_json::{Value, json};

use super::endpoint::KeyEndpoint;
use super::signer::{AUDIENCE, ISSUER, Signer, claims};
use super::{Machines, outcome};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

const FORM: &str = "application/x-www-form-urlencoded";

fn builder(endpoint: &KeyEndpoint, store: &SharedStore) -> Builder<Machines> {
    let builder = super::builder(endpoint).session_revocation(RevocationList::Store);
    builder.session_store(store.clone()).revocation_back_channel(true)
}

async fn app(endpoint: &KeyEndpoint, store: &SharedStore) -> (App, Browser) {
    super::app_of(builder(endpoint, store)).await
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of a logout token with this `jti`, and these changes. A claim of null is left out.
fn logout(jti: &str, changes: Value) -> Value {
    let mut all = json!({
        "iss": ISSUER, "aud": AUDIENCE, "iat": now(), "exp": now() + 120, "jti": jti, "sub": "ada", "sid": "ada-1",
        "events": { EVENT: {} },
    });
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

/// A logout token of this signer.
fn logout_token(signer: &Signer, claims: &Value) -> String {
    let mut header = signer.header();
    header["typ"] = json!("logout+jwt");
    signer.token_with(&header, claims)
}

/// A session token with a `sid`, issued this many seconds ago.
fn session(signer: &Signer, user: &str, sid: &str, age: u64) -> String {
    let mut all = claims(user);
    all["sid"] = json!(sid);
    all["iat"] = json!(now() - age);
    signer.token_of(&all)
}

struct Told {
    status: u16,
    code: String,
    headers: HeaderMap,
}

/// Posts a body to the route.
async fn post(app: &App, content_type: &str, body: impl Into<Vec<u8>>) -> Told {
    let request = loopback_client().post(app.url("/api/auth/_revoke")).header("content-type", content_type);
    let response = request.body(body.into()).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    assert_eq!(headers["cache-control"], "no-store", "section 2.8");
    assert!(!headers.contains_key("www-authenticate"), "the route takes no Bearer token");
    let problem: Value = response.json().await.unwrap_or_default();
    Told { status, code: problem["code"].as_str().unwrap_or_default().to_owned(), headers }
}

/// The status and the code of the answer to a logout token.
async fn tell(app: &App, token: &str) -> (u16, String) {
    let told = post(app, FORM, format!("logout_token={token}")).await;
    (told.status, told.code)
}

fn accepted() -> (u16, String) {
    (200, String::new())
}

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

async fn assert_ended(browser: &Browser, token: &str) {
    assert_eq!(outcome(browser, token).await, (401, "session_revoked".to_owned()));
}

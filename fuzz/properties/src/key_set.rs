use std::sync::{Arc, LazyLock, Mutex};

use auth_proxy::auth_proxy;
use axum::Router;
use axum::routing::get;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::world;

auth_proxy! {
    struct Issued {
        upstream: { kind: generic, issuer: "issuer", audience: "api", retries: off, timeout: 1s },
        jwks: { url: "http://issuer.internal/keys" },
    }
}

/// The answer of the key endpoint.
type Document = Arc<Mutex<Vec<u8>>>;

/// `{"alg":"EdDSA","kid":"a"}`, and the claims `{"sub":"1","iss":"issuer","aud":"api","exp":4102444800}`, signed with the
/// private half of `GENUINE`.
const TOKEN: &str = "eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.eyJzdWIiOiIxIiwiaXNzIjoiaXNzdWVyIiwiYXVkIjoiYXBpIiwiZXhwIjo0MTAyNDQ0ODAwfQ.AeK6oh6ummHYxtvtcuuNdxUxICpfre4HQVrTz1C4YiH7UQliIXAGaTQRh1XI2Ya_pUYqJfXFyT4txESNSd7PCg";

/// The public key that signed `TOKEN`.
const GENUINE: &str = "VmS3hceUgQWwJ6UCVZ-zQdqRgqffeTSZW-P73iiUc6I";

static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let value = HeaderValue::try_from(format!("Bearer {TOKEN}")).unwrap();
    [(AUTHORIZATION, value)].into_iter().collect()
});

/// Input: what a key endpoint answers.
///
/// Property: a token is accepted only if the answer has the key that signed it, and a broken answer is an outage.
pub fn key_set(data: &[u8]) {
    let document: Document = Arc::new(Mutex::new(data.to_vec()));
    let endpoint = Router::new().route("/keys", get(move || async move { document.lock().unwrap().clone() }));
    let auth = Issued::builder().upstream_fetch(endpoint).session_cache_entries(1).build().unwrap();
    match world::wait(auth.token(&HEADERS)) {
        Ok(token) => {
            assert_eq!(token.unwrap().sub.as_deref(), Some("1"));
            assert!(has_genuine_key(data), "a token was accepted without its key");
        }
        Err(error) => assert!(
            ["keys_unavailable", "token_unknown_key", "token_tampered", "token_unsupported"]
                .contains(&error.code()),
            "{error:?}"
        ),
    }
}

/// Whether the JSON has the key, in any spelling of its text.
fn has_genuine_key(data: &[u8]) -> bool {
    let set: serde_json::Value = serde_json::from_slice(data).unwrap();
    set["keys"].as_array().unwrap().iter().any(|key| key["x"] == GENUINE && key["alg"] != "ES256")
}

//! The function of `examples/revoke/revoke.mjs`, in front of an app that is down, slow or overloaded.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_proxy_tests::process::revoke_with_node;
use auth_proxy_tests::{App, free_port, watch};
use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::json;

const SECRET: &str = "the secret of the webhook, which is long enough";

const BODY: &str = r#"{"session":"é-1"}"#;

/// An app that answers with these statuses, one after the other. Returns the signatures that it got, all genuine.
async fn app(statuses: &'static [u16]) -> (App, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let signatures = Arc::clone(&seen);
    let answer = move |headers: HeaderMap, body: Bytes| {
        let signature = headers["x-auth-proxy-signature"].to_str().unwrap().to_owned();
        assert_eq!(body, BODY);
        let (time, mac) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let expected = hmac::sign(&key, format!("{time}.{BODY}").as_bytes());
        let expected: String = expected.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(mac, expected);
        let mut seen = signatures.lock().unwrap();
        let status = statuses.get(seen.len()).copied();
        seen.push(signature.clone());
        async move {
            match status {
                Some(status) => StatusCode::from_u16(status).unwrap(),
                None => std::future::pending().await,
            }
        }
    };
    (App::start(Router::new().route("/_revoke", post(answer))).await, seen)
}

#[tokio::test]
async fn message_is_sent_again_once_after_503_and_never_throws() {
    watch::secret(SECRET);
    let message = json!({ "session": "é-1" });
    for (statuses, is_revoked, sent, logged) in [
        (&[204][..], true, 1, ""),
        (&[503, 204], true, 2, ""),
        (&[503, 503, 204], false, 2, "tokens were not revoked: 503"),
        (&[401, 204], false, 1, "tokens were not revoked: 401"),
        (&[200], false, 1, "tokens were not revoked: 200"),
        (&[], false, 1, "tokens were not revoked: TimeoutError"),
        (&[503], false, 2, "tokens were not revoked: TimeoutError"),
    ] {
        let (app, seen) = app(statuses).await;
        let began = Instant::now();
        let (returned, log) = revoke_with_node(&app.url("/_revoke"), SECRET, &message).await;
        assert!(began.elapsed() < Duration::from_secs(9), "{statuses:?} {:?}", began.elapsed());
        assert_eq!((returned, seen.lock().unwrap().len()), (is_revoked, sent), "{statuses:?} {log}");
        assert!(log.starts_with(logged) && log.is_empty() == logged.is_empty(), "{statuses:?} {log}");
        assert!(!log.contains(SECRET), "{log}");
    }
}

#[tokio::test]
async fn app_that_is_down_and_settings_that_are_missing_are_logged() {
    let url = format!("http://127.0.0.1:{}/_revoke", free_port());
    for (url, secret, logged) in [
        (url.as_str(), SECRET, "ECONNREFUSED"),
        ("", SECRET, "Invalid URL"),
        ("not a url", SECRET, "Invalid URL"),
    ] {
        let (returned, log) = revoke_with_node(url, secret, &json!({ "session": "1" })).await;
        assert!(!returned && log.contains(logged) && !log.contains(SECRET), "{log}");
    }
}

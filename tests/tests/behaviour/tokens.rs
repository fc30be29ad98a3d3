//! Tokens that are remembered once they are verified: each request is judged as if they were not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use auth_proxy::testing::mint;
use auth_proxy::{Builder, Source};
use http::HeaderMap;
use serde_json::json;

use crate::support::Auth;

const SECRET: &str = "a secret that is long enough for a test";
const COOKIE: &str = "authjs.session-token";
const NOW: u64 = 1_800_000_000;

fn auth() -> Builder<Auth> {
    Auth::builder().upstream_base_url("http://auth").upstream_secret([SECRET])
}

fn sent(cookie: &str) -> HeaderMap {
    [(http::header::COOKIE, cookie.parse().unwrap())].into_iter().collect()
}

async fn sub(auth: &Auth, headers: &HeaderMap) -> String {
    match auth.token(headers).await {
        Ok(token) => token.map_or("absent".to_owned(), |token| token.sub.clone().unwrap()),
        Err(error) => error.code().to_owned(),
    }
}

#[tokio::test]
async fn one_that_is_remembered_expires_all_the_same() {
    let clock = Arc::new(AtomicU64::new(NOW));
    let now = Arc::clone(&clock);
    let auth = auth().clock(move || now.load(SeqCst)).session_source(Source::Local).build().unwrap();
    let token = mint(&json!({ "sub": "ada", "nbf": NOW, "exp": NOW + 60 }), SECRET, COOKIE);
    let headers = sent(&format!("{COOKIE}={token}"));
    for (time, expected) in [
        (NOW, "ada"),
        (NOW + 74, "ada"),
        // 15 s of grace, as in Auth.js.
        (NOW + 75, "token_expired"),
        (NOW + 1, "ada"),
        (NOW - 16, "token_not_yet_valid"),
        (NOW, "ada"),
    ] {
        clock.store(time, SeqCst);
        for _ in 0..2 {
            assert_eq!(sub(&auth, &headers).await, expected, "{time}");
            assert_eq!(auth.session(&headers).await.is_ok(), expected == "ada", "{time}");
        }
    }
}

/// Whatever is not the very token that was verified is verified by itself.
#[tokio::test]
async fn nothing_passes_for_one_that_is_remembered() {
    let auth = auth().build().unwrap();
    let token = mint(&json!({ "sub": "ada" }), SECRET, COOKIE);
    assert_eq!(sub(&auth, &sent(&format!("{COOKIE}={token}"))).await, "ada");
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        if other == token {
            continue;
        }
        for _ in 0..2 {
            assert_ne!(sub(&auth, &sent(&format!("{COOKIE}={other}"))).await, "ada", "byte {at}");
        }
    }
    // Cut, doubled, under another name; in chunks that make another token of the same bytes.
    let (front, back) = token.split_at(100);
    for (cookie, expected) in [
        (format!("{COOKIE}={front}"), "token_malformed"),
        (format!("{COOKIE}={token}{token}"), "token_malformed"),
        (format!("other={token}"), "absent"),
        (format!("{COOKIE}.0={back}; {COOKIE}.1={front}"), "token_malformed"),
        (format!("{COOKIE}.0={front}; {COOKIE}.1={back}"), "ada"),
        (format!("{COOKIE}.1={back}; {COOKIE}.0={front}"), "ada"),
        (format!("{COOKIE}={token}"), "ada"),
    ] {
        for _ in 0..2 {
            assert_eq!(sub(&auth, &sent(&cookie)).await, expected, "{cookie}");
        }
    }
    let bearer =
        |value: String| [(http::header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
    for (value, expected) in [
        (format!("Bearer {token}"), "ada"),
        (format!("bearer {token}"), "absent"),
        (format!("Bearer {token} x"), "bearer_malformed"),
    ] {
        for _ in 0..2 {
            assert_eq!(sub(&auth, &bearer(value.clone())).await, expected, "{value}");
        }
    }
    // A cookie that is no good is not rescued by a Bearer token, remembered or not.
    let mut both: HeaderMap = bearer(format!("Bearer {token}"));
    both.insert("cookie", format!("{COOKIE}=garbage").parse().unwrap());
    assert_eq!(sub(&auth, &both).await, "token_malformed");
}

/// What one proxy has verified is not another's, with another secret or under another name.
#[tokio::test]
async fn proxies_share_nothing() {
    let [one, other] =
        [auth().build().unwrap(), auth().upstream_secret([SECRET.to_uppercase()]).build().unwrap()];
    let headers = sent(&format!("{COOKIE}={}", mint(&json!({ "sub": "ada" }), SECRET, COOKIE)));
    assert_eq!(sub(&one, &headers).await, "ada");
    assert_eq!(sub(&other, &headers).await, "token_unknown_key");
}

/// More tokens than are remembered, and larger ones: each still gets its own claims.
#[tokio::test]
async fn more_than_are_remembered() {
    let auth = auth().session_cache_entries(8).build().unwrap();
    let padding = "x".repeat(5_000);
    let all: Vec<_> = (0..200)
        .map(|n| {
            let claims =
                json!({ "sub": format!("user{n}"), "padding": if n % 3 == 0 { &padding } else { "" } });
            sent(&format!("{COOKIE}={}", mint(&claims, SECRET, COOKIE)))
        })
        .collect();
    for _ in 0..2 {
        for (n, headers) in all.iter().enumerate() {
            assert_eq!(sub(&auth, headers).await, format!("user{n}"));
        }
    }
}

//! The cache of verified tokens: it must never change the result of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use auth_proxy::options::{Builder, SessionSource};
use auth_proxy::testing::mint;
use http::HeaderMap;
use serde_json::json;

use crate::support::Auth;

const SECRET: &str = "a secret that is long enough for a test";
const COOKIE: &str = "authjs.session-token";
const NOW: u64 = 1_800_000_000;

fn auth() -> Builder<Auth> {
    Auth::builder().upstream_base_url("http://auth").upstream_secret([SECRET])
}

fn with_cookie(cookie: &str) -> HeaderMap {
    [(http::header::COOKIE, cookie.parse().unwrap())].into_iter().collect()
}

async fn subject_or_code(auth: &Auth, headers: &HeaderMap) -> String {
    match auth.token(headers).await {
        Ok(token) => token.map_or("absent".to_owned(), |token| token.sub.clone().unwrap()),
        Err(error) => error.code().to_owned(),
    }
}

#[tokio::test]
async fn cached_token_still_expires() {
    let clock = Arc::new(AtomicU64::new(NOW));
    let now = Arc::clone(&clock);
    let auth = auth().clock(move || now.load(SeqCst)).session_source(SessionSource::Local).build().unwrap();
    let token = mint(&json!({ "sub": "ada", "nbf": NOW, "exp": NOW + 60 }), SECRET, COOKIE);
    let headers = with_cookie(&format!("{COOKIE}={token}"));
    for (time, expected) in [
        (NOW, "ada"),
        (NOW + 74, "ada"),
        // Auth.js tolerates 15 s of clock skew.
        (NOW + 75, "token_expired"),
        (NOW + 1, "ada"),
        (NOW - 16, "token_not_yet_valid"),
        (NOW, "ada"),
    ] {
        clock.store(time, SeqCst);
        for _ in 0..2 {
            assert_eq!(subject_or_code(&auth, &headers).await, expected, "{time}");
            assert_eq!(auth.session(&headers).await.is_ok(), expected == "ada", "{time}");
        }
    }
}

/// A token that differs from a cached token in one byte is verified again and fails.
#[tokio::test]
async fn altered_token_does_not_match_the_cached_token() {
    let auth = auth().build().unwrap();
    let token = mint(&json!({ "sub": "ada" }), SECRET, COOKIE);
    assert_eq!(subject_or_code(&auth, &with_cookie(&format!("{COOKIE}={token}"))).await, "ada");
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        if other == token {
            continue;
        }
        for _ in 0..2 {
            assert_ne!(
                subject_or_code(&auth, &with_cookie(&format!("{COOKIE}={other}"))).await,
                "ada",
                "byte {at}"
            );
        }
    }
    // The token cut, doubled, under another cookie name, and in chunks.
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
            assert_eq!(subject_or_code(&auth, &with_cookie(&cookie)).await, expected, "{cookie}");
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
            assert_eq!(subject_or_code(&auth, &bearer(value.clone())).await, expected, "{value}");
        }
    }
    // A valid Bearer token does not replace an invalid cookie, cached or not.
    let mut both: HeaderMap = bearer(format!("Bearer {token}"));
    both.insert("cookie", format!("{COOKIE}=garbage").parse().unwrap());
    assert_eq!(subject_or_code(&auth, &both).await, "token_malformed");
}

/// A token that one proxy has verified and cached is still invalid at a proxy with another secret.
#[tokio::test]
async fn cached_token_is_invalid_at_a_proxy_with_another_secret() {
    let [one, other] =
        [auth().build().unwrap(), auth().upstream_secret([SECRET.to_uppercase()]).build().unwrap()];
    let headers = with_cookie(&format!("{COOKIE}={}", mint(&json!({ "sub": "ada" }), SECRET, COOKIE)));
    assert_eq!(subject_or_code(&one, &headers).await, "ada");
    assert_eq!(subject_or_code(&other, &headers).await, "token_unknown_key");
}

/// With more tokens than the cache holds, some of them large, each request still gets the claims of its own token.
#[tokio::test]
async fn full_token_cache_returns_the_claims_of_each_token() {
    let auth = auth().session_cache_entries(8).build().unwrap();
    let padding = "x".repeat(5_000);
    let all: Vec<_> = (0..200)
        .map(|n| {
            let claims =
                json!({ "sub": format!("user{n}"), "padding": if n % 3 == 0 { &padding } else { "" } });
            with_cookie(&format!("{COOKIE}={}", mint(&claims, SECRET, COOKIE)))
        })
        .collect();
    for _ in 0..2 {
        for (n, headers) in all.iter().enumerate() {
            assert_eq!(subject_or_code(&auth, headers).await, format!("user{n}"));
        }
    }
}

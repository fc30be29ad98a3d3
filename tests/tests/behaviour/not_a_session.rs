//! Tokens with the right key that are not session tokens: they were made for another purpose or another service.

use auth_proxy::options::{Expected, SessionSource, TokenFormat, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, mint, mint_v4};
use aws_lc_rs::hmac;
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{Auth, app_of, users};

const SECRET: &str = "a secret of both servers, which is long enough";

/// next-auth before 4.24.5 encrypts the state of a sign-in with the session key. Any client gets such a token by
/// starting a sign-in, so it must not be accepted as a session.
#[tokio::test]
async fn sign_in_state_token_is_not_a_session() {
    let state = json!({ "state": "x", "iat": 1, "exp": 4_102_444_800_u64, "jti": "x" });
    let token = mint_v4(&state, SECRET);
    let upstream =
        Router::new().fallback(|| async { r#"{"user":{"name":null},"expires":"2999-01-01T00:00:00.000Z"}"# });
    let builder = || {
        Auth::builder()
            .upstream_base_url("http://auth")
            .upstream_kind(UpstreamKind::NextAuthV4)
            .upstream_fetch(upstream.clone())
    };
    let cookie = format!("next-auth.session-token={token}");
    for builder in [
        builder(),
        builder().upstream_secret([SECRET]),
        builder().upstream_secret([SECRET]).session_source(SessionSource::Local),
    ] {
        let (_app, browser) = app_of(builder).await;
        for path in ["/session", "/protected", "/admin", "/group/a", "/admins/a", "/everything"] {
            let answer = browser.get_with(path, &[("cookie", &cookie)]).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "token_not_a_session"), "{path}");
        }
    }
}

#[tokio::test]
async fn token_without_a_user_is_not_a_session() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()])).await;
    let name = "authjs.session-token";
    for (claims, status) in [
        (json!({ "value": "x", "provider": "github" }), 401),
        (json!({ "sub": null, "name": "" }), 401),
        (json!({ "user": { "name": "Ada" } }), 401),
        (json!({ "email": "ada@example.com" }), 200),
        (json!({ "sub": "1" }), 200),
    ] {
        let cookie = format!("{name}={}", mint(&claims, upstream.secret(), name));
        for path in ["/token", "/protected"] {
            let answer = browser.get_with(path, &[("cookie", &cookie)]).await;
            assert_eq!(answer.status, status, "{claims} {path}");
            assert!(status == 200 || answer.code() == "token_not_a_session", "{answer:?}");
        }
    }
}

/// Extractors and guards reject a token whose claims are nested deeper than the JSON parser allows.
#[tokio::test]
async fn token_with_deeply_nested_claims_is_rejected() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()])).await;
    let deep: Value = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let name = "authjs.session-token";
    let cookie = format!("{name}={}", mint(&json!({ "sub": "1", "deep": deep }), upstream.secret(), name));
    for path in ["/protected", "/token", "/group/a"] {
        let answer = browser.get_with(path, &[("cookie", &cookie)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "token_malformed"), "{path}");
    }
}

/// `Expected::Is("any")` compares with the text `any`; only `Expected::Any` disables the check.
#[test]
fn expected_audience_text_any_does_not_disable_the_check() {
    let is = |text: &str| Expected::Is(text.to_owned());
    let builder = || {
        Auth::builder()
            .upstream_base_url("http://auth")
            .upstream_token(TokenFormat::Hs256)
            .upstream_secret([SECRET])
    };
    let auth = builder().upstream_audience(is("any")).upstream_issuer(Expected::Any).build().unwrap();
    assert!(format!("{:?}", auth.config()).contains(r#"audience: Is("any")"#));
    assert!(builder().upstream_audience(is("")).upstream_issuer(Expected::Any).build().is_err());
}

/// Signs claims with HS256.
fn sign_hs256(claims: &Value) -> String {
    let encode = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encode(br#"{"alg":"HS256"}"#), encode(claims.to_string().as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes()).as_ref()))
}

/// A token for another service may be signed with the same key, so `aud` and `iss` must match.
#[tokio::test]
async fn signed_token_needs_the_configured_audience_and_issuer() {
    let upstream = Router::new().fallback(|| async { StatusCode::NOT_FOUND.into_response() });
    let is = |text: &str| Expected::Is(text.to_owned());
    let builder = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_fetch(upstream)
        .upstream_token(TokenFormat::Hs256);
    let builder = builder
        .upstream_secret([SECRET])
        .upstream_audience(is("app"))
        .upstream_issuer(is("https://auth.example.com"));
    let (_app, browser) = app_of(builder.session_source(SessionSource::Local)).await;
    for (aud, iss, code) in [
        (json!("app"), "https://auth.example.com", ""),
        (json!(["other", "app"]), "https://auth.example.com", ""),
        (json!("other"), "https://auth.example.com", "token_wrong_audience"),
        (json!(null), "https://auth.example.com", "token_wrong_audience"),
        (json!("app"), "https://evil.example", "token_wrong_issuer"),
    ] {
        let claims = json!({ "sub": "1", "name": "Ada", "aud": aud, "iss": iss });
        let cookie = format!("authjs.session-token={}", sign_hs256(&claims));
        for path in ["/session", "/token", "/protected"] {
            let answer = browser.get_with(path, &[("cookie", &cookie)]).await;
            let found = if answer.status == 200 { String::new() } else { answer.code() };
            assert_eq!(found, code, "{claims} {path}");
        }
    }
}

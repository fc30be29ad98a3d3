//! The signed token for the services behind the proxy, and its keys.

use std::time::Duration;

use auth_proxy::verdict::{IdentityHeader, IdentityToken, SigningKey, Verdict as Endpoint};
use auth_proxy::{Token, auth_proxy};
use auth_proxy_tests::{App, Browser};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::{Question, Verdict, builder, builder_of, guests, upstream};
use crate::support::Auth;

auth_proxy! {
    /// A service behind the proxy.
    struct Behind {
        upstream: { kind: generic, issuer: "https://app.example.com", audience: "reports" },
        jwks: { url: env("JWKS_URL") },
    }
}

const P256: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgldVlTEK9UHhdEJLqhRnf5YukvmWgUxT8u7j0Ep0e45OhRANCAAQ7GOlxYCi+BnFtO0YvrTqMok3NZqmP8nZZhO4aEtjXNDzTFKQdkRk91BPGo5ovA/6np1d7O/8CkXYxqzXyF6XE\n-----END PRIVATE KEY-----";

fn signed(verdict: Endpoint<Auth>, key: SigningKey) -> Endpoint<Auth> {
    verdict.signed_token(IdentityToken::new(key, "https://app.example.com", "reports"))
}

fn verdict() -> Endpoint<Auth> {
    builder().build().unwrap().verdict()
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

async fn ada(app: &Router) -> Verdict {
    Question::nginx("/").cookie("ada").ask(app).await
}

async fn keys(app: &Router) -> Verdict {
    let question = Question { uri: "/_auth/verdict/jwks.json".to_owned(), ..Question::bare() };
    question.from(Some("192.0.2.1:1")).ask(app).await
}

#[tokio::test]
async fn token_has_the_chosen_claims_and_lives_for_a_minute() {
    let headers = [IdentityHeader::Subject, IdentityHeader::Name, IdentityHeader::Roles];
    let key = SigningKey::from_pem(P256).unwrap();
    let app = signed(verdict().identity_headers(headers), key.clone()).router();
    let verdict = ada(&app).await;
    let token = verdict.header("x-auth-token").unwrap();
    assert_eq!(part(token, 0), json!({ "typ": "JWT", "alg": "ES256", "kid": key.key_id() }));
    let claims = part(token, 1);
    let issued = claims["iat"].as_u64().unwrap();
    assert_eq!(
        claims,
        json!({
            "iss": "https://app.example.com", "aud": "reports", "sub": "7", "iat": issued, "exp": issued + 60,
            "name": "Ada", "roles": ["admin"],
        })
    );
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(issued) < 5);
    // Text of the visitor is JSON, and not a header of its own.
    let user = json!({ "id": "7", "name": "Zoë\r\n\"🦀\"", "email": "e".repeat(10_000) });
    let app = builder_of(upstream(user, &[])).build().unwrap().verdict();
    let verdict = ada(&signed(app, key).router()).await;
    let claims = part(verdict.header("x-auth-token").unwrap(), 1);
    assert_eq!((&claims["name"], &claims["email"]), (&json!("Zoë\r\n\"🦀\""), &Value::Null));
}

#[tokio::test]
async fn nobody_but_a_known_visitor_gets_a_token() {
    let key = SigningKey::generate().unwrap();
    let app = signed(verdict().rules(guests()), key.clone()).router();
    for question in
        [Question::nginx("/"), Question::nginx("/").cookie("refused"), Question::nginx("/").cookie("down")]
    {
        assert_eq!(question.ask(&app).await.header("x-auth-token"), None);
    }
    let without_id = builder_of(upstream(json!({ "email": "ada@example.com" }), &[])).build().unwrap();
    let verdict = ada(&signed(without_id.verdict(), key).router()).await;
    assert_eq!((verdict.status, verdict.header("x-auth-token")), (200, None));
    assert_eq!(ada(&self::verdict().router()).await.header("x-auth-token"), None);
}

/// Another service in Rust checks the token with this library, over a socket.
#[tokio::test]
async fn service_behind_checks_the_token_with_the_published_keys() {
    async fn subject(token: Token<Behind>) -> Json<Token<Behind>> {
        Json(token)
    }
    for key in [SigningKey::from_pem(P256).unwrap(), SigningKey::generate().unwrap()] {
        let router = signed(verdict(), key).router();
        let endpoint = App::start(router.clone()).await;
        let behind = Behind::builder().jwks_url(endpoint.url("/_auth/verdict/jwks.json")).build().unwrap();
        let service = Router::new().route("/", get(subject));
        let service = App::start(behind.attach(service).with_state(behind.clone())).await;
        let verdict = ada(&router).await;
        let token = verdict.header("x-auth-token").unwrap();
        let browser = Browser::of(&service);
        let ask =
            async |token: &str| browser.get_with("/", &[("authorization", &format!("Bearer {token}"))]).await;
        let answer = ask(token).await;
        assert_eq!((answer.status, &answer.json()["sub"]), (200, &json!("7")), "{answer:?}");
        // Another subject under the same signature.
        let (head, rest) = token.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let mut claims = part(token, 1);
        claims["sub"] = "1".into();
        let forged = format!("{head}.{}.{signature}", BASE64.encode(claims.to_string()));
        assert_eq!(ask(&forged).await.code(), "token_tampered");
        let other = signed(self::verdict(), SigningKey::generate().unwrap()).router();
        let verdict = ada(&other).await;
        assert_ne!(ask(verdict.header("x-auth-token").unwrap()).await.status, 200);
    }
}

#[tokio::test]
async fn key_set_has_public_keys_only_and_needs_no_trust() {
    let (own, next) = (SigningKey::from_pem(P256).unwrap(), SigningKey::generate().unwrap());
    let token = IdentityToken::new(own.clone(), "https://app.example.com", "reports").publish(next.clone());
    let app = verdict().signed_token(token).router();
    let set = keys(&app).await;
    assert_eq!((set.status, set.header("content-type")), (200, Some("application/jwk-set+json")));
    let body: Value = serde_json::from_str(&set.body).unwrap();
    let keys_of: Vec<_> =
        body["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(keys_of, [own.key_id(), next.key_id()]);
    assert!(body["keys"].as_array().unwrap().iter().all(|key| key.get("d").is_none()));
    // Without signed tokens there are no keys, and with Envoy the path is that of a request.
    assert_eq!(keys(&verdict().router()).await.status, 404);
    assert_eq!(Question::envoy("GET", "/jwks.json").ask(&app).await.status, 401);
}

#[test]
fn lifetime_has_bounds() {
    let token = || IdentityToken::new(SigningKey::generate().unwrap(), "i", "a");
    for seconds in [0, 9, 301, 86_400] {
        assert!(token().lifetime(Duration::from_secs(seconds)).is_err(), "{seconds}");
    }
    for seconds in [10, 300] {
        assert!(token().lifetime(Duration::from_secs(seconds)).is_ok(), "{seconds}");
    }
}

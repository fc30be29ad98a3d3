//! Rules about a visitor whose session is valid, and whose token is not or cannot be verified: a missing fact and an outage
//! are no permission, also if a rule is negated.

use auth_proxy::options::{Expected, TokenFormat};
use auth_proxy::rules::{DynRule, all, any, max_age, not, role};
use auth_proxy::testing::mint;
use auth_proxy::{Session, Token};
use auth_proxy_tests::{App, free_port};
use axum::routing::get;
use axum::{Json, Router};
use http::Request;
use serde_json::json;

use super::{COOKIE, of};
use crate::support::Auth;

const REFUSED: &str = "403 policy_refused";
const OUTAGE: &str = "503 keys_unavailable";

/// An upstream that has a session for every token, and says no role.
async fn upstream() -> App {
    let session = get(|| async { Json(json!({ "user": { "name": "Ada", "level": "user" } })) });
    App::start(Router::new().route("/api/auth/session", session)).await
}

async fn decide(auth: &Auth, token: &str, rule: DynRule<Auth>) -> String {
    let request = Request::get("/page").header("cookie", format!("{COOKIE}={token}"));
    of(auth.authorize(&mut request.body(()).unwrap().into_parts().0, rule).await)
}

/// Rules that read the token, and refuse.
fn refusing() -> [(&'static str, DynRule<Auth>); 4] {
    let by_token = |_: &Session<Auth>, token: Option<&Token<Auth>>| {
        token.is_some_and(|token| token.extra.get("role").is_some_and(|role| role == "admin"))
    };
    let later = move |session: Session<Auth>, token: Option<Token<Auth>>| async move {
        by_token(&session, token.as_ref())
    };
    [
        ("role", DynRule::new(role("admin"))),
        ("function", DynRule::new(by_token)),
        ("async function", DynRule::new(later)),
        ("policy", DynRule::new(crate::support::Admin)),
    ]
}

#[tokio::test]
async fn invalid_token_is_no_permission_of_a_negated_rule() {
    let upstream = upstream().await;
    let auth = Auth::builder()
        .upstream_base_url(upstream.url(""))
        .upstream_secret(["a secret that is not the upstream's, but long"])
        .build()
        .unwrap();
    let token =
        mint(&json!({ "sub": "1", "role": "admin" }), "the secret of the upstream, long enough", COOKIE);
    for (name, rule) in refusing() {
        assert_eq!(decide(&auth, &token, rule.clone()).await, REFUSED, "{name}");
        assert_eq!(decide(&auth, &token, DynRule::new(not(rule.clone()))).await, REFUSED, "not {name}");
        assert_eq!(decide(&auth, &token, DynRule::new(not(not(rule)))).await, REFUSED, "not not {name}");
    }
    let age = max_age(std::time::Duration::from_secs(60));
    assert_eq!(decide(&auth, &token, DynRule::new(age)).await, "403 sign_in_time_unknown");
    // What the session says itself is known. Its negation is refused, because the token may say more.
    let level = |name| role(name).in_field("level");
    assert_eq!(decide(&auth, &token, DynRule::new(level("user"))).await, "ok");
    assert_eq!(decide(&auth, &token, DynRule::new(level("admin"))).await, REFUSED);
    assert_eq!(decide(&auth, &token, DynRule::new(not(level("admin")))).await, REFUSED);
}

#[tokio::test]
async fn outage_of_the_keys_is_neither_a_refusal_nor_a_permission() {
    let upstream = upstream().await;
    let auth = Auth::builder()
        .upstream_base_url(upstream.url(""))
        .upstream_token(TokenFormat::Jwks)
        .upstream_issuer(Expected::Is("https://issuer.example".into()))
        .upstream_audience(Expected::Any)
        .jwks_url(format!("http://127.0.0.1:{}/jwks", free_port()))
        .build()
        .unwrap();
    // `{"alg":"EdDSA","kid":"a"}` and `{"sub":"1","exp":4102444800}`.
    let token = "eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.eyJzdWIiOiIxIiwiZXhwIjo0MTAyNDQ0ODAwfQ.AAAA";
    for (name, rule) in refusing() {
        assert_eq!(decide(&auth, token, rule.clone()).await, OUTAGE, "{name}");
        assert_eq!(decide(&auth, token, DynRule::new(not(rule.clone()))).await, OUTAGE, "not {name}");
        let certain = role("admin").in_field("level");
        assert_eq!(
            decide(&auth, token, DynRule::new(all((rule.clone(), certain.clone())))).await,
            REFUSED,
            "all {name}"
        );
        assert_eq!(decide(&auth, token, DynRule::new(any((certain, rule)))).await, OUTAGE, "any {name}");
    }
    assert_eq!(decide(&auth, token, DynRule::new(max_age(std::time::Duration::from_secs(60)))).await, OUTAGE);
    assert_eq!(decide(&auth, token, DynRule::new(role("user").in_field("level"))).await, "ok");
}

/// An outage of the upstream is decided before any rule.
#[tokio::test]
async fn rule_is_not_asked_in_an_outage_or_about_a_signed_out_visitor() {
    let auth =
        Auth::builder().upstream_base_url(format!("http://127.0.0.1:{}", free_port())).build().unwrap();
    let token = mint(&json!({ "sub": "1" }), "a secret that is long enough for a test", COOKIE);
    let panics = |_: &Session<Auth>, _: Option<&Token<Auth>>| -> bool { panic!("asked") };
    for rule in [DynRule::new(panics), DynRule::new(not(panics))] {
        assert_eq!(decide(&auth, &token, rule.clone()).await, "502 upstream_unreachable");
        let mut nobody = Request::get("/page").body(()).unwrap().into_parts().0;
        assert_eq!(of(auth.authorize(&mut nobody, rule).await), "401 session_absent");
    }
}

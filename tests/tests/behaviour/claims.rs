//! The token claims that a session contains. The session callback of the upstream selects them. The option
//! `session.claims` selects them with `session.source: local`.

use auth_proxy::testing::{FakeUpstream, FakeUpstreamBuilder, mint};
use auth_proxy::{
    auth_proxy,
    options::{Builder, SessionSource, SessionStrategy},
};
use auth_proxy_tests::Browser;
use serde_json::{Value, json};

use crate::support::{Auth, app_of};

const COOKIE: &str = "authjs.session-token";

auth_proxy! {
    struct Declared {
        upstream: { base_url: "http://localhost", secret: env("AUTH_SECRET") },
        session: { source: local, claims: [role, type, "org.id", "https://example.com/plan"] },
    }
}

auth_proxy! {
    struct Variable {
        upstream: { base_url: "http://localhost", secret: env("AUTH_SECRET") },
        session: { source: env("SOURCE", default = "local"), claims: env("CLAIMS", optional) },
    }
}

fn claims() -> Value {
    json!({
        "sub": "1", "name": "Ada", "email": "ada@example.com", "picture": "/ada.png", "role": "admin", "type": "staff",
        "org.id": 7, "https://example.com/plan": ["free"], "accessToken": "hunter2", "iat": 1, "jti": "x",
        "exp": 4_102_444_800_u64,
    })
}

async fn local_user(builder: Builder<Auth>) -> Value {
    let upstream = FakeUpstream::start().await.unwrap();
    let builder = builder.upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let (_app, browser) = app_of(builder.session_source(SessionSource::Local)).await;
    let token = mint(&claims(), upstream.secret(), COOKIE);
    let session = browser.get_with("/session", &[("cookie", &format!("{COOKIE}={token}"))]).await;
    session.json()["user"].clone()
}

#[tokio::test]
async fn local_sessions_contain_default_and_configured_claims() {
    let default = json!({ "id": "1", "name": "Ada", "email": "ada@example.com", "image": "/ada.png" });
    assert_eq!(local_user(Auth::builder()).await, default);
    assert_eq!(local_user(Auth::builder().session_claims(["not-in-the-token"])).await, default);
    let mut named = default.clone();
    named["role"] = json!("admin");
    named["org.id"] = json!(7);
    assert_eq!(local_user(Auth::builder().session_claims(["role", "org.id"])).await, named);
}

#[tokio::test]
async fn session_claims_accept_words_strings_and_variables() {
    const SECRET: &str = "a secret that is as long as it has to be";
    let mut headers = http::HeaderMap::new();
    let cookie = format!("{COOKIE}={}", mint(&claims(), SECRET, COOKIE));
    headers.insert("cookie", cookie.parse().unwrap());
    let declared = Declared::builder().vars([("AUTH_SECRET", SECRET)]).build().unwrap();
    let user = &declared.session(&headers).await.unwrap().unwrap().user;
    let expected =
        json!({ "role": "admin", "type": "staff", "org.id": 7, "https://example.com/plan": ["free"] });
    assert_eq!(Value::Object(user.extra.clone()), expected);
    for (text, expected) in [("role, type", json!({ "role": "admin", "type": "staff" })), ("", json!({}))] {
        let from_env = Variable::builder().vars([("AUTH_SECRET", SECRET), ("CLAIMS", text)]).build().unwrap();
        let user = &from_env.session(&headers).await.unwrap().unwrap().user;
        assert_eq!(Value::Object(user.extra.clone()), expected, "{text}");
    }
}

#[test]
fn reserved_and_malformed_claims_are_rejected() {
    let built = |vars: &[(&str, &str)]| {
        let vars = vars.iter().copied().chain([("AUTH_SECRET", "a secret that is as long as it has to be")]);
        Variable::builder().vars(vars.collect::<Vec<_>>()).build()
    };
    for (claims, message) in [
        ("sessionToken", "`sessionToken` is the value of the session cookie"),
        ("role,exp", "`exp` describes the token and not the user"),
        ("iat", "so `session.user` does not show it"),
        ("nbf", "so `session.user` does not show it"),
        ("jti", "so `session.user` does not show it"),
        ("role,role", "named twice"),
        ("two words", "no white space"),
    ] {
        let error = built(&[("CLAIMS", claims)]).unwrap_err().to_string();
        assert!(error.contains("CLAIMS (session.claims): ") && error.contains(message), "{claims}: {error}");
    }
    let error = built(&[("CLAIMS", "role"), ("SOURCE", "upstream")]).unwrap_err().to_string();
    let message = "`session.claims` is read with `session.source: local` only";
    assert!(error.contains("CLAIMS (session.claims): ") && error.contains(message), "{error}");
    assert!(built(&[("CLAIMS", ""), ("SOURCE", "upstream")]).is_ok());
    // `session_mapping` replaces `session.claims`, so both together are an error.
    let mapping = |claims: &serde_json::Map<String, Value>| claims.clone();
    let both = Declared::builder().vars([("AUTH_SECRET", "s")]).session_mapping(mapping);
    let error = both.build().unwrap_err().to_string();
    assert!(error.contains("session.claims: ") && error.contains("`session_mapping`"), "{error}");
    let mapped = Declared::builder().vars([("AUTH_SECRET", "s")]).session_mapping(mapping);
    assert!(mapped.session_claims([""; 0]).build().is_ok());
}

/// Signs in at a fake upstream directly, without the proxy, and returns its session.
async fn session_of(builder: FakeUpstreamBuilder) -> Value {
    let user = json!({
        "sub": "1", "name": "Ada", "email": "ada@example.com", "picture": "/ada.png", "role": "admin",
    });
    let upstream = builder.user("ada", "ada", user).start().await.unwrap();
    let browser = Browser::at(upstream.url());
    browser.sign_in("ada", "ada").await;
    let mut session = browser.get("/api/auth/session").await.json();
    for secret in ["expires", "sessionToken"] {
        if let Some(value) = session.get_mut(secret) {
            assert!(value.is_string());
            *value = json!("..");
        }
    }
    session
}

/// The expected sessions were recorded from real servers.
#[tokio::test]
async fn fake_upstream_sessions_match_real_servers() {
    let authjs = json!({
        "user": { "name": "Ada", "email": "ada@example.com", "image": "/ada.png" }, "expires": "..",
    });
    let of = |strategy| FakeUpstream::builder().strategy(strategy);
    // The default session callback returns no user id, in either strategy (`core/lib/init.ts:38-47`).
    assert_eq!(session_of(of(SessionStrategy::Jwt)).await, authjs);
    assert_eq!(session_of(of(SessionStrategy::Database)).await, authjs);
    let user = json!({ "name": "Ada", "email": "ada@example.com", "emailVerified": null });
    assert_eq!(session_of(of(SessionStrategy::Jwt).robo()).await, json!({ "user": user, "expires": ".." }));
    let user = json!({ "id": "1", "name": "Ada", "email": "ada@example.com", "emailVerified": null });
    assert_eq!(
        session_of(of(SessionStrategy::Database).robo()).await,
        json!({ "user": user, "expires": "..", "sessionToken": "..", "userId": "1" })
    );
}

#[tokio::test]
async fn fake_upstream_adds_the_configured_session_claims() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let builder = FakeUpstream::builder().strategy(strategy).session_claims(["id", "role", "plan"]);
        for builder in [builder.clone(), builder.robo()] {
            let user = session_of(builder).await["user"].clone();
            assert_eq!((&user["id"], &user["role"]), (&json!("1"), &json!("admin")), "{strategy:?}");
            assert_eq!(user.get("plan"), None);
        }
    }
}

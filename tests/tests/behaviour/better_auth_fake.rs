//! The fake Better Auth server: against transcripts of a real one, and its visitors.

use std::time::Duration;

use auth_proxy::options::TokenFormat;
use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{Answer, loopback_client, transcript};
use serde_json::{Value, json};

#[tokio::test]
async fn fake_answers_as_a_real_better_auth_server() {
    replay(transcript::PLAIN, TokenFormat::Compact, 90).await;
}

#[tokio::test]
async fn fake_with_a_cookie_cache_answers_as_a_real_better_auth_server() {
    // The transcript is the same in all formats, since it has no values of cookies.
    for format in FORMATS {
        replay(transcript::CACHED, format, 25).await;
    }
}

#[tokio::test]
async fn fake_extends_sessions_as_a_real_better_auth_server() {
    replay(transcript::SLIDING, TokenFormat::Compact, 6).await;
}

/// The formats of the cookie cache.
const FORMATS: [TokenFormat; 3] = [TokenFormat::Compact, TokenFormat::Jwt, TokenFormat::Jwe];

/// Replays a transcript, which has at least so many requests.
async fn replay(text: &str, format: TokenFormat, at_least: usize) {
    let transcript: Value = serde_json::from_str(text).unwrap();
    let upstream = start(&transcript["fake"], format).await;
    let set_database = async |is_up: bool| {
        upstream.set_fault((!is_up).then_some(Fault::DatabaseDown)).await.unwrap();
    };
    let (requests, wrong) = transcript::replay(upstream.url(), &transcript, set_database).await;
    assert!(wrong.is_empty(), "{format}: {}", wrong.join("\n"));
    assert!(requests >= at_least, "only {requests} requests");
}

async fn start(options: &Value, format: TokenFormat) -> FakeUpstream {
    let seconds = |name: &str| options[name].as_u64().map(Duration::from_secs);
    // A signature in the transcripts is made with this secret.
    let secret = "h1-test-secret-0123456789abcdefghijklmnopqrstuv";
    let mut builder = FakeUpstream::builder().better_auth().secret(secret);
    if let Some(lifetime) = seconds("cookie_cache") {
        builder = builder.cookie_cache(format, lifetime);
    }
    if let Some(age) = seconds("update_age") {
        builder = builder.update_age(age);
    }
    let origins = options["trusted_origins"].as_array().into_iter().flatten();
    builder.trusted_origins(origins.map(|origin| origin.as_str().unwrap())).start().await.unwrap()
}

fn ada() -> Value {
    json!({ "sub": "1", "name": "Ada", "email": "ada@example.com", "picture": "/ada.png", "role": "admin" })
}

/// The body of a lookup with this `Cookie` header, and the names of the cookies that it clears and sets.
async fn look_up(upstream: &FakeUpstream, cookie: &str) -> (Value, Vec<String>, Vec<String>) {
    let request = loopback_client().get(format!("{}/api/auth/get-session", upstream.url()));
    let answer = Answer::of(request.header("cookie", cookie).send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let (cleared, set): (Vec<_>, Vec<_>) =
        answer.cookies().into_iter().partition(|line| line.contains("=; Max-Age=0;"));
    let names =
        |lines: Vec<&str>| lines.iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    (answer.json(), names(cleared), names(set))
}

async fn cached(format: TokenFormat) -> FakeUpstream {
    let builder = FakeUpstream::builder().better_auth();
    builder.cookie_cache(format, Duration::from_secs(300)).start().await.unwrap()
}

#[tokio::test]
async fn visitor_is_signed_in_with_the_claims_as_fields_of_the_user() {
    let upstream = FakeUpstream::builder().better_auth().start().await.unwrap();
    let visitor = upstream.visitor(&ada());
    for cookie in [visitor.cookie(), upstream.cookie(&ada())] {
        let (body, ..) = look_up(&upstream, &cookie).await;
        let user = &body["user"];
        assert_eq!(
            [&user["id"], &user["name"], &user["image"], &user["role"], &body["session"]["userId"]],
            ["1", "Ada", "/ada.png", "admin", "1"]
        );
    }
    assert_eq!(upstream.lookups(), 2);
    assert_eq!(format!("{visitor:?}"), "Visitor(..)");
}

#[tokio::test]
async fn expired_and_revoked_session_is_null_and_cleared() {
    let upstream = FakeUpstream::builder().better_auth().start().await.unwrap();
    let (expired, revoked, other) =
        (upstream.visitor(&ada()), upstream.visitor(&ada()), upstream.visitor(&ada()));
    expired.expire();
    revoked.revoke();
    for visitor in [&expired, &revoked] {
        let (body, cleared, set) = look_up(&upstream, &visitor.cookie()).await;
        assert_eq!((body, set.len()), (Value::Null, 0));
        assert_eq!(
            cleared,
            ["session_token", "session_data", "dont_remember"].map(|n| format!("better-auth.{n}"))
        );
    }
    assert!(look_up(&upstream, &other.cookie()).await.0.is_object());
}

#[tokio::test]
async fn tampered_token_is_null_and_nothing_is_cleared() {
    let upstream = cached(TokenFormat::Compact).await;
    let visitor = upstream.visitor(&ada()).with_tampered_token();
    assert_eq!(look_up(&upstream, &visitor.cookie()).await, (Value::Null, vec![], vec![]));
}

#[tokio::test]
async fn bad_session_data_is_replaced_and_the_database_is_asked() {
    for format in FORMATS {
        let upstream = cached(format).await;
        let eve = upstream.visitor(&json!({ "sub": "2", "name": "Eve" }));
        let visitor = upstream.visitor(&ada());
        let data = vec!["better-auth.session_data".to_owned()];
        for (visitor, cleared) in [
            (visitor.clone().with_session_data_of(&eve), &data),
            (visitor.clone().with_tampered_session_data(), &data),
            (visitor.clone().with_expired_session_data(), &data),
            (visitor.clone().without_session_data(), &vec![]),
        ] {
            let (body, seen, set) = look_up(&upstream, &visitor.cookie()).await;
            assert_eq!((&body["user"]["name"], &seen, &set), (&json!("Ada"), cleared, &data));
        }
        // The good cookie is believed, whatever the database says.
        visitor.revoke();
        let (body, cleared, set) = look_up(&upstream, &visitor.cookie()).await;
        assert_eq!((&body["user"]["name"], cleared.len(), set.len()), (&json!("Ada"), 0, 0));
        assert!(look_up(&upstream, &visitor.without_session_data().cookie()).await.0.is_null());
    }
}

#[tokio::test]
async fn long_session_data_is_split_and_read_again() {
    let upstream = cached(TokenFormat::Compact).await;
    let mut claims = ada();
    claims["pad"] = json!("x".repeat(6_000));
    let visitor = upstream.visitor(&claims);
    assert!(visitor.cookie().contains("; better-auth.session_data.2="), "{}", visitor.cookie().len());
    visitor.revoke();
    let (body, cleared, set) = look_up(&upstream, &visitor.cookie()).await;
    assert_eq!((&body["user"]["name"], cleared.len(), set.len()), (&json!("Ada"), 0, 0));
}

#[tokio::test]
async fn secure_names_have_the_prefix_and_the_attribute() {
    let builder = FakeUpstream::builder().better_auth().cookie_name("__Secure-better-auth.session_token");
    let upstream = builder.start().await.unwrap();
    let url = format!("{}/api/auth/sign-in/email", upstream.url());
    let body = json!({ "email": "demo@example.com", "password": "demo", "rememberMe": false });
    let answer = Answer::of(loopback_client().post(url).json(&body).send().await.unwrap()).await;
    for (line, name) in answer.cookies().into_iter().zip(["session_token", "dont_remember"]) {
        assert!(line.starts_with(&format!("__Secure-better-auth.{name}=")), "{line}");
        assert!(line.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"), "{line}");
    }
    assert_eq!(answer.cookies().len(), 2);
}

#[tokio::test]
async fn rate_limited_fault_has_no_retry_after() {
    let upstream = FakeUpstream::builder().better_auth().start().await.unwrap();
    upstream.set_fault(Some(Fault::RateLimited)).await.unwrap();
    let answer = loopback_client().get(format!("{}/api/auth/ok", upstream.url())).send().await.unwrap();
    let answer = Answer::of(answer).await;
    assert_eq!((answer.status, answer.header("x-retry-after"), answer.header("retry-after")), (429, "7", ""));
    assert_eq!(answer.json(), json!({ "message": "Too many requests. Please try again later." }));
}

/// Auth.js with database sessions, as recorded from a real server.
#[tokio::test]
async fn authjs_without_its_database_answers_null_and_clears_nothing() {
    use auth_proxy::options::SessionStrategy::{Database, Jwt};
    for (strategy, is_null) in [(Database, true), (Jwt, false)] {
        let upstream = FakeUpstream::builder().strategy(strategy).start().await.unwrap();
        let cookie = upstream.cookie(&ada());
        upstream.set_fault(Some(Fault::DatabaseDown)).await.unwrap();
        let request = loopback_client().get(format!("{}/api/auth/session", upstream.url()));
        let answer = Answer::of(request.header("cookie", cookie).send().await.unwrap()).await;
        assert_eq!((answer.status, answer.json().is_null()), (200, is_null), "{strategy}");
        let is_of_session = |line: &&str| line.starts_with("authjs.session-token");
        assert_eq!(answer.cookies().iter().any(is_of_session), !is_null, "{strategy}: {answer:?}");
    }
}

//! The fake Better Auth server against transcripts of a real one (`better-auth` 1.7.25 on Node.js 20), in
//! `tests/corpus/better_auth`. Each step is a request and the real answer, in which tokens, ids and dates are replaced.

use std::collections::BTreeMap;
use std::time::Duration;

use auth_proxy::options::TokenFormat;
use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{Answer, loopback_client};
use serde_json::{Map, Value, json};

#[tokio::test]
async fn fake_answers_as_a_real_better_auth_server() {
    replay(include_str!("../../corpus/better_auth/plain.json"), 90).await;
}

#[tokio::test]
async fn fake_with_a_cookie_cache_answers_as_a_real_better_auth_server() {
    replay(include_str!("../../corpus/better_auth/cached.json"), 25).await;
}

#[tokio::test]
async fn fake_extends_sessions_as_a_real_better_auth_server() {
    replay(include_str!("../../corpus/better_auth/sliding.json"), 6).await;
}

/// Sends every request of a transcript, of which there are at least so many, and compares the answers.
async fn replay(transcript: &str, at_least: usize) {
    let transcript: Value = serde_json::from_str(transcript).unwrap();
    let upstream = start(&transcript["fake"]).await;
    let mut cookies = BTreeMap::new();
    let (mut requests, mut wrong) = (0, Vec::new());
    for step in transcript["steps"].as_array().unwrap() {
        if let Some(database) = step["database"].as_str() {
            upstream.set_fault((database == "down").then_some(Fault::DatabaseDown)).await.unwrap();
            continue;
        }
        requests += 1;
        let answer = send(&upstream, step, &cookies).await;
        if let Some(name) = step["save"].as_str() {
            let pairs = answer.cookies().into_iter().filter_map(|line| line.split(';').next());
            cookies.insert(name.to_owned(), pairs.map(str::to_owned).collect());
        }
        let (seen, real) = (comparable(&answer), &step["answer"]);
        if seen != *real {
            let mut request = step.clone();
            request.as_object_mut().unwrap().remove("answer");
            wrong.push(format!("{request}\n  fake: {seen}\n  real: {real}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(requests >= at_least, "only {requests} requests");
}

async fn start(options: &Value) -> FakeUpstream {
    let seconds = |name: &str| options[name].as_u64().map(Duration::from_secs);
    // A signature in the transcripts is made with this secret.
    let secret = "h1-test-secret-0123456789abcdefghijklmnopqrstuv";
    let mut builder = FakeUpstream::builder().better_auth().secret(secret);
    if let Some(lifetime) = seconds("cookie_cache") {
        builder = builder.cookie_cache(TokenFormat::Compact, lifetime);
    }
    if let Some(age) = seconds("update_age") {
        builder = builder.update_age(age);
    }
    let origins = options["trusted_origins"].as_array().into_iter().flatten();
    builder.trusted_origins(origins.map(|origin| origin.as_str().unwrap())).start().await.unwrap()
}

type Cookies = BTreeMap<String, Vec<String>>;

async fn send(upstream: &FakeUpstream, step: &Value, cookies: &Cookies) -> Answer {
    let method = step["method"].as_str().unwrap().parse().unwrap();
    let url = format!("{}{}", upstream.url(), step["path"].as_str().unwrap());
    let mut request = loopback_client().request(method, url);
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        request = request.header(name, filled(value.as_str().unwrap(), upstream.url(), cookies));
    }
    request = match &step["body"] {
        Value::Null => request,
        Value::String(text) => request.body(text.clone()),
        object => request.json(object),
    };
    Answer::of(request.send().await.unwrap()).await
}

/// Replaces `{origin}`, and the names of saved cookies: `{ada}` by all of them, `{ada.session_data}` by this one.
fn filled(text: &str, origin: &str, cookies: &Cookies) -> String {
    let mut filled = text.replace("{origin}", origin);
    for (name, pairs) in cookies {
        filled = filled.replace(&format!("{{{name}}}"), &pairs.join("; "));
        for pair in pairs {
            let (cookie, _) = pair.split_once('=').unwrap();
            let cookie = cookie.strip_prefix("better-auth.").unwrap();
            filled = filled.replace(&format!("{{{name}.{cookie}}}"), pair);
        }
    }
    assert!(!filled.contains('{'), "{text}");
    filled
}

/// The answer in the form of the transcripts.
fn comparable(answer: &Answer) -> Value {
    let names = ["cache-control", "content-type", "location", "pragma"];
    let headers: Map<_, _> = names
        .into_iter()
        .filter(|name| answer.headers.contains_key(*name))
        .map(|name| (name.to_owned(), json!(answer.header(name))))
        .collect();
    let cookies: Vec<_> = answer.cookies().into_iter().map(without_value).collect();
    let body = serde_json::from_str(&answer.body).map_or_else(|_| json!(answer.body), without_ids);
    json!({ "status": answer.status, "headers": headers, "cookies": cookies, "body": body })
}

/// A `Set-Cookie` line without the value, unless that is empty.
fn without_value(line: &str) -> String {
    let (name, rest) = line.split_once('=').unwrap();
    let (value, attributes) = rest.split_once(';').unwrap();
    let value = if value.is_empty() { "" } else { "<value>" };
    format!("{name}={value};{attributes}")
}

fn without_ids(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, without_ids(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(without_ids).collect::<Vec<_>>().into(),
        Value::String(text) if text.len() == 32 && text.chars().all(|c| c.is_ascii_alphanumeric()) => {
            json!("<id>")
        }
        Value::String(text) if text.len() == 24 && text.ends_with('Z') && text.contains("T") => {
            json!("<date>")
        }
        other => other,
    }
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

async fn cached() -> FakeUpstream {
    let builder = FakeUpstream::builder().better_auth();
    builder.cookie_cache(TokenFormat::Compact, Duration::from_secs(300)).start().await.unwrap()
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
    let upstream = cached().await;
    let visitor = upstream.visitor(&ada()).with_tampered_token();
    assert_eq!(look_up(&upstream, &visitor.cookie()).await, (Value::Null, vec![], vec![]));
}

#[tokio::test]
async fn bad_session_data_is_replaced_and_the_database_is_asked() {
    let upstream = cached().await;
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

#[tokio::test]
async fn long_session_data_is_split_and_read_again() {
    let upstream = cached().await;
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

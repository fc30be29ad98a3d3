//! `POST {base_path}/_revoke`: the upstream revokes tokens, with signed messages.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::auth_proxy;
use auth_proxy::options::{Builder, RevocationList, SessionSource, TokenFormat, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{App, Browser, SharedStore, loopback_client};
use aws_lc_rs::{digest, hmac};
use serde_json::{Value, json};

use crate::support::{Auth, app_of, upstream};

pub(crate) const SECRET: &str = "a secret of the webhook, 32 bytes and more";

fn with_route(upstream: &FakeUpstream, store: &SharedStore) -> Builder<Auth> {
    let builder = Auth::builder().upstream_base_url(upstream.url()).public_url("http://app.test");
    let builder = builder.session_revocation(RevocationList::Store).session_store(store.clone());
    builder.revocation_webhook_secret([SECRET])
}

fn decoding(upstream: &FakeUpstream, store: &SharedStore) -> Builder<Auth> {
    with_route(upstream, store).upstream_secret([upstream.secret()]).session_source(SessionSource::Local)
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn token_hash(token: &str) -> String {
    hex(digest::digest(&digest::SHA256, token.rsplit_once('.').map_or(token, |(part, _)| part).as_bytes()))
}

pub(crate) fn signature(secret: &str, time: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let message = [format!("{time}.").as_bytes(), body].concat();
    format!("t={time},v1={}", hex(hmac::sign(&key, &message)))
}

/// Sends a message, and returns the status and the code of the error.
pub(crate) async fn send(app: &App, body: impl Into<Vec<u8>>, signatures: &[&str]) -> (u16, String) {
    let url = app.url("/api/auth/_revoke");
    let mut request = loopback_client().post(url).body(body.into());
    for signature in signatures {
        request = request.header("x-auth-proxy-signature", *signature);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

pub(crate) async fn revoke(app: &App, message: Value) -> (u16, String) {
    let body = message.to_string();
    send(app, body.clone(), &[&signature(SECRET, now(), body.as_bytes())]).await
}

fn revoked() -> (u16, String) {
    (204, String::new())
}

async fn refusal(app: &App, cookie: &str) -> String {
    let answer = Browser::of(app).get_with("/session", &[("cookie", cookie)]).await;
    if answer.status == 200 { String::new() } else { answer.code() }
}

fn claims(sub: &str) -> Value {
    json!({ "sub": sub, "name": "Ada", "jti": format!("jti-{sub}"), "sid": format!("sid-{sub}") })
}

#[tokio::test]
async fn each_name_of_a_token_revokes_it_at_every_instance_and_after_a_restart() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let instance = async || app_of(decoding(&upstream, &store)).await.0;
    let (first, second) = (instance().await, instance().await);
    let cookies = ["1", "2", "3", "4", "5"].map(|sub| upstream.cookie(&claims(sub)));
    let token = cookies[0].split_once('=').unwrap().1.to_owned();
    for cookie in &cookies {
        assert_eq!([refusal(&first, cookie).await, refusal(&second, cookie).await], ["", ""]);
    }
    for message in [
        json!({ "token_hash": token_hash(&token) }),
        json!({ "session": "jti-2" }),
        json!({ "session": "sid-3" }),
        json!({ "subject": "4", "issued_before": now() + 1 }),
    ] {
        assert_eq!(revoke(&first, message.clone()).await, revoked(), "{message}");
    }
    let restarted = instance().await;
    for app in [&first, &second, &restarted] {
        for cookie in &cookies[..4] {
            assert_eq!(refusal(app, cookie).await, "session_revoked");
        }
        assert_eq!(refusal(app, &cookies[4]).await, "", "the message was not about this visitor");
    }
    assert_eq!(upstream.lookups(), 0);
}

/// The server knows the token of its database, not the signature in the cookie.
#[tokio::test]
async fn token_hash_ends_cached_sessions_of_better_auth() {
    let upstream = FakeUpstream::builder().better_auth().start().await.unwrap();
    let store = SharedStore::telling_ends();
    let builder = || {
        let builder = with_route(&upstream, &store).upstream_kind(UpstreamKind::BetterAuth);
        builder.session_cache(Duration::from_secs(3600))
    };
    let (first, second) = (app_of(builder()).await.0, app_of(builder()).await.0);
    let cookie = upstream.visitor(&json!({ "sub": "1", "name": "Ada" })).cookie();
    let token = cookie.split_once('=').unwrap().1.replace("%2E", ".").split('.').next().unwrap().to_owned();
    for app in [&first, &second] {
        assert_eq!(refusal(app, &cookie).await, "");
    }
    assert_eq!(revoke(&first, json!({ "token_hash": token_hash(&token) })).await, revoked());
    for app in [&first, &second] {
        assert_eq!(refusal(app, &cookie).await, "session_revoked");
    }
}

/// A message about a user says that the user's sessions may have ended. The server knows which ones.
#[tokio::test]
async fn subject_message_makes_every_instance_ask_better_auth_again() {
    for with_cookie_cache in [false, true] {
        let mut fake = FakeUpstream::builder().better_auth();
        if with_cookie_cache {
            fake = fake.cookie_cache(TokenFormat::Compact, Duration::from_secs(300));
        }
        let (upstream, store) = (fake.start().await.unwrap(), SharedStore::telling_ends());
        let builder = || {
            let builder = with_route(&upstream, &store).upstream_kind(UpstreamKind::BetterAuth);
            let builder = builder
                .session_cache(Duration::from_secs(3600))
                .session_stale_if_error(Duration::from_secs(3600));
            if with_cookie_cache { builder.upstream_secret([upstream.secret()]) } else { builder }
        };
        let (first, second) = (app_of(builder()).await.0, app_of(builder()).await.0);
        let [ended, kept, other] =
            ["1", "1", "2"].map(|sub| upstream.visitor(&json!({ "sub": sub, "name": "Ada" })).cookie());
        for app in [&first, &second] {
            for cookie in [&ended, &kept, &other] {
                assert_eq!(refusal(app, cookie).await, "");
            }
        }
        let url = format!("{}/api/auth/sign-out", upstream.url());
        let sign_out = loopback_client().post(url).header("cookie", &ended).header("origin", upstream.url());
        assert_eq!(sign_out.send().await.unwrap().status(), 200);
        assert_eq!(refusal(&second, &ended).await, "", "no instance can know of it yet");
        assert_eq!(revoke(&first, json!({ "subject": "1" })).await, revoked());
        let restarted = app_of(builder()).await.0;
        for app in [&first, &second, &restarted] {
            upstream.forget_seen();
            assert_ne!(refusal(app, &ended).await, "");
            assert_eq!((refusal(app, &kept).await, upstream.lookups()), (String::new(), 2));
            assert_eq!(refusal(app, &other).await, "", "the message was not about this visitor");
            assert_eq!(upstream.lookups(), 2);
            let page = Browser::of(app).get_with("/api/auth/get-session", &[("cookie", &ended)]).await;
            assert!(page.status == 200 && !page.body.contains("Ada"), "{page:?}");
        }
        upstream.set_fault(Some(Fault::Refused)).await.unwrap();
        assert_eq!(
            refusal(&first, &kept).await,
            "upstream_unreachable",
            "a stale session is not used either"
        );
    }
}

#[tokio::test]
async fn sign_in_after_the_signed_time_is_not_concerned() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, _) = app_of(decoding(&upstream, &store)).await;
    let body = json!({ "subject": "1" }).to_string();
    let sent = signature(SECRET, now() - 100, body.as_bytes());
    let cookie = upstream.cookie(&claims("1"));
    // The second time is a replay.
    for _ in 0..2 {
        assert_eq!(send(&app, body.clone(), &[&sent]).await, revoked());
        assert_eq!(refusal(&app, &cookie).await, "");
    }
}

#[tokio::test]
async fn message_that_is_not_signed_for_this_body_and_time_revokes_nothing() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, _) = app_of(decoding(&upstream, &store)).await;
    let body = json!({ "session": "jti-1" }).to_string();
    let at = |time| signature(SECRET, time, body.as_bytes());
    let good = at(now());
    let other = signature("another secret of 32 bytes or more", now(), body.as_bytes());
    let longer = format!("{body} ");
    for (body, signatures, code) in [
        (body.as_str(), vec![], "signature_missing"),
        (&body, vec![other.as_str()], "signature_wrong"),
        (&body, vec![&good, &good], "signature_malformed"),
        (&body, vec!["t=1"], "signature_malformed"),
        (&body, vec![&at(now() - 310)], "signature_late"),
        (&body, vec![&at(now() + 310)], "signature_late"),
        (&body, vec![&at(0)], "signature_late"),
        (&body[..body.len() - 1], vec![&good], "signature_wrong"),
        (&longer, vec![&good], "signature_wrong"),
        ("", vec![&good], "signature_wrong"),
    ] {
        assert_eq!(send(&app, body, &signatures).await, (401, code.to_owned()), "{body} {signatures:?}");
    }
    assert_eq!(store.revocations(), 0);
    assert_eq!(refusal(&app, &upstream.cookie(&claims("1"))).await, "");
    assert_eq!(
        send(&app, body.clone(), &[&format!("{good},{}", &other[other.find("v1").unwrap()..])]).await,
        revoked()
    );
}

/// The route takes no Bearer token, so it asks for none.
#[tokio::test]
async fn refusal_of_the_route_asks_for_no_bearer_token() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, browser) = app_of(decoding(&upstream, &store)).await;
    let body = json!({ "session": "jti-1" });
    let old = signature(SECRET, now() - 310, body.to_string().as_bytes());
    let wrong = signature("another secret of 32 bytes or more", now(), body.to_string().as_bytes());
    for signature in [None, Some("t=1"), Some(&old), Some(&wrong)] {
        let headers: Vec<_> = signature.iter().map(|value| ("x-auth-proxy-signature", *value)).collect();
        let answer = browser.post_json_with("/api/auth/_revoke", &body, &headers).await;
        assert_eq!((answer.status, answer.headers.get("www-authenticate")), (401, None), "{answer:?}");
    }
    assert_eq!(Browser::of(&app).get("/session").await.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn signed_body_that_is_not_one_message_revokes_nothing() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, _) = app_of(decoding(&upstream, &store)).await;
    let hash = token_hash("a.b");
    let in_future = now() + 400;
    for body in [
        String::new(),
        "null".into(),
        "{}".into(),
        "[]".into(),
        format!(r#"["{hash}",null,null,null]"#),
        format!(r#"["{hash}"]"#),
        r#"{"session":"a","session":"b"}"#.into(),
        r#"{"session":"a","subject":"b"}"#.into(),
        r#"{"session":"a","subject":null}"#.into(),
        r#"{"session":"a","issued_before":1}"#.into(),
        r#"{"session":"a","other":1}"#.into(),
        r#"{"session":""}"#.into(),
        r#"{"subject":""}"#.into(),
        r#"{"session":1}"#.into(),
        r#"{"session":["a"]}"#.into(),
        r#"{"subject":"a","issued_before":"1"}"#.into(),
        r#"{"subject":"a","issued_before":-1}"#.into(),
        r#"{"subject":"a","issued_before":1.5}"#.into(),
        format!(r#"{{"subject":"a","issued_before":{in_future}}}"#),
        r#"{"token_hash":"abc"}"#.into(),
        format!(r#"{{"token_hash":"{hash}0"}}"#),
        format!(r#"{{"token_hash":"{}g"}}"#, &hash[1..]),
        r#"{"session":"a"} {"session":"b"}"#.into(),
    ] {
        let sent = signature(SECRET, now(), body.as_bytes());
        let answer = send(&app, body.clone(), &[&sent]).await;
        assert_eq!(answer, (400, "revocation_invalid".to_owned()), "{body}");
    }
    let not_text = b"{\"session\":\"\xff\"}";
    let answer = send(&app, not_text.as_slice(), &[&signature(SECRET, now(), not_text)]).await;
    assert_eq!(answer, (400, "revocation_invalid".to_owned()));
    let huge = json!({ "session": "a".repeat(5000) }).to_string();
    let answer = send(&app, huge.clone(), &[&signature(SECRET, now(), huge.as_bytes())]).await;
    assert_eq!(answer, (413, "body_too_large".to_owned()));
    assert_eq!(store.revocations(), 0);
}

#[tokio::test]
async fn only_post_is_answered_and_nothing_is_forwarded() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, _) = app_of(decoding(&upstream, &store)).await;
    upstream.forget_seen();
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let url = app.url("/api/auth/_revoke");
        let answer = loopback_client().request(method.parse().unwrap(), url).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["allow"]), (405, &"POST".parse().unwrap()));
    }
    assert_eq!(revoke(&app, json!({ "session": "a" })).await, revoked());
    assert_eq!(upstream.seen().len(), 0);
    // Off: a path like any other.
    let (app, _) = app_of(decoding(&upstream, &store).revocation_webhook_secret([""; 0])).await;
    revoke(&app, json!({ "session": "b" })).await;
    assert_eq!(upstream.seen().len(), 1);
    assert_eq!(store.revocations(), 1);
}

#[tokio::test]
async fn store_that_does_not_take_it_is_told_and_this_instance_knows_it_all_the_same() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, _) = app_of(decoding(&upstream, &store)).await;
    let cookie = upstream.cookie(&claims("1"));
    store.go_down();
    assert_eq!(revoke(&app, json!({ "session": "jti-1" })).await, (503, "revocation_not_stored".to_owned()));
    assert_eq!(refusal(&app, &cookie).await, "session_revoked");
}

#[test]
fn secret_is_long_and_needs_the_list() {
    let builder = || Auth::builder().upstream_base_url("http://auth");
    for (builder, expected) in [
        (builder().revocation_webhook_secret([SECRET]), "add `session: { revocation: store }`"),
        (builder().revocation_webhook_secret(["short"]), "shorter than 32 bytes"),
        (builder().revocation_webhook_secret([" "]), "not empty"),
    ] {
        let message = builder.build().unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains("revocation.webhook_secret"), "{message}");
        assert!(!message.contains(SECRET) && !message.contains("`short`"), "{message}");
    }
}

/// Otherwise a program that may revoke tokens could make them.
#[test]
fn secret_of_tokens_is_refused() {
    auth_proxy! {
        struct Separate {
            upstream: { kind: better_auth, base_url: "http://auth", secret: env("SECRET") },
            session: { revocation: store },
            revocation: { webhook_secret: [env("HOOK"), env("OLD_HOOK", optional)] },
        }
    }
    auth_proxy! {
        struct Same {
            upstream: { kind: better_auth, base_url: "http://auth", secret: env("SECRET") },
            session: { revocation: store },
            revocation: { webhook_secret: env("SECRET") },
        }
    }
    const TOKENS: &str = "a secret of session tokens of 32 bytes and more";
    let versions = format!("2:{TOKENS},1:an older secret of session tokens");
    let separate = |tokens: &str, hook: &str, old: &str| {
        let vars = [("SECRET", tokens), ("HOOK", hook), ("OLD_HOOK", old)];
        Separate::builder().vars(vars).session_store(SharedStore::telling_ends()).build().map(|_| ())
    };
    let same = Same::builder().vars([("SECRET", &versions)]).session_store(SharedStore::telling_ends());
    let given = Auth::builder().upstream_base_url("http://auth").upstream_secret([SECRET, TOKENS]);
    let given = given.session_revocation(RevocationList::Store).session_store(SharedStore::telling_ends());
    assert!(separate(TOKENS, SECRET, "").is_ok());
    for (built, name) in [
        (separate(TOKENS, TOKENS, ""), "HOOK (revocation.webhook_secret)"),
        (separate(TOKENS, SECRET, TOKENS), "OLD_HOOK (revocation.webhook_secret)"),
        (separate(&versions, TOKENS, ""), "HOOK (revocation.webhook_secret)"),
        (same.build().map(|_| ()), "SECRET (revocation.webhook_secret)"),
        (given.revocation_webhook_secret([TOKENS]).build().map(|_| ()), "revocation.webhook_secret"),
    ] {
        let message = built.unwrap_err().to_string();
        assert!(message.contains(name) && message.contains("value of `upstream.secret` too"), "{message}");
        assert!(!message.contains(TOKENS) && !message.contains(SECRET), "{message}");
    }
}

/// Sessions and users are named in tokens. Without tokens, nothing would be revoked, and 204 would say that something was.
#[tokio::test]
async fn names_in_tokens_are_refused_where_no_token_is_decoded() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, _) = app_of(with_route(&upstream, &store)).await;
    for message in [json!({ "session": "jti-1" }), json!({ "subject": "1" })] {
        assert_eq!(revoke(&app, message).await, (422, "revocation_without_tokens".to_owned()));
    }
    assert_eq!(store.revocations(), 0);
    assert_eq!(revoke(&app, json!({ "token_hash": token_hash("a") })).await, revoked());
}

/// The clocks of the instances and of the upstream may differ by five minutes.
#[tokio::test]
async fn revocation_of_the_upstream_is_kept_as_long_as_configured() {
    let upstream = upstream().await;
    for (keep, until) in [(None, 400 * 24 * 3600 + 300), (Some(60), 360)] {
        let store = SharedStore::telling_ends();
        let mut builder = decoding(&upstream, &store).clock(|| 1_000_000);
        if let Some(seconds) = keep {
            builder = builder.revocation_keep(Duration::from_secs(seconds));
        }
        let (app, _) = app_of(builder).await;
        let body = json!({ "session": "jti-1" }).to_string();
        let signed = signature(SECRET, 1_000_000, body.as_bytes());
        assert_eq!(send(&app, body, &[&signed]).await, revoked());
        assert_eq!(store.revoked_until(), Some(UNIX_EPOCH + Duration::from_secs(1_000_000 + until)));
    }
}

/// The commands of the guide, with a `curl` that prints its arguments.
#[tokio::test]
async fn shell_commands_of_the_guide_sign_a_message() {
    let guide = include_str!("../../../auth-proxy/docs/guide/caching.md");
    let start = guide.find("body='{").expect("the commands");
    let commands = guide[start..].split("```").next().unwrap();
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{commands}");
    let shell = tokio::process::Command::new("sh")
        .args(["-ec", &script])
        .env("AUTH_REVOKE_SECRET", SECRET)
        .env("AUTH_REVOKE_URL", "the URL")
        .output();
    let output = String::from_utf8(shell.await.unwrap().stdout).unwrap();
    let arguments: Vec<&str> = output.lines().collect();
    let behind = |option: &str| arguments[arguments.iter().position(|a| *a == option).unwrap() + 1];
    let signature = arguments.iter().find_map(|a| a.strip_prefix("x-auth-proxy-signature: ")).unwrap();
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let (app, _) = app_of(decoding(&upstream, &store)).await;
    assert_eq!(send(&app, behind("-d"), &[signature]).await, revoked(), "{output}");
    assert!(
        arguments.contains(&"the URL") && arguments.contains(&"content-type: application/json"),
        "{output}"
    );
    assert_eq!(send(&app, r#"{"subject":"43"}"#, &[signature]).await.1, "signature_wrong");
}

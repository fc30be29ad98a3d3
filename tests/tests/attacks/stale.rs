//! Attack: the holder of an ended session makes the lookups of that session fail, so that `stale_if_error` serves the
//! session as in an outage.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy_tests::{App, COOKIE_NAME};

use crate::support::{Auth, Reply, StrictUpstream, app, first, get, ok, read, seal};

const CACHE: Duration = Duration::from_millis(20);

/// Tokens of the active sessions, in lower case, since the upstream reads heads in lower case.
type Known = Arc<Mutex<HashSet<String>>>;

/// An upstream that fails as in an outage when a request contains anything that a client may have chosen.
async fn upstream(known: &Known) -> StrictUpstream {
    let known = Arc::clone(known);
    StrictUpstream::start(move |head| {
        let line = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let is_own = |host: &str| host.starts_with("127.0.0.1") || host.starts_with("app.localhost");
        if !is_own(line("host: ")) {
            return ok("503 Service Unavailable", "", "");
        }
        let (cookie, scheme) = (line("cookie: "), line("x-forwarded-proto: "));
        let is_chosen_by_client =
            ["callback-url", "csrf-token", "x=", "%"].iter().any(|text| cookie.contains(text));
        let is_chosen_by_client = is_chosen_by_client
            || scheme == "https"
            || head.contains("\r\nauthorization:")
            || head.contains("x-odd");
        if is_chosen_by_client || cookie.matches(COOKIE_NAME).count() > 1 {
            return Reply::Reset(String::new());
        }
        if !head.starts_with("get /api/auth/session ") {
            return ok("200 OK", "", "{}");
        }
        let token = cookie.strip_prefix(&format!("{COOKIE_NAME}=")).unwrap_or_default();
        if known.lock().unwrap().contains(token) {
            return ok("200 OK", "", r#"{"user":{"name":"Mallory"}}"#);
        }
        ok("200 OK", &format!("Set-Cookie: {COOKIE_NAME}=; Max-Age=0\r\n"), "null")
    })
    .await
}

fn builder(url: &str, strategy: SessionStrategy) -> Builder<Auth> {
    let builder = Auth::builder().upstream_base_url(url).upstream_session_strategy(strategy);
    builder.session_cache(CACHE).session_stale_if_error(Duration::from_secs(3600)).upstream_circuit_breaker(0)
}

/// Makes a token that the upstream accepts.
fn issue(known: &Known, strategy: SessionStrategy, number: usize) -> String {
    let token = match strategy {
        SessionStrategy::Jwt => seal("Mallory", COOKIE_NAME),
        _ => format!("{number:08}-dada-4bad-8bad-{number:012}"),
    };
    known.lock().unwrap().insert(token.to_ascii_lowercase());
    token
}

/// Requests with this token. Each has one property that could make the lookup fail.
fn tricks(token: &str) -> Vec<(&'static str, String)> {
    let own = format!("{COOKIE_NAME}={token}");
    let with = |more: String| head("/me", "app.localhost", &format!("Cookie: {own}; {more}\r\n"));
    let to = |target: &str, host: &str| head(target, host, &format!("Cookie: {own}\r\n"));
    let encoded: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let (half, rest) = token.split_at(token.len() / 2);
    vec![
        ("callback-url=x", with("authjs.callback-url=x".into())),
        ("a secure callback-url", with("__Secure-authjs.callback-url=x".into())),
        ("a csrf cookie of 16 KB", with(format!("authjs.csrf-token={}", "a".repeat(16_384)))),
        ("a malformed csrf cookie", with("authjs.csrf-token=%7C%7C; __Host-authjs.csrf-token=x".into())),
        ("a huge other cookie", with(format!("x={}", "|".repeat(20_000)))),
        ("a huge second token", with(format!("{COOKIE_NAME}={}", "|".repeat(20_000)))),
        ("a chunk", with(format!("{COOKIE_NAME}.0={}", "|".repeat(5000)))),
        ("a secure token", with(format!("__Secure-{COOKIE_NAME}x={token}"))),
        ("an https target", to("https://app.localhost/me", "app.localhost")),
        ("an http target", to("http://zzz/me", "app.localhost")),
        ("a foreign host", to("/me", "zzz")),
        ("another loopback host", to("/me", "localhost")),
        ("an odd loopback host", to("/me", "x.localhost")),
        ("no host", format!("GET /me HTTP/1.0\r\nCookie: {own}\r\n\r\n")),
        ("percent-encoded", head("/me", "app.localhost", &format!("Cookie: {COOKIE_NAME}={encoded}\r\n"))),
        (
            "in chunks",
            head(
                "/me",
                "app.localhost",
                &format!("Cookie: {COOKIE_NAME}.0={half}; {COOKIE_NAME}.1={rest}\r\n"),
            ),
        ),
        ("Bearer", head("/me", "app.localhost", &format!("Authorization: Bearer {token}\r\n"))),
        (
            "forwarded headers",
            head(
                "/me",
                "app.localhost",
                &format!(
                    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: zzz\r\nX-Odd: 1\r\nCookie: {own}\r\n"
                ),
            ),
        ),
        (
            "an Upgrade",
            head(
                "/me",
                "app.localhost",
                &format!("Connection: x-odd\r\nX-Odd: 1\r\nExpect: x\r\nCookie: {own}\r\n"),
            ),
        ),
        (
            "an override",
            head(
                "/me?x-odd",
                "app.localhost",
                &format!("X-HTTP-Method-Override: TRACE\r\nCookie: {own}\r\n"),
            ),
        ),
    ]
}

fn head(target: &str, host: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n")
}

/// The status of the response, whether it is marked as stale, and its text.
async fn ask(app: &App, request: &str) -> (u16, bool, String) {
    let (status, answer) = read(&app.raw(request).await);
    (status, answer.contains("auth-proxy-session: stale"), answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_session_is_not_kept_alive_by_failing_its_lookups() {
    let (mut tried, mut served) = (0, Vec::new());
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let known = Known::default();
        let upstream = upstream(&known).await;
        let app = app(builder(&upstream.url, strategy)).await;
        for n in 0..tricks("0123456789").len() {
            let token = issue(&known, strategy, n);
            let plain = format!("Cookie: {COOKIE_NAME}={token}\r\n");
            let warm = get(&app, "/me", "app.localhost", &plain).await;
            assert!(warm.0 == 200 && warm.1.ends_with("mallory"), "{warm:?}");
            let (how, request) = tricks(&token).swap_remove(n);
            // An attacker could have sent the same request while the session was active.
            app.raw(&request).await;
            known.lock().unwrap().remove(&token.to_ascii_lowercase());
            tokio::time::sleep(2 * CACHE).await;
            for _ in 0..3 {
                let (status, is_stale, answer) = ask(&app, &request).await;
                tried += 1;
                if is_stale || status == 200 {
                    served.push(format!("{strategy:?}, {how}: {answer}"));
                }
            }
            let (status, _) = get(&app, "/me", "app.localhost", &plain).await;
            assert_eq!(status, 401, "{strategy:?}, {how}");
        }
        assert!(upstream.heads() > 50, "too few lookups reached the upstream: {}", upstream.heads());
    }
    println!("stale: {} of {tried} requests with an ended session were accepted", served.len());
    assert!(served.is_empty(), "{}", first(&served));
}

/// The purpose of `stale_if_error`: in an outage an active session is served and marked as stale.
#[tokio::test]
async fn outage_serves_stale_sessions_and_marks_them() {
    let mut served = 0;
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let known = Known::default();
        let upstream = upstream(&known).await;
        let app = app(builder(&upstream.url, strategy)).await;
        let tokens: Vec<_> = (0..10).map(|n| issue(&known, strategy, n)).collect();
        let me = async |token: &str| {
            ask(&app, &head("/me", "app.localhost", &format!("Cookie: {COOKIE_NAME}={token}\r\n"))).await
        };
        for token in &tokens {
            assert_eq!(me(token).await.0, 200);
        }
        upstream.stop().await;
        tokio::time::sleep(2 * CACHE).await;
        for token in &tokens {
            let (status, is_stale, answer) = me(token).await;
            assert!(status == 200 && is_stale, "{answer}");
            served += 1;
        }
        // A session that was never looked up has no stale copy, so it is rejected.
        assert_eq!(me(&issue(&known, strategy, 99)).await.0, 502);
    }
    println!("stale: {served} of 20 sessions were served in an outage and marked as stale");
}

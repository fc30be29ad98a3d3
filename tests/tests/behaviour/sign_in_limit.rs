//! `sign_in_limit`: too many attempts to sign in are refused, and the upstream is not asked.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::auth_proxy;
use auth_proxy::options::{Builder, UpstreamKind};
use auth_proxy_tests::redis::Server;
use auth_proxy_tests::{Answer, App, Browser, Events, LogCapture, SharedStore, loopback_client};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::{Auth, routes};

/// An upstream that counts the requests, and keeps the last body.
#[derive(Clone, Default)]
struct Upstream {
    asked: Arc<AtomicUsize>,
    body: Arc<Mutex<Vec<u8>>>,
}

impl Upstream {
    fn auth(&self) -> Builder<Auth> {
        let upstream = self.clone();
        let router = Router::new().fallback(move |request: Request| async move {
            upstream.asked.fetch_add(1, SeqCst);
            *upstream.body.lock().unwrap() = to_bytes(request.into_body(), 1 << 21).await.unwrap().to_vec();
            "{}"
        });
        Auth::builder().upstream_base_url("http://auth").upstream_fetch(router).public_url("http://app.test")
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

async fn start(builder: Builder<Auth>) -> App {
    App::start(routes(&builder.build().unwrap())).await
}

/// Posts a body to a sign-in route.
async fn post(app: &App, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    post_from(app, path, content_type, body, &[]).await
}

async fn post_from(
    app: &App,
    path: &str,
    content_type: &str,
    body: impl Into<Vec<u8>>,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = loopback_client().post(app.url(&format!("/api/auth{path}")));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.header("content-type", content_type).body(body.into()).send().await.unwrap()).await
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const CREDENTIALS: &str = "/callback/credentials";

fn assert_limited(answer: &Answer, longest: u64) {
    assert_eq!((answer.status, answer.code().as_str()), (429, "sign_in_limited"), "{answer:?}");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=longest + 1).contains(&wait), "{wait}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// Each of these routes counts, and each kind has its own.
#[tokio::test]
async fn attempts_of_an_address_are_limited_at_the_routes_of_each_kind() {
    let authjs = &[
        "/callback/credentials",
        "/signin/email",
        "/signin/nodemailer",
        "/signin/resend/",
        "/%63allback/credentials",
        // next-auth v4 reads only the first two segments.
        "/callback/credentials/x",
        "/signin/email/x/y/z",
    ][..];
    let robo = &[
        "/signup",
        "/callback/credentials",
        "/verify-email/request",
        "/password/reset/request",
        "/password/reset/confirm",
    ];
    let better_auth = &[
        "/sign-in/email",
        "/sign-in/username",
        "/sign-in/magic-link",
        "/sign-up/email",
        "/request-password-reset",
        "/reset-password",
        "/two-factor/verify-totp",
        "/two-factor/send-otp",
        "/email-otp/send-verification-otp",
        "/phone-number/verify",
        "/sign%2Din/email",
        "/Sign-In/email",
        "/delete-user",
        "/change-email",
        "/organization/invite-member",
    ][..];
    for (kind, attempts, others) in [
        (UpstreamKind::Authjs, authjs, &["/signout", "/session", "/signin"][..]),
        (UpstreamKind::NextAuthV4, authjs, &["/signout", "/_log"]),
        (UpstreamKind::Robo, robo, &["/signout"]),
        (
            UpstreamKind::BetterAuth,
            better_auth,
            &["/sign-out", "/get-session", "/update-user", "/organization/create", "/passkey/delete-passkey"],
        ),
    ] {
        let upstream = Upstream::default();
        let limit = attempts.len();
        let app =
            start(upstream.auth().upstream_kind(kind).sign_in_limit_per_ip(format!("{limit}/1m"))).await;
        for path in attempts {
            let answer = post(&app, path, FORM, "email=a@b.c").await;
            assert_eq!(answer.status, 200, "{kind} {path} {answer:?}");
        }
        assert_eq!(upstream.asked(), limit);
        for path in attempts {
            assert_limited(&post(&app, path, FORM, "email=a@b.c").await, 60);
        }
        assert_eq!(upstream.asked(), limit, "{kind}: the upstream is not asked");
        for path in others {
            let answer = post(&app, path, FORM, "").await;
            assert!(answer.status < 300, "{kind} {path} {answer:?}");
        }
        for path in attempts {
            let answer = Browser::of(&app).get(&format!("/api/auth{path}")).await;
            assert_ne!(answer.status, 429, "{kind} {path}: a GET is no attempt");
        }
    }
}

#[tokio::test]
async fn nothing_is_limited_without_the_option() {
    let upstream = Upstream::default();
    let app = start(upstream.auth()).await;
    for _ in 0..50 {
        assert_eq!(post(&app, CREDENTIALS, "text/plain", "username=ada").await.status, 200);
    }
    assert_eq!(upstream.asked(), 50);
}

#[tokio::test]
async fn attempts_pass_again_when_the_window_is_over() {
    let upstream = Upstream::default();
    let app = start(upstream.auth().sign_in_limit_per_ip("2/1s")).await;
    let began = std::time::Instant::now();
    let mut passed = 0;
    while began.elapsed() < Duration::from_millis(2_500) {
        let answer = post(&app, CREDENTIALS, FORM, "").await;
        passed += usize::from(answer.status == 200);
        if answer.status != 200 {
            assert_limited(&answer, 1);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Refused attempts do not lengthen a window.
    assert!((4..=6).contains(&passed), "{passed}");
    assert_eq!(upstream.asked(), passed);
}

#[tokio::test]
async fn browser_that_loads_a_page_gets_a_page() {
    let app = start(Upstream::default().auth().sign_in_limit_per_ip("1/1m")).await;
    let browser = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];
    for expected in [200, 429] {
        let answer = post_from(&app, CREDENTIALS, FORM, "username=ada", &browser).await;
        assert_eq!(answer.status, expected);
        if expected == 429 {
            assert!(answer.header("content-type").starts_with("text/html"), "{answer:?}");
            assert!(answer.body.contains("sign_in_limited") && !answer.header("retry-after").is_empty());
        }
    }
}

/// A client writes `X-Forwarded-For`. It counts from a trusted proxy only, and of that only what the proxy wrote.
#[tokio::test]
async fn forwarded_address_counts_only_from_a_trusted_proxy() {
    let log = LogCapture::start();
    let app = start(Upstream::default().auth().sign_in_limit_per_ip("3/1m")).await;
    for number in 0..6 {
        let address = format!("203.0.113.{number}");
        let answer = post_from(&app, CREDENTIALS, FORM, "", &[("x-forwarded-for", &address)]).await;
        assert_eq!(answer.status, if number < 3 { 200 } else { 429 }, "{number}");
    }
    assert_eq!(log.times("name that proxy in `trusted_proxies`".replace("name", "Name").as_str()), 1);
    let app =
        start(Upstream::default().auth().sign_in_limit_per_ip("3/1m").trusted_proxies(["127.0.0.0/8"])).await;
    for number in 0..6 {
        // What the client wrote stands before what the proxy wrote.
        let spoofed = format!("198.51.100.{number}, 203.0.113.1");
        let answer = post_from(&app, CREDENTIALS, FORM, "", &[("x-forwarded-for", &spoofed)]).await;
        assert_eq!(answer.status, if number < 3 { 200 } else { 429 }, "{number}");
        let other = format!("203.0.113.{}", 10 + number);
        assert_eq!(post_from(&app, CREDENTIALS, FORM, "", &[("x-forwarded-for", &other)]).await.status, 200);
    }
}

#[tokio::test]
async fn addresses_of_an_ipv6_network_count_together() {
    let app =
        start(Upstream::default().auth().sign_in_limit_per_ip("2/1m").trusted_proxies(["127.0.0.0/8"])).await;
    for (address, expected) in [
        ("2001:db8::1", 200),
        ("2001:db8::2", 200),
        ("2001:db8::ffff:ffff:ffff:ffff", 429),
        ("2001:db8:0:1::1", 200),
        ("::ffff:203.0.113.1", 200),
        ("203.0.113.1", 200),
        ("::ffff:203.0.113.1", 429),
        ("203.0.113.2", 200),
    ] {
        let answer = post_from(&app, CREDENTIALS, FORM, "", &[("x-forwarded-for", address)]).await;
        assert_eq!(answer.status, expected, "{address}");
    }
}

#[tokio::test]
async fn spellings_of_an_account_count_together() {
    for (kind, path) in [
        (UpstreamKind::Authjs, CREDENTIALS),
        (UpstreamKind::NextAuthV4, "/signin/email"),
        (UpstreamKind::Robo, "/signup"),
        (UpstreamKind::BetterAuth, "/sign-in/email"),
    ] {
        let upstream = Upstream::default();
        let builder = upstream.auth().upstream_kind(kind).trusted_proxies(["127.0.0.0/8"]);
        let app = start(builder.sign_in_limit_per_account("1/1m")).await;
        let bodies = [
            (FORM, "email=ada@example.com&password=1"),
            (FORM, "email=ADA@EXAMPLE.com&password=2"),
            (FORM, "password=3&email=+ada%40example.com+"),
            (FORM, "%65mail=ada@example.com"),
            (FORM, "email[]=ada@example.com"),
            (FORM, "email=%C3%A1da@example.com"),
            (JSON, r#"{"email":"ada@example.com","password":"4"}"#),
            (JSON, r#"{"\u0065mail":" Ada@example.com"}"#),
            (JSON, r#"{"junk":"\ud800","email":"ada@example.com,x"}"#),
            ("application/json; charset=utf-8", "\u{feff}{\"email\":\"ada@example.com@x\"}"),
        ];
        for (number, (content_type, body)) in bodies.into_iter().enumerate() {
            // From another address each time.
            let address = format!("203.0.113.{number}");
            let answer = post_from(&app, path, content_type, body, &[("x-forwarded-for", &address)]).await;
            if number == 0 {
                assert_eq!(answer.status, 200, "{answer:?}");
            } else {
                assert_limited(&answer, 60);
            }
        }
        assert_eq!(post(&app, path, FORM, "email=bob@example.com").await.status, 200, "another account");
        assert_eq!(post(&app, path, JSON, r#"{"password":"x"}"#).await.status, 200, "no account");
        assert_eq!(upstream.asked(), 3);
    }
}

/// A body that the upstream might read another account from is refused.
#[tokio::test]
async fn account_that_cannot_be_read_for_certain_is_refused() {
    let upstream = Upstream::default();
    let app = start(upstream.auth().sign_in_limit_per_account("100/1m")).await;
    for (content_type, body) in [
        (FORM, "email=a@b.c&email=ada@example.com"),
        (FORM, "email=a@b.c&email[]=ada@example.com"),
        (FORM, "username=a&user%6eame=ada"),
        (JSON, r#"{"email":"a@b.c","email":"ada@example.com"}"#),
        (JSON, r#"{"email":["ada@example.com"]}"#),
        (JSON, r#"["ada@example.com"]"#),
        (JSON, "{"),
        ("text/plain", r#"{"email":"ada@example.com"}"#),
        ("multipart/form-data; boundary=x", "--x\r\n"),
        ("application/json;charset=utf-16", "{\u{0}}"),
        ("application/json, application/x-www-form-urlencoded", "email=ada@example.com"),
    ] {
        let answer = post(&app, CREDENTIALS, content_type, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "sign_in_unreadable"), "{body}");
    }
    let zipped = post_from(&app, CREDENTIALS, JSON, "x", &[("content-encoding", "gzip")]).await;
    assert_eq!(zipped.code(), "sign_in_unreadable");
    let padded = format!("x={}&email=ada@example.com", "x".repeat(64 * 1024));
    assert_eq!(post(&app, CREDENTIALS, FORM, padded).await.code(), "body_too_large");
    assert_eq!(upstream.asked(), 0);
}

#[tokio::test]
async fn body_of_an_attempt_reaches_the_upstream_byte_for_byte() {
    let upstream = Upstream::default();
    let app = start(upstream.auth().sign_in_limit_per_account("9/1m").sign_in_limit_per_ip("9/1m")).await;
    for body in ["username=ada&password=a%2Bb+c&x=%ff", "", "&&=&username=%00"] {
        assert_eq!(post(&app, CREDENTIALS, FORM, body).await.status, 200);
        assert_eq!(*upstream.body.lock().unwrap(), body.as_bytes());
    }
    // In pieces, without a length.
    let chunked = "POST /api/auth/callback/credentials HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                   Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                   7\r\n{\"usern\r\nb\r\name\":\"ada\"}\r\n0\r\n\r\n";
    assert!(app.raw(chunked).await.starts_with("HTTP/1.1 200"));
    assert_eq!(*upstream.body.lock().unwrap(), br#"{"username":"ada"}"#);
}

/// Without `per_account` no body is read here, so it may be as large as `upstream.body_limit`, and of any kind.
#[tokio::test]
async fn body_is_not_read_for_the_limit_of_an_address() {
    let upstream = Upstream::default();
    let app = start(upstream.auth().sign_in_limit_per_ip("9/1m")).await;
    let large = vec![0; 500 * 1024];
    assert_eq!(post(&app, CREDENTIALS, "application/octet-stream", large.clone()).await.status, 200);
    assert_eq!(*upstream.body.lock().unwrap(), large);
}

#[tokio::test]
async fn body_that_does_not_come_is_408_and_not_an_outage() {
    let upstream = Upstream::default();
    let builder =
        upstream.auth().sign_in_limit_per_account("9/1m").upstream_timeout(Duration::from_millis(300));
    let app = start(builder).await;
    let head = "POST /api/auth/callback/credentials HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let answer =
        app.raw(format!("{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{")).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_late"), "{answer}");
    assert_eq!(upstream.asked(), 0);
}

/// The link in a mail is a GET. Its code may be short, if the app makes it, so guesses of it count.
#[tokio::test]
async fn codes_of_mails_and_accounts_in_the_query_are_counted() {
    for kind in [UpstreamKind::Authjs, UpstreamKind::NextAuthV4, UpstreamKind::Robo] {
        let upstream = Upstream::default();
        let builder = upstream.auth().upstream_kind(kind).sign_in_limit_per_ip("9/1m");
        let app = start(builder.sign_in_limit_per_account("2/1m")).await;
        let get =
            async |path: &str| Answer::of(loopback_client().get(app.url(path)).send().await.unwrap()).await;
        let of = |query: &str| format!("/api/auth/callback/email?{query}");
        for (query, expected) in [
            ("token=000001&email=ada@example.com", 200),
            ("email=ADA%40example.com&t%6Fken=000002", 200),
            ("token=000003&email=ada@example.com", 429),
            ("token[]=000004&email=ada@example.com", 429),
            ("token=000005&email=bob@example.com", 200),
            ("token=1&email=bob@example.com&email=ada@example.com", 400),
        ] {
            assert_eq!(get(&of(query)).await.status, expected, "{kind} {query}");
        }
        let posted = post(&app, "/callback/email?token=1&email=ada@example.com", FORM, "").await;
        assert_limited(&posted, 60);
        let posted = post(&app, "/callback/credentials?username=ada@example.com", FORM, "password=x").await;
        assert_limited(&posted, 60);
        let asked = upstream.asked();
        // Eight attempts came from this address until now, with those that were refused.
        assert_eq!(get(&of("token=6&email=eve@example.com")).await.status, 200);
        assert_limited(&get(&of("token=7&email=eve@example.com")).await, 60);
        assert_eq!(upstream.asked(), asked + 1);
        // A provider sends its visitors back without a token.
        assert_eq!(get("/api/auth/callback/github?code=x&state=y").await.status, 200);
    }
}

/// Else one request could use up attempts of as many accounts as there are fields.
#[tokio::test]
async fn body_with_more_than_two_accounts_is_refused_and_counts_for_none() {
    let upstream = Upstream::default();
    let app = start(upstream.auth().sign_in_limit_per_account("1/1m")).await;
    for (path, form) in [
        (CREDENTIALS, "email=a@b.c&username=b&login=c"),
        ("/callback/credentials?phone=1", "email=a@b.c&username=b"),
    ] {
        let answer = post(&app, path, FORM, form).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "sign_in_unreadable"), "{form}");
    }
    // One account in several fields, and a registration with two.
    assert_eq!(post(&app, CREDENTIALS, FORM, "email=x&username=X&login=x").await.status, 200);
    assert_eq!(post(&app, CREDENTIALS, FORM, "email=a@b.c&username=b&login=B").await.status, 200);
    assert_eq!(upstream.asked(), 2);
}

/// A refused address does not count against the accounts that it tries. Else one client could use up all attempts.
#[tokio::test]
async fn address_over_its_limit_uses_up_no_attempt_of_an_account() {
    let upstream = Upstream::default();
    let builder = upstream.auth().trusted_proxies(["127.0.0.0/8"]);
    let app = start(builder.sign_in_limit_per_ip("2/1m").sign_in_limit_per_account("4/1m")).await;
    let attempt = async |address: &str| {
        post_from(&app, CREDENTIALS, FORM, "username=ada", &[("x-forwarded-for", address)]).await.status
    };
    for expected in [200, 200, 429, 429, 429, 429] {
        assert_eq!(attempt("203.0.113.1").await, expected);
    }
    for (address, expected) in [("203.0.113.2", 200), ("203.0.113.3", 200), ("203.0.113.4", 429)] {
        assert_eq!(attempt(address).await, expected, "{address}");
    }
}

/// Without the address of the peer, which `into_make_service_with_connect_info` gives.
#[tokio::test]
async fn unknown_address_is_said_once_and_accounts_are_limited_nonetheless() {
    let (log, upstream) = (LogCapture::start(), Upstream::default());
    let builder = upstream.auth().sign_in_limit_per_ip("1/1m").sign_in_limit_per_account("2/1m");
    let router = routes(&builder.build().unwrap());
    let attempt = async |account: &str| {
        let request = Request::post("/api/auth/callback/credentials").header("content-type", FORM);
        let request = request.header("host", "app.test").header("x-forwarded-for", "203.0.113.1");
        let request = request.body(Body::from(format!("username={account}"))).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    for (account, expected) in [("ada", 200), ("ada", 200), ("ada", 429), ("bob", 200)] {
        assert_eq!(attempt(account).await, expected);
    }
    assert_eq!(log.times("`sign_in_limit.per_ip` counts nothing"), 1);
}

#[tokio::test]
async fn other_fields_can_have_the_account() {
    let upstream = Upstream::default();
    let builder = upstream.auth().sign_in_limit_per_account("1/1m").sign_in_limit_account_fields(["kennung"]);
    let app = start(builder).await;
    for (form, expected) in [
        ("kennung=ada&username=1", 200),
        ("kennung=Ada&username=2", 429),
        ("username=1", 200),
        ("username=1", 200),
    ] {
        assert_eq!(post(&app, CREDENTIALS, FORM, form).await.status, expected, "{form}");
    }
}

#[tokio::test]
async fn refused_attempts_have_an_event_and_a_count() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let events = Events::default();
    let builder = Upstream::default().auth().observer(events.observer());
    let builder = builder.sign_in_limit_per_ip("3/1m").sign_in_limit_per_account("1/1m");
    let auth = builder.build().unwrap();
    let app = App::start(routes(&auth)).await;
    for expected in [200, 429, 429, 429] {
        assert_eq!(post(&app, CREDENTIALS, FORM, "username=ada-lovelace").await.status, expected);
    }
    auth.events_delivered().await;
    let of = |by: &str| json!({ "event": "sign_in_limited", "by": by, "client": "127.0.0.1" });
    assert_eq!(events.json(), [of("account"), of("account"), of("address")]);
    assert!(!format!("{:?}", events.all()).contains("ada"));
    let series = "forwarded_requests_total{outcome=\"bad_request\",code=\"sign_in_limited\"} 3";
    assert!(recorder.handle().render().contains(series));
}

#[tokio::test]
async fn instances_count_in_their_store_and_each_alone_without_it() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let builder = || upstream.auth().sign_in_limit_per_account("4/1m").session_store(store.clone());
    let apps = [start(builder()).await, start(builder()).await];
    let attempt = async |app: &App| post(app, CREDENTIALS, FORM, "username=ada").await.status;
    for _ in 0..2 {
        for app in &apps {
            assert_eq!(attempt(app).await, 200);
        }
    }
    for app in &apps {
        assert_eq!(attempt(app).await, 429);
    }
    assert_eq!(store.counters(), 1);
    store.go_down();
    // Each has counted three. It allows one more, and no more than that: an outage of the store is no way around the limit.
    for app in &apps {
        assert_eq!([attempt(app).await, attempt(app).await, attempt(app).await], [200, 429, 429]);
    }
    store.come_back();
    assert_eq!(attempt(&apps[0]).await, 429);
}

/// A store may be restarted, or drop what it has no room for.
#[tokio::test]
async fn counter_that_the_store_lost_gives_no_attempts_back() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let builder = upstream.auth().sign_in_limit_per_account("3/1m").session_store(store.clone());
    let app = start(builder).await;
    for expected in [200, 200, 200, 429, 429] {
        assert_eq!(post(&app, CREDENTIALS, FORM, "username=ada").await.status, expected);
        store.forget_counters();
    }
}

/// Anybody can make attempts, so a full memory of Redis must not cost more than the common count.
#[tokio::test]
async fn full_memory_of_redis_is_no_loss_of_the_store_and_no_way_around_the_limit() {
    let (log, redis, events) = (LogCapture::start(), Server::start(), Events::default());
    let builder = Upstream::default().auth().session_store_url(redis.url()).observer(events.observer());
    let auth = builder.sign_in_limit_per_account("3/1m").build().unwrap();
    let app = App::start(routes(&auth)).await;
    let attempt =
        async |account: &str| post(&app, CREDENTIALS, FORM, format!("username={account}")).await.status;
    let began = std::time::Instant::now();
    while !redis.ask("KEYS auth-proxy:c:*").contains(":c:") {
        assert!(began.elapsed() < Duration::from_secs(10));
        attempt("warm-up").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    auth.events_delivered().await;
    let before = events.names().iter().filter(|name| name.starts_with("store")).count();
    redis.run("CONFIG SET maxmemory 1");
    for expected in [200, 200, 200, 429, 429] {
        assert_eq!(attempt("ada").await, expected);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    auth.events_delivered().await;
    let after = events.names().iter().filter(|name| name.starts_with("store")).count();
    assert_eq!(after, before, "{:?}", events.names());
    assert_eq!(log.times("Redis refuses to count attempts to sign in"), 1);
}

/// Two instances on a real Redis, with `session.store` in the configuration and nothing else to store.
#[tokio::test]
async fn instances_count_together_in_redis() {
    let (upstream, redis) = (Upstream::default(), Server::start());
    let builder = || {
        let builder = upstream.auth().session_store_url(redis.url()).trusted_proxies(["127.0.0.0/8"]);
        builder.sign_in_limit_per_ip("50/1m").sign_in_limit_per_account("6/1m")
    };
    let apps = [start(builder()).await, start(builder()).await];
    // Until the stores are connected, each instance counts alone.
    let connected = async || {
        for app in &apps {
            post(app, CREDENTIALS, FORM, "username=warm-up").await;
        }
        redis.ask("KEYS auth-proxy:c:*").matches(":c:").count() >= 2
    };
    let began = std::time::Instant::now();
    while !connected().await {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut statuses = Vec::new();
    for number in 0..10 {
        let address = format!("203.0.113.{number}");
        let form = "username=Ada";
        let answer =
            post_from(&apps[number % 2], CREDENTIALS, FORM, form, &[("x-forwarded-for", &address)]).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [vec![200; 6], vec![429; 4]].concat());
    // The keys tell nothing about the account.
    let keys = redis.ask("KEYS *").to_lowercase();
    assert!(!keys.contains("ada") && !keys.contains("203.0"), "{keys}");
}

auth_proxy! {
    struct Declared {
        upstream: { base_url: "http://auth.internal" },
        sign_in_limit: { per_ip: "20/1m", per_account: env("PER_ACCOUNT", optional), account_fields: [email, "kennung"] },
    }
}

#[test]
fn limits_are_declared_and_checked_at_start() {
    let build = |value: Option<&str>| {
        let vars = value.map(|value| ("PER_ACCOUNT", value));
        Declared::builder().vars(vars).build().err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(build(None), "");
    assert_eq!(build(Some("10/5m")), "");
    for bad in ["10", "10/5", "0/5m", "10/5min", "ten/5m", "10/25h"] {
        let message = build(Some(bad));
        assert!(message.contains("PER_ACCOUNT (sign_in_limit.per_account)"), "{bad}: {message}");
    }
    assert!(build(Some("10")).contains("such as `20/1m`"), "{}", build(Some("10")));
    let generic = Auth::builder().upstream_kind(UpstreamKind::Generic).sign_in_limit_per_ip("1/1m");
    let message = generic.build().err().unwrap().to_string();
    assert!(message.contains("has no sign-in to limit"), "{message}");
}

//! Better Auth: answers that come after a sign-out, and what a shared cache, a forged header or a log gets to see.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::errors::BoxError;
use auth_proxy::fetch::{Fetch, Reqwest};
use auth_proxy::options::{Builder, TokenFormat, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy::{RawToken, Session, Token};
use auth_proxy_tests::{App, Browser, watch};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{self, Auth};

struct Stage {
    upstream: FakeUpstream,
    _app: App,
    browser: Browser,
}

async fn debug(session: Session<Auth>, token: Token<Auth>, raw: RawToken<Auth>) -> String {
    format!("{session:?} {token:?} {raw:?}")
}

impl Stage {
    async fn start(has_secret: bool) -> Self {
        Self::start_with(has_secret, |builder| builder).await
    }

    async fn start_with(has_secret: bool, options: impl FnOnce(Builder<Auth>) -> Builder<Auth>) -> Self {
        watch::start();
        let upstream = FakeUpstream::builder()
            .better_auth()
            .cookie_cache(TokenFormat::Compact, Duration::from_secs(300))
            .trusted_origins(["http://*"])
            .start()
            .await
            .unwrap();
        let mut builder =
            Auth::builder().upstream_kind(UpstreamKind::BetterAuth).upstream_base_url(upstream.url());
        if has_secret {
            builder = builder.upstream_secret([upstream.secret()]);
        }
        let auth = options(builder).build().unwrap();
        watch::look(format!("{auth:?}").as_bytes());
        let debug = Router::new().route("/debug", get(debug)).with_state(auth.clone());
        let app = App::start(support::routes(&auth).merge(debug)).await;
        Self { browser: Browser::of(&app), upstream, _app: app }
    }

    async fn ask(&self, path: &str, cookie: &str) -> auth_proxy_tests::Answer {
        self.browser.get_with(path, &[("cookie", cookie)]).await
    }
}

fn ada() -> serde_json::Value {
    json!({ "sub": "1", "name": "Ada", "email": "ada@example.com" })
}

/// A client that holds the response to the first lookup until the test opens the gate.
#[derive(Clone)]
struct Holding {
    client: Reqwest,
    first: Arc<AtomicBool>,
    held: Arc<Semaphore>,
    gate: Arc<Semaphore>,
}

impl Fetch for Holding {
    async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let is_held = request.uri().path().ends_with("/get-session") && self.first.swap(false, SeqCst);
        let response = self.client.fetch(request).await;
        if is_held {
            self.held.add_permits(1);
            self.gate.acquire().await?.forget();
        }
        response
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lookup_answered_after_a_sign_out_is_not_used_and_sets_no_cookie() {
    for has_secret in [false, true] {
        for path in ["/session", "/session/optional", "/protected", "/api/auth/get-session"] {
            let holding = Holding {
                client: Reqwest::new(auth_proxy_tests::loopback_client()),
                first: Arc::new(AtomicBool::new(true)),
                held: Arc::new(Semaphore::new(0)),
                gate: Arc::new(Semaphore::new(0)),
            };
            let stage = Stage::start_with(has_secret, |builder| {
                builder.session_cache(Duration::from_secs(60)).upstream_fetch(holding.clone())
            })
            .await;
            let visitor = stage.upstream.visitor(&ada());
            let (with_data, without) = (visitor.cookie(), visitor.clone().without_session_data().cookie());
            let late = {
                let (browser, cookie) = (stage.browser.clone(), without.clone());
                tokio::spawn(async move { browser.get_with(path, &[("cookie", &cookie)]).await })
            };
            holding.held.acquire().await.unwrap().forget();
            let origin = stage.browser.origin().to_owned();
            // The browser has got a cookie cache meanwhile, so the sign-out carries other cookies than the lookup.
            let headers = [("cookie", &*with_data), ("origin", &*origin)];
            let answer = stage.browser.post_json_with("/api/auth/sign-out", &json!({}), &headers).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            holding.gate.add_permits(1);
            let late = late.await.unwrap();
            assert_eq!(late.cookies(), Vec::<&str>::new(), "{has_secret} {path}: {late:?}");
            // The same request of a visitor who did not sign out gets the cookie cache.
            let other = stage.upstream.visitor(&ada()).without_session_data().cookie();
            assert_eq!(stage.ask(path, &other).await.cookies().len(), 1, "{has_secret} {path}");
            for cookie in [&without, &format!("{without}; better-auth.session_data=abcd")] {
                assert_eq!(stage.ask("/session", cookie).await.status, 401, "{has_secret} {path}");
                assert_eq!(stage.ask("/protected", cookie).await.status, 401, "{has_secret} {path}");
            }
        }
    }
}

/// The session is in memory under each cookie cache that came with it. A sign-out with any of them ends all.
#[tokio::test]
async fn sign_out_ends_the_session_under_every_cookie_cache() {
    let stage = Stage::start_with(false, |builder| builder.session_cache(Duration::from_secs(60))).await;
    let visitor = stage.upstream.visitor(&ada());
    let without = visitor.clone().without_session_data().cookie();
    let cookies = [
        without.clone(),
        format!("{without}; better-auth.dont_remember=x"),
        visitor.clone().with_expired_session_data().cookie(),
    ];
    for cookie in &cookies {
        assert_eq!(stage.ask("/session", cookie).await.status, 200);
    }
    let origin = stage.browser.origin().to_owned();
    let headers = [("cookie", &*cookies[1]), ("origin", &*origin)];
    assert_eq!(stage.browser.post_json_with("/api/auth/sign-out", &json!({}), &headers).await.status, 200);
    for cookie in &cookies {
        assert_eq!(stage.ask("/session", cookie).await.status, 401);
    }
}

#[tokio::test]
async fn shared_caches_get_no_answer_with_data_of_a_visitor() {
    for has_secret in [false, true] {
        let stage = Stage::start(has_secret).await;
        let cookie = stage.upstream.visitor(&ada()).cookie();
        for path in [
            "/session",
            "/session/optional",
            "/protected",
            "/token",
            "/group/a",
            "/api/auth/get-session",
            "/api/auth/list-sessions",
            "/api/auth/token",
            "/api/auth/account-info",
            "/api/auth/error",
            "/api/auth/unknown",
        ] {
            for cookie in [&*cookie, ""] {
                let answer = stage.ask(path, cookie).await;
                let control = answer.header("cache-control").to_ascii_lowercase();
                assert!(control.contains("private") || control.contains("no-store"), "{path}: {answer:?}");
                let vary = answer.header("vary").to_ascii_lowercase();
                assert!(vary.contains("cookie") || control.contains("no-store"), "{path}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn forged_headers_of_proxies_decide_nothing() {
    let stage = Stage::start(true).await;
    let cookie = stage.upstream.visitor(&ada()).cookie();
    let secure = cookie.replace("better-auth.", "__Secure-better-auth.");
    let forged = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=6.6.6.6;proto=https;host=evil.example"),
        ("x-real-ip", "6.6.6.6"),
    ];
    for cookie in [&cookie, &secure] {
        for path in ["/session", "/api/auth/list-sessions"] {
            stage.upstream.forget_seen();
            let mut headers = forged.to_vec();
            headers.push(("cookie", cookie));
            let answer = stage.browser.get_with(path, &headers).await;
            let plain = stage.ask(path, cookie).await;
            assert_eq!((plain.status, &plain.body), (answer.status, &answer.body), "{path}");
            let seen = format!("{:?}", stage.upstream.seen());
            assert!(!seen.contains("6.6.6.6") && !seen.contains("evil.example"), "{path}: {seen}");
        }
    }
}

/// The log watch searches the logs of all tests for the cookies that were sent.
#[tokio::test]
async fn debug_output_and_errors_have_no_token() {
    for has_secret in [false, true] {
        let stage = Stage::start(has_secret).await;
        let visitor = stage.upstream.visitor(&ada());
        let cookie = visitor.cookie();
        let secrets = cookie.split("; ").map(|pair| pair.split_once('=').unwrap().1.to_owned());
        let scanner = auth_proxy_tests::scanner::Scanner::default();
        secrets.for_each(|secret| scanner.add(secret.as_bytes()));
        scanner.add(stage.upstream.secret().as_bytes());
        let tampered = visitor.clone().with_tampered_token().cookie();
        let damaged = visitor.clone().with_tampered_session_data().cookie();
        for cookie in [&cookie, &tampered, &damaged] {
            for path in ["/debug", "/session", "/token", "/protected", "/admin"] {
                for fault in [None, Some(Fault::Html), Some(Fault::InternalError), Some(Fault::Garbage)] {
                    stage.upstream.set_fault(fault).await.unwrap();
                    let answer = stage.ask(path, cookie).await;
                    assert_eq!(
                        scanner.find(answer.body.as_bytes()),
                        None,
                        "{path} {fault:?}: {}",
                        answer.body
                    );
                }
            }
        }
    }
}

/// Spellings of a session cookie that Better Auth reads, and those that it does not.
#[tokio::test]
async fn signature_check_reads_a_cookie_as_the_server_does() {
    for has_secret in [false, true] {
        let stage = Stage::start(has_secret).await;
        let cookie = stage.upstream.visitor(&ada()).without_session_data().cookie();
        let (name, encoded) = cookie.split_once('=').unwrap();
        let raw = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap().into_owned();
        let twice = encoded.replace('%', "%25");
        let lower = encoded.replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d");
        let every: String = raw.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for good in [encoded, &raw, &lower, &every, &format!(" {encoded} ")] {
            let status = stage.ask("/session", &format!("{name}={good}")).await.status;
            assert_eq!(status, 200, "{has_secret}: {good}");
        }
        for bad in [
            &*twice,
            &raw.replace('=', ""),
            &format!("{raw}="),
            &raw.replace('.', "%2E%2E"),
            &format!("{encoded}%"),
            ".",
        ] {
            let status = stage.ask("/session", &format!("{name}={bad}")).await.status;
            assert_eq!(status, 401, "{has_secret}: {bad}");
        }
        // Of two cookies of one name the first counts, also in two lines.
        let two = format!("{name}={encoded}; {name}=eve.bad");
        assert_eq!(stage.ask("/session", &two).await.status, 200);
        let two = format!("{name}=eve.bad; {name}={encoded}");
        assert_eq!(stage.ask("/session", &two).await.status, 401);
        let lines = [("cookie", "a=b"), ("cookie", &*cookie)];
        assert_eq!(stage.browser.get_with("/session", &lines).await.status, 200);
    }
}

/// The server's configuration decides whether its cookies have a prefix, and no request shows it. So `kind` alone leaves
/// two names, and a cookie without the prefix can be set by a page over http. `cookie_name` leaves one.
#[tokio::test]
async fn cookie_name_with_the_prefix_leaves_one_name() {
    let upstream = FakeUpstream::builder()
        .better_auth()
        .cookie_name("__Secure-better-auth.session_token")
        .cookie_cache(TokenFormat::Compact, Duration::from_secs(300))
        .start()
        .await
        .unwrap();
    let own = upstream.visitor(&ada()).cookie();
    let tossed = own.replace("__Secure-", "");
    assert_ne!(own, tossed);
    let builder = || {
        Auth::builder()
            .upstream_kind(UpstreamKind::BetterAuth)
            .upstream_base_url(upstream.url())
            .upstream_secret([upstream.secret()])
            .public_url("https://app.example.com")
    };
    let named = builder().upstream_cookie_name("__Secure-better-auth.session_token");
    for (builder, expected) in [(builder(), 200), (named, 401)] {
        let (_app, browser) = support::app_of(builder).await;
        assert_eq!(browser.get_with("/session", &[("cookie", &tossed)]).await.status, expected);
        assert_eq!(browser.get_with("/session", &[("cookie", &own)]).await.status, 200);
    }
}

//! Secrets of a request never appear in an error: neither in the error response nor in the causes, which apps log. The
//! log watch also checks the logs of these tests.

use std::error::Error;
use std::time::Duration;

use auth_proxy::{auth_proxy, fetch::Reqwest, options::Builder};
use auth_proxy_tests::scanner::Scanner;
use auth_proxy_tests::{App, Browser, loopback_client, watch};
use http::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Auth, routes};

const CODE: &str = "one-time-code-0123456789";
const STATE: &str = "state-of-a-sign-in-0123456789";
const PASSWORD: &str = "correct horse battery staple";
const COOKIE: &str = "opaque-token-of-a-session-0123456789";
const BEARER: &str = "opaque-token-of-a-program-0123456789";
const API_KEY: &str = "key-of-this-app-0123456789";
const AUTH_SECRET: &str = "a secret that is long enough, and no other";
const SECRETS: [&str; 7] = [CODE, STATE, PASSWORD, COOKIE, BEARER, API_KEY, AUTH_SECRET];

fn scanner() -> Scanner {
    let scanner = Scanner::default();
    for secret in SECRETS {
        watch::secret(secret);
        scanner.add(secret.as_bytes());
    }
    scanner
}

/// The `Display` and `Debug` texts of an error and of all its causes.
fn texts_of(error: &dyn Error) -> String {
    let text = format!("{error}\n{error:?}\n{error:#?}\n");
    text + &error.source().map(texts_of).unwrap_or_default()
}

/// An upstream that answers every connection with these bytes and closes it.
async fn responding(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if stream.read(&mut [0; 4096]).await.is_ok() {
                stream.write_all(answer).await.ok();
            }
        }
    });
    url
}

/// Upstreams that fail in different ways. Each has a description and an address.
async fn failures() -> Vec<(&'static str, String)> {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    // The listener stays open but accepts nothing.
    std::mem::forget(silent);
    let plain = responding(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull").await;
    vec![
        ("refused", "http://127.0.0.1:9".to_owned()),
        ("no such host", "http://nowhere.invalid.internal".to_owned()),
        ("hangs", silent_url),
        ("no TLS", plain.replace("http://", "https://")),
        ("closes", responding(b"").await),
        ("no HTTP", responding(b"220 mail.example.com ESMTP\r\n").await),
        ("breaks off", responding(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"user\"").await),
        ("500", responding(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n").await),
        ("a bad header", responding(b"HTTP/1.1 200 OK\r\nX-\x01: 1\r\n\r\n").await),
        ("no JSON", responding(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{null").await),
        ("no session", responding(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"user\":\"abc\"}").await),
        (
            "switches",
            responding(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
                .await,
        ),
        ("ambiguous session", plain),
    ]
}

fn builder(url: &str) -> Builder<Auth> {
    let builder = Auth::builder().upstream_base_url(url).upstream_headers([("x-api-key", API_KEY)]);
    builder.upstream_timeout(Duration::from_millis(500)).upstream_connect_timeout(Duration::from_millis(400))
}

#[tokio::test]
async fn upstream_failures_reveal_no_secret() {
    let scanner = scanner();
    let assert_no_secret = |failure: &str, text: &str| {
        assert_eq!(scanner.find(text.as_bytes()), None, "{failure}: {text}");
    };
    for (failure, url) in failures().await {
        for by_reqwest in [false, true] {
            let builder = builder(&url);
            let builder = builder.upstream_session_strategy(auth_proxy::options::SessionStrategy::Database);
            let builder =
                if by_reqwest { builder.upstream_fetch(Reqwest::new(loopback_client())) } else { builder };
            let auth = builder.build().unwrap();
            assert_no_secret(failure, &format!("{auth:?} {:?}", auth.config()));
            let app = App::start(routes(&auth)).await;
            let browser = Browser::of(&app);

            let callback = format!("/api/auth/callback/github?code={CODE}&state={STATE}");
            let form = [("username", "demo"), ("password", PASSWORD), ("csrfToken", STATE)];
            let cookie = format!("authjs.session-token={COOKIE}");
            let bearer = format!("Bearer {BEARER}");
            assert_no_secret(failure, &app.raw_get(&callback, "").await.1);
            // The client cannot read a response that is cut off.
            if failure != "breaks off" {
                let answer = browser.post("/api/auth/callback/credentials", &form).await;
                assert_no_secret(failure, &format!("{answer:?}"));
            }
            for answer in [
                browser.get_with("/session", &[("cookie", &cookie)]).await,
                browser.get_with("/protected", &[("cookie", &cookie), ("accept", "text/html")]).await,
                browser.get_with("/session", &[("authorization", &bearer)]).await,
            ] {
                assert_no_secret(failure, &format!("{answer:?}"));
            }

            for (name, value) in [("cookie", &cookie), ("authorization", &bearer)] {
                let headers: HeaderMap =
                    [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
                let error = auth.session(&headers).await.unwrap_err();
                assert!(error.is_unavailable(), "{failure}: {error:?}");
                assert_no_secret(failure, &texts_of(&error));
            }
        }
    }
}

/// Errors for invalid tokens and malformed headers contain no secret.
#[tokio::test]
async fn invalid_token_errors_reveal_no_secret() {
    let scanner = scanner();
    let auth = builder("http://127.0.0.1:9").upstream_secret([AUTH_SECRET]).build().unwrap();
    let debug = format!("{auth:?} {:?} {:?}", auth.require_any_session(), auth.cross_origin_protection());
    assert_eq!(scanner.find(debug.as_bytes()), None, "{debug}");
    for (name, value) in [
        ("cookie", format!("authjs.session-token={COOKIE}")),
        ("cookie", format!("authjs.session-token={COOKIE}.{COOKIE}..{COOKIE}.x")),
        ("cookie", format!("authjs.session-token={}", COOKIE.repeat(2000))),
        ("authorization", format!("Bearer {BEARER} {BEARER}")),
        ("authorization", format!("Bearer {BEARER}%zz")),
        ("authorization", format!("Bearer {BEARER}")),
    ] {
        let headers: HeaderMap = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
        let errors = [
            auth.token(&headers).await.unwrap_err(),
            auth.session(&headers).await.map_or_else(|e| e, |_| panic!("{value}")),
        ];
        for error in errors {
            let text = texts_of(&error);
            assert_eq!(scanner.find(text.as_bytes()), None, "{value}: {text}");
        }
    }
}

auth_proxy! {
    struct AuthFromEnv {
        upstream: {
            base_url: env("URL"),
            headers: { "x-api-key": env("KEY") },
            secret: [env("SECRET"), env("OLDER", optional)],
            token: env("TOKEN", optional),
            session_strategy: env("STRATEGY", optional),
        },
    }
}

/// Each case puts a secret into the wrong environment variable.
#[test]
fn config_errors_reveal_no_secret() {
    let scanner = scanner();
    let broken = format!("{API_KEY}\n{API_KEY}");
    let private = format!("-----BEGIN PRIVATE KEY-----\n{AUTH_SECRET}\n-----END PRIVATE KEY-----");
    let public = format!("-----BEGIN PUBLIC KEY-----\n{AUTH_SECRET}\n-----END PUBLIC KEY-----");
    let good = [("URL", "http://auth.internal"), ("KEY", API_KEY), ("SECRET", AUTH_SECRET)];
    for wrong in [
        &[("URL", AUTH_SECRET)][..],
        &[("URL", "https://user:correct horse battery staple@auth.internal")],
        &[("KEY", &broken)],
        &[("SECRET", &private)],
        &[("SECRET", &public)],
        &[("SECRET", &public), ("TOKEN", "es256")],
        &[("TOKEN", "es256")],
        &[("TOKEN", AUTH_SECRET)],
        &[("STRATEGY", "database")],
        &[("STRATEGY", AUTH_SECRET)],
        &[("OLDER", &private), ("KEY", &broken)],
    ] {
        let vars = good.iter().chain(wrong).copied().collect::<std::collections::HashMap<_, _>>();
        let error = AuthFromEnv::builder().vars(vars).build().map(drop).unwrap_err();
        let text = texts_of(&error) + &format!("{:?}", error.problems());
        assert_eq!(scanner.find(text.as_bytes()), None, "{wrong:?}: {text}");
    }
}

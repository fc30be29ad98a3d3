//! Logs of the library: one warning for each misconfiguration, with the fix; events of lookups and outages; no secrets.

use auth_proxy::options::UpstreamKind;
use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy_tests::{App, Browser, LogCapture};
use axum::response::IntoResponse;
use http::header::SET_COOKIE;
use serde_json::json;

use crate::support::{Auth, app, app_of, decoding_app, upstream};

const COOKIE: &str = "authjs.session-token";

#[tokio::test]
async fn logs_contain_no_secret_at_any_level() {
    let log = LogCapture::start();
    let upstream = upstream().await;
    let mut secrets = vec![upstream.secret().to_owned(), "k3y".to_owned()];
    for (_app, browser) in [app(&upstream).await, decoding_app(&upstream).await] {
        let signed_in = browser.sign_in("demo", "demo").await;
        let cookie = signed_in.cookies()[0].split(['=', ';']).nth(1).unwrap().to_owned();
        for path in ["/session", "/token", "/token/raw", "/protected", "/admin", "/everything"] {
            browser.get(path).await;
        }
        let expired = mint(&json!({ "sub": "1", "exp": 1 }), upstream.secret(), COOKIE);
        browser.get_with("/session", &[("cookie", &format!("{COOKIE}={expired}"))]).await;
        browser.get_with("/token", &[("authorization", "Bearer hunter2.hunter2")]).await;
        browser.sign_out().await;
        secrets.extend([cookie, expired, "hunter2".to_owned()]);
    }
    let text = log.text();
    assert!(text.contains("auth proxy ready") && text.contains("request refused"), "{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn short_secret_logs_a_warning() {
    let log = LogCapture::start();
    Auth::builder().upstream_base_url("http://auth").upstream_secret(["hunter2"]).build().unwrap();
    assert_eq!(log.times("the secret is shorter than 32 bytes"), 1);
    assert!(!log.text().contains("hunter2"));
}

#[tokio::test]
async fn suspicious_value_logs_a_warning_without_the_value() {
    let log = LogCapture::start();
    Auth::builder().upstream_base_url("http://auth").public_url("http://app.example.com").build().unwrap();
    assert_eq!(log.times("anyone between a visitor and this app can read the session cookies"), 1);
    assert!(log.text().contains("public_url") && !log.text().contains("app.example.com"), "{}", log.text());

    let log = LogCapture::start();
    Auth::builder().upstream_base_url("http://auth").public_url("https://app.example.com").build().unwrap();
    assert_eq!(log.times("WARN"), 0, "{}", log.text());
}

#[tokio::test]
async fn password_of_a_store_at_a_public_host_logs_a_warning_without_the_address() {
    for (url, times) in [
        ("redis://:hunter2@cache.example.com:6379", 1),
        ("redis+sentinel://:hunter2@a.internal:1,b.example.com:2/main", 1),
        ("rediss://:hunter2@cache.example.com", 0),
        ("redis://:hunter2@cache.internal:6379", 0),
        ("redis://cache.example.com:6379", 0),
    ] {
        let log = LogCapture::start();
        let builder = Auth::builder().upstream_base_url("http://auth").session_store_url(url);
        builder.session_cache(std::time::Duration::from_secs(30)).build().unwrap();
        assert_eq!(log.times("can read the password of the store"), times, "{url}: {}", log.text());
        assert!(!log.text().contains("hunter2") && !log.text().contains("example.com"), "{}", log.text());
    }
}

/// The compiler warns of a value in the declaration, where `expect(deprecated)` silences it.
#[tokio::test]
async fn suspicious_value_in_the_declaration_is_not_logged() {
    #[expect(deprecated, reason = "plain http is meant")]
    mod declared {
        auth_proxy::auth_proxy! {
            pub(super) struct Declared {
                public_url: "http://app.example.com",
                upstream: { base_url: env("URL"), allow_http: true },
            }
        }
    }
    let build = |url: Option<&str>| {
        let log = LogCapture::start();
        let builder = declared::Declared::builder().vars([("URL", "http://auth")]);
        url.into_iter().fold(builder, |builder, url| builder.public_url(url)).build().unwrap();
        log.times("WARN")
    };
    assert_eq!(build(None), 0);
    assert_eq!(build(Some("http://other.example.com")), 1);
}

#[tokio::test]
async fn session_cookie_under_another_name_warns_once() {
    let log = LogCapture::start();
    let upstream = upstream().await;
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_kind(UpstreamKind::Robo)).await;
    for _ in 0..3 {
        let answer = browser
            .get_with("/session", &[("cookie", "__Secure-authjs.session-token=aaaa..bbbb.cccc.dddd")])
            .await;
        assert_eq!(answer.code(), "session_absent");
    }
    assert_eq!(
        log.times("a request carries the session cookie under another name: remove `upstream.kind`"),
        1,
        "{}",
        log.text()
    );
}

/// A `cookiePrefix` at the server, or a name of its own.
#[tokio::test]
async fn upstream_that_sets_an_unread_session_cookie_is_named_once() {
    const LINE: &str = "the upstream sets a session cookie under a name that is not read here";
    for (kind, set, warns) in [
        (UpstreamKind::BetterAuth, "__Secure-shop.session_token=t.s; Path=/; Secure", true),
        (UpstreamKind::BetterAuth, "better-auth.session_token=t.s; Path=/", false),
        (UpstreamKind::BetterAuth, "shop.session_token=; Path=/; Max-Age=0", false),
        (UpstreamKind::BetterAuth, "better-auth.session_token_multi-t=t.s; Path=/", false),
        (UpstreamKind::Authjs, "shop.session-token=t; Path=/", true),
        (UpstreamKind::Authjs, "authjs.session-token.0=t; Path=/", false),
        (UpstreamKind::Authjs, "authjs.csrf-token=t; Path=/", false),
    ] {
        let log = LogCapture::start();
        let answer = move || async move { [(SET_COOKIE, set)] };
        let upstream = App::start(axum::Router::new().fallback(answer)).await;
        let builder = Auth::builder().upstream_base_url(upstream.url("")).upstream_kind(kind);
        let (_app, browser) = app_of(builder).await;
        for _ in 0..3 {
            browser.post("/api/auth/sign-in/email", &[]).await;
        }
        assert_eq!(log.times(LINE), usize::from(warns), "{set}: {}", log.text());
        if warns {
            let name = set.split('=').next().unwrap();
            assert!(log.text().contains(&format!("other=\"{name}\"")), "{}", log.text());
        }
    }
}

#[tokio::test]
async fn ready_line_names_the_cookie_cache_that_is_read() {
    let log = LogCapture::start();
    let builder = || Auth::builder().upstream_base_url("http://auth").upstream_kind(UpstreamKind::BetterAuth);
    builder().build().unwrap();
    assert!(!log.text().contains("cookie_cache="), "{}", log.text());
    builder().upstream_secret(["a secret of more than 32 bytes, for tests"]).build().unwrap();
    assert_eq!(log.times("cookie_cache=compact"), 1, "{}", log.text());
}

#[tokio::test]
async fn unknown_token_key_warns_once() {
    let log = LogCapture::start();
    let upstream = upstream().await;
    let other = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret(["another secret, which is long enough"]);
    let (_app, browser) = app_of(other).await;
    browser.sign_in("demo", "demo").await;
    for _ in 0..3 {
        assert_eq!(browser.get("/protected").await.code(), "token_unknown_key");
    }
    assert_eq!(log.times("a token names a key that no configured secret gives"), 1, "{}", log.text());
}

#[tokio::test]
async fn ambiguous_session_warns_once() {
    let log = LogCapture::start();
    let ambiguous: axum::Router = axum::Router::new().fallback(|| async { "null".into_response() });
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url("http://auth").upstream_fetch(ambiguous)).await;
    for _ in 0..3 {
        let answer =
            browser.get_with("/session", &[("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")]).await;
        assert_eq!(answer.code(), "upstream_ambiguous_session");
    }
    assert_eq!(log.times("neither cleared nor renewed it: its database is in trouble"), 1, "{}", log.text());
}

#[tokio::test]
async fn log_shows_upstream_address_and_cause_of_a_failure_in_plain_text() {
    let log = LogCapture::start();
    let port = auth_proxy_tests::free_port();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(format!("http://127.0.0.1:{port}/tenant"))).await;
    let cookie = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")];
    assert_eq!(browser.get_with("/session", &cookie).await.code(), "upstream_unreachable");
    let text = log.text();
    assert!(text.contains(&format!("upstream=\"http://127.0.0.1:{port}/tenant/api/auth\"")), "{text}");
    for event in ["session lookup failed", "request refused"] {
        let line = text.lines().find(|line| line.contains(event)).unwrap();
        assert!(line.contains("cause=") && line.contains("Connection refused"), "{line}");
        assert!(!line.contains("ConnectError("), "{line}");
    }
}

#[tokio::test]
async fn unknown_host_warns_once() {
    let log = LogCapture::start();
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    for _ in 0..3 {
        let answer = browser.get_with("/api/auth/csrf", &[("host", "app.example.com")]).await;
        assert_eq!(answer.code(), "host_unknown");
    }
    assert_eq!(log.times("Set `public_url` to this app's origin"), 1, "{}", log.text());
}

/// The provider would redirect visitors to the auth host. The sign-in fails there, since its cookies are at the app.
#[tokio::test]
async fn callback_url_at_the_upstream_host_warns_once() {
    let log = LogCapture::start();
    let to_provider: axum::Router = axum::Router::new().fallback(|| async {
        let callback = "https%3A%2F%2Fauth.example.com%2Fapi%2Fauth%2Fcallback%2Fgithub";
        let location = format!("https://idp.example/authorize?redirect_uri={callback}");
        (http::StatusCode::FOUND, [("location", location), ("set-cookie", "authjs.state=x".to_owned())])
    });
    let builder = Auth::builder().upstream_base_url("https://auth.example.com").upstream_fetch(to_provider);
    let (_app, browser) = app_of(builder).await;
    for _ in 0..3 {
        let answer = browser.post("/api/auth/signin/github", &[]).await;
        assert!(answer.header("location").starts_with("https://idp.example/"), "{answer:?}");
    }
    assert_eq!(log.times("will send visitors back to the upstream's own host"), 1, "{}", log.text());
}

#[tokio::test]
async fn lookup_without_the_session_cookie_layer_warns_once() {
    let log = LogCapture::start();
    let upstream = FakeUpstream::start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let token = mint(&json!({ "sub": "1" }), upstream.secret(), COOKIE);
    let cookie = format!("{COOKIE}={token}");
    // A call with headers has no response that could carry the cookies, so there is nothing to warn about.
    let headers = [(http::header::COOKIE, cookie.parse().unwrap())].into_iter().collect();
    auth.session(&headers).await.unwrap().unwrap();
    assert_eq!(log.times("the cookies do not reach the browser"), 0, "{}", log.text());
    let route = axum::routing::get(|session: auth_proxy::Session<Auth>| async { axum::Json(session) });
    let bare = App::start(axum::Router::new().route("/session", route).with_state(auth)).await;
    for _ in 0..3 {
        assert_eq!(Browser::of(&bare).get_with("/session", &[("cookie", &cookie)]).await.status, 200);
    }
    assert_eq!(log.times("the cookies do not reach the browser"), 1, "{}", log.text());
    // With the session cookie layer there is no warning.
    drop(log);
    let log = LogCapture::start();
    let (_app, browser) = app(&upstream).await;
    browser.get_with("/session", &[("cookie", &cookie)]).await;
    assert_eq!(log.times("the cookies do not reach the browser"), 0);
}

/// A stream asks for its session again and again, and its response was sent long ago.
#[tokio::test]
async fn recheck_of_a_stream_does_not_warn_of_cookies() {
    let log = LogCapture::start();
    let upstream = FakeUpstream::start().await.unwrap();
    let ended = |session: auth_proxy::Session<Auth>| async move {
        tokio::spawn(async move { session.ended().await });
        axum::Json("open")
    };
    let auth =
        Auth::builder().upstream_base_url(upstream.url()).session_recheck(std::time::Duration::from_secs(1));
    let auth = auth.build().unwrap();
    let app = auth.attach(axum::Router::new().route("/stream", axum::routing::get(ended)));
    let app = App::start(app.with_state(auth)).await;
    let cookie = format!("{COOKIE}={}", mint(&json!({ "sub": "1" }), upstream.secret(), COOKIE));
    assert_eq!(Browser::of(&app).get_with("/stream", &[("cookie", &cookie)]).await.status, 200);
    let lookups = "session looked up outcome=\"present\"";
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while log.times(lookups) < 3 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("the stream looks its session up again");
    assert_eq!(log.times("the cookies do not reach the browser"), 0, "{}", log.text());
}

/// Each lookup logs one event.
#[tokio::test]
async fn every_lookup_logs_one_event_with_outcome_source_and_duration() {
    let log = LogCapture::start();
    let upstream = upstream().await;
    let builder =
        Auth::builder().upstream_base_url(upstream.url()).session_cache(std::time::Duration::from_secs(60));
    let (_app, browser) = app_of(builder).await;
    browser.sign_in("demo", "demo").await;
    for _ in 0..2 {
        assert_eq!(browser.get("/session").await.status, 200);
    }
    browser.get_with("/session", &[("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")]).await;
    for (outcome, source) in [("present", "upstream"), ("present", "memory"), ("invalid", "upstream")] {
        let event = format!("session looked up outcome=\"{outcome}\" code=\"\" source=\"{source}\" took=");
        assert_eq!(log.times(&event), 1, "{event} in {}", log.text());
    }
}

/// An outage is logged at its start, and at its end with the number of failures. Single failures log no warning.
#[tokio::test]
async fn start_and_end_of_an_outage_are_each_logged_once() {
    let log = LogCapture::start();
    let port = auth_proxy_tests::free_port();
    let builder = Auth::builder().upstream_base_url(format!("http://127.0.0.1:{port}")).upstream_retries(0);
    let (_app, browser) = app_of(builder.upstream_circuit_breaker(3)).await;
    let cookie = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")];
    for _ in 0..10 {
        assert!(browser.get_with("/session", &cookie).await.status >= 502);
        assert!(browser.get("/api/auth/providers").await.status >= 502);
    }
    for line in [
        "WARN auth_proxy::lookup: session lookup failed code=\"upstream_unreachable\"",
        "WARN auth_proxy::proxy: upstream unavailable code=\"upstream_unreachable\"",
        "WARN auth_proxy::lookup: circuit breaker opened failures=3",
    ] {
        assert_eq!(log.times(line), 1, "{line} in {}", log.text());
    }
    assert_eq!(log.times(" WARN "), 3, "{}", log.text());
    let answer = || async { ([("set-cookie", "authjs.session-token=; Max-Age=0")], "null") };
    let _upstream = App::start_at(port, axum::Router::new().fallback(answer)).await;
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while browser.get_with("/session", &cookie).await.status != 401 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the circuit breaker closes within 10 s");
    assert_eq!(browser.get("/api/auth/providers").await.status, 200);
    for line in [
        "INFO auth_proxy::lookup: circuit breaker closed failures=3",
        "INFO auth_proxy::lookup: session lookups succeed again failures=",
        "INFO auth_proxy::proxy: upstream available again failures=",
    ] {
        assert_eq!(log.times(line), 1, "{line} in {}", log.text());
    }
}

/// Every forwarded request that ends in 502 to 504 counts in the warning: also one whose response cannot be used, and
/// one that is not sent because too many are under way.
#[tokio::test]
async fn unusable_and_refused_forwarded_requests_are_logged() {
    let page = || async { axum::response::Html("a page of a proxy") };
    let upstream = App::start(axum::Router::new().fallback(page)).await;
    let log = LogCapture::start();
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url(""))).await;
    let cookie = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")];
    let answer = browser.get_with("/api/auth/session", &cookie).await;
    assert_eq!(answer.code(), "upstream_invalid_response");
    let warning = |code: &str| format!("WARN auth_proxy::proxy: upstream unavailable code=\"{code}\"");
    assert_eq!(log.times(&warning("upstream_invalid_response")), 1, "{}", log.text());
    assert_eq!(log.times("upstream available again"), 0, "{}", log.text());

    let log = LogCapture::start();
    // It accepts connections and answers nothing, so that one request takes the only place.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let builder = Auth::builder().upstream_base_url(format!("http://{}", listener.local_addr().unwrap()));
    let (_app, browser) = app_of(builder.upstream_concurrency(1).upstream_queue(0)).await;
    let refused = async {
        let _request = listener.accept().await.unwrap();
        browser.get("/api/auth/signin").await
    };
    let refused = tokio::select! {
        answer = browser.get("/api/auth/signin") => answer,
        answer = refused => answer,
    };
    assert_eq!(refused.code(), "upstream_overloaded");
    assert_eq!(log.times(&warning("upstream_overloaded")), 1, "{}", log.text());
}

/// A variable that is unset has its default in every environment, also where the option has no effect.
#[tokio::test]
async fn default_without_effect_is_not_suspicious() {
    auth_proxy::auth_proxy! {
        struct Configured {
            upstream: { base_url: env("URL") },
            session: {
                cache: env("CACHE", default = "off"),
                cache_entries: env("ENTRIES", default = "10000"),
            },
        }
    }
    for (entries, times) in [("", 0), ("5", 1)] {
        let log = LogCapture::start();
        Configured::builder().vars([("URL", "http://auth"), ("ENTRIES", entries)]).build().unwrap();
        assert_eq!(log.times("`cache_entries` has no effect"), times, "{}", log.text());
    }
}

//! CSRF protection by `cross_origin_protection()`: writes of pages of other origins with the session cookie are
//! rejected.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use auth_proxy::options::Builder;
use auth_proxy_tests::{Answer, App};
use axum::Router;
use axum::routing::any;

use crate::support::{Auth, upstream};

const EVIL: &str = "https://evil.example";
const COOKIE: (&str, &str) = ("cookie", "theme=dark; authjs.session-token=aaaa..bb.cc.dd");

/// An app that counts the calls of its handlers. `/guarded` is behind the protection layer, `/open` is not.
struct Counted {
    app: App,
    handler_calls: Arc<AtomicUsize>,
}

impl Counted {
    async fn start(builder: Builder<Auth>, trusted: &[&str]) -> Self {
        let auth = builder.build().unwrap();
        let handler_calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&handler_calls);
        let handler = any(move || async move {
            counter.fetch_add(1, SeqCst);
            "done"
        });
        let mut protection = auth.cross_origin_protection();
        for origin in trusted {
            protection = protection.trust_origin(origin).unwrap();
        }
        let router =
            Router::new().route("/guarded", handler.clone()).layer(protection).route("/open", handler);
        Self { app: App::start(auth.attach(router).with_state(auth)).await, handler_calls }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let client = auth_proxy_tests::loopback_client();
        let mut request = client.request(method.parse().unwrap(), self.app.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Whether a request with these headers reaches the handler. Also checks the code and headers of a rejection.
    async fn passes(&self, method: &str, headers: &[(&str, &str)]) -> bool {
        let before = self.handler_calls.load(SeqCst);
        let answer = self.ask(method, "/guarded", headers).await;
        let handler_calls = self.handler_calls.load(SeqCst) - before;
        if answer.status == 200 {
            assert_eq!(handler_calls, 1, "{method} {headers:?}");
            return true;
        }
        assert_eq!((answer.status, handler_calls), (403, 0), "{method} {headers:?} {answer:?}");
        assert_eq!(answer.code(), "cross_origin_refused");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.cookies(), [""; 0]);
        false
    }
}

fn builder_without_upstream() -> Builder<Auth> {
    Auth::builder().upstream_base_url("http://127.0.0.1:9")
}

#[tokio::test]
async fn sec_fetch_site_takes_precedence_over_origin() {
    let app = Counted::start(builder_without_upstream(), &[]).await;
    let own = app.app.url("");
    for (site, passes) in [
        ("same-origin", true),
        ("none", true),
        ("same-site", false),
        ("cross-site", false),
        ("", false),
        ("Same-Origin", false),
        ("something-new", false),
    ] {
        // `Origin` does not change the decision by `Sec-Fetch-Site`.
        for origin in [None, Some(EVIL), Some(own.as_str()), Some("null")] {
            let mut headers = vec![COOKIE, ("sec-fetch-site", site)];
            headers.extend(origin.map(|origin| ("origin", origin)));
            assert_eq!(app.passes("POST", &headers).await, passes, "{site} {origin:?}");
        }
    }
    let twice = [COOKIE, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")];
    assert!(!app.passes("POST", &twice).await);
}

#[tokio::test]
async fn cross_origin_protection_checks_unsafe_methods_only() {
    let app = Counted::start(builder_without_upstream(), &[]).await;
    let cross = [COOKIE, ("sec-fetch-site", "cross-site"), ("origin", EVIL)];
    for method in ["GET", "OPTIONS", "TRACE", "HEAD"] {
        assert!(app.passes(method, &cross).await, "{method}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "get", "ANYTHING"] {
        assert!(!app.passes(method, &cross).await, "{method}");
    }
}

#[tokio::test]
async fn origin_is_checked_without_sec_fetch_site() {
    let app = Counted::start(builder_without_upstream(), &[]).await;
    let port = app.app.addr.port();
    let host = app.app.addr.to_string();
    for (origin, passes) in [
        (app.app.url("").as_str(), true),
        // A proxy in front of the app may terminate TLS.
        (&format!("https://{host}"), true),
        (EVIL, false),
        ("null", false),
        ("", false),
        (&host, false),
        ("http://127.0.0.1", false),
        (&format!("http://127.0.0.1:{}", port ^ 1), false),
        (&format!("http://127.0.0.1:{port}.evil.example"), false),
        (&format!("http://{host}/path"), false),
        (&format!("http://user@{host}"), false),
        (&format!("{} {EVIL}", app.app.url("")), false),
        ("file://", false),
        ("chrome-extension://abcdefgh", false),
    ] {
        assert_eq!(app.passes("POST", &[COOKIE, ("origin", origin)]).await, passes, "{origin}");
    }
    let own = app.app.url("");
    assert!(!app.passes("POST", &[COOKIE, ("origin", &own), ("origin", EVIL)]).await);
    // Without both headers the client is not a browser, and CSRF is not possible.
    assert!(app.passes("POST", &[COOKIE]).await);
    assert!(app.passes("POST", &[COOKIE, ("referer", "https://evil.example/")]).await);
}

/// A page can set neither `Host` nor `Origin`. So `Origin` may be compared even with a host that the sign-in routes
/// reject.
#[tokio::test]
async fn origin_is_compared_with_the_normalized_host() {
    let app = Counted::start(builder_without_upstream(), &[]).await;
    for (host, origin, passes) in [
        ("app.example.com", "https://app.example.com", true),
        ("APP.example.com", "https://app.example.com", true),
        ("app.example.com:443", "https://app.example.com", true),
        ("app.example.com:80", "http://app.example.com", true),
        ("app.example.com:80", "https://app.example.com", false),
        ("app.example.com", "https://app.example.com:8443", false),
        ("app.example.com", "https://www.app.example.com", false),
        ("app.example.com", "https://app.example.com.evil.example", false),
        ("[::1]:3000", "http://[::1]:3000", true),
        ("not a host", "https://app.example.com", false),
    ] {
        let headers = [COOKIE, ("host", host), ("origin", origin)];
        assert_eq!(app.passes("POST", &headers).await, passes, "{host} {origin}");
    }
    // `X-Forwarded-Host` of an untrusted client is ignored.
    let forwarded =
        [COOKIE, ("host", "app.example.com"), ("x-forwarded-host", "evil.example"), ("origin", EVIL)];
    assert!(!app.passes("POST", &forwarded).await);
    let two_hosts = "POST /guarded HTTP/1.1\r\nHost: a.example\r\nHost: evil.example\r\nOrigin: https://evil.example\r\n\
               Cookie: authjs.session-token=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let answer = app.app.raw(two_hosts).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && app.handler_calls.load(SeqCst) == 5, "{answer}");
}

#[tokio::test]
async fn public_url_sets_the_only_allowed_origin() {
    let app = Counted::start(builder_without_upstream().public_url("https://app.example.com"), &[]).await;
    for (origin, passes) in [
        ("https://app.example.com", true),
        ("https://app.example.com:443", true),
        ("http://app.example.com", false),
        ("https://other.example.com", false),
        (EVIL, false),
    ] {
        // The `Host` header has no effect.
        for host in ["app.example.com", "evil.example", "other.example.com"] {
            let headers = [COOKIE, ("host", host), ("origin", origin)];
            assert_eq!(app.passes("POST", &headers).await, passes, "{host} {origin}");
        }
    }
}

#[tokio::test]
async fn origin_is_compared_with_the_url_from_a_trusted_proxy() {
    let app = Counted::start(builder_without_upstream().trusted_proxies(["127.0.0.0/8"]), &[]).await;
    for (origin, passes) in [
        ("https://app.example.com", true),
        // An attacker in the network can forge pages over plain http, so http is another origin.
        ("http://app.example.com", false),
        ("https://internal", false),
    ] {
        let headers = [
            COOKIE,
            ("host", "internal"),
            ("x-forwarded-host", "evil.example, app.example.com"),
            ("x-forwarded-proto", "https"),
            ("origin", origin),
        ];
        assert_eq!(app.passes("POST", &headers).await, passes, "{origin}");
    }
}

#[tokio::test]
async fn cors_and_trusted_origins_may_send_writes() {
    let cors = "https://page.example.com";
    let trusted = ["https://admin.example.com", "http://localhost:80"];
    let app = Counted::start(builder_without_upstream().cors_origins([cors]), &trusted).await;
    for (origin, passes) in [
        (cors, true),
        ("https://admin.example.com", true),
        ("http://localhost", true),
        ("http://admin.example.com", false),
        ("https://admin.example.com:8443", false),
        ("https://sub.admin.example.com", false),
        ("null", false),
        (EVIL, false),
    ] {
        for site in [&[][..], &[("sec-fetch-site", "same-site")], &[("sec-fetch-site", "cross-site")]] {
            let headers: Vec<_> = site.iter().copied().chain([COOKIE, ("origin", origin)]).collect();
            assert_eq!(app.passes("POST", &headers).await, passes, "{origin} {site:?}");
        }
    }
    // Two `Origin` headers are rejected, since no browser sends them.
    assert!(!app.passes("POST", &[COOKIE, ("origin", cors), ("origin", EVIL)]).await);
    for bad in ["*", "null", "admin.example.com", "https://admin.example.com/path", ""] {
        let error = builder_without_upstream()
            .build()
            .unwrap()
            .cross_origin_protection()
            .trust_origin(bad)
            .unwrap_err();
        assert!(error.to_string().contains("trust_origin: "), "{bad}: {error}");
    }
}

/// Browsers add cookies to requests of other pages, but no other credentials. Without the session cookie such a request
/// has no session.
#[tokio::test]
async fn cross_origin_protection_checks_only_requests_with_a_session_cookie() {
    let app = Counted::start(builder_without_upstream(), &[]).await;
    let chunks = ("cookie", "authjs.session-token.0=aaaa; authjs.session-token.1=bbbb");
    let bearer = ("authorization", "Bearer aaaa..bb.cc.dd");
    let too_many = format!("authjs.session-token=x; pad={}", "a".repeat(70_000));
    for (headers, passes) in [
        (&[COOKIE][..], false),
        (&[chunks], false),
        (&[("cookie", "a=1"), COOKIE], false),
        (&[COOKIE, bearer], false),
        (&[COOKIE, ("authorization", "Bearer")], false),
        (&[("cookie", too_many.as_str()), bearer], false),
        (&[bearer], true),
        (&[("authorization", "Bearer")], true),
        (&[], true),
        (&[("cookie", "theme=dark")], true),
        (&[("cookie", "authjs.session-token=")], true),
        (&[("cookie", "authjs.session-token-old=x; authjs.csrf-token=y")], true),
        (&[("authorization", "Basic YTpi")], true),
    ] {
        for cross in [("sec-fetch-site", "cross-site"), ("origin", EVIL)] {
            let headers: Vec<_> = headers.iter().copied().chain([cross]).collect();
            assert_eq!(app.passes("POST", &headers).await, passes, "{headers:?}");
        }
    }
}

/// Cross-site WebSocket hijacking: the handshake is a GET with cookies, and CORS does not apply to it.
#[tokio::test]
async fn cross_site_websocket_handshakes_are_rejected() {
    let app = Counted::start(builder_without_upstream(), &[]).await;
    let handshake = |more: &str| {
        format!(
            "GET /guarded HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n",
            app.app.addr
        )
    };
    let cookie = "Cookie: authjs.session-token=x\r\n";
    for (more, status) in [
        (format!("Origin: {EVIL}\r\n{cookie}"), 403),
        (format!("Sec-Fetch-Site: cross-site\r\nOrigin: {EVIL}\r\n{cookie}"), 403),
        (format!("Sec-Fetch-Site: same-site\r\n{cookie}"), 403),
        (format!("Origin: null\r\n{cookie}"), 403),
        (format!("Origin: {}\r\n{cookie}", app.app.url("")), 200),
        (format!("Sec-Fetch-Site: same-origin\r\nOrigin: {}\r\n{cookie}", app.app.url("")), 200),
        (format!("Origin: {EVIL}\r\n"), 200),
        (cookie.to_owned(), 200),
    ] {
        let answer = app.app.raw(&handshake(&more)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{more} {answer}");
    }
}

/// Routes without the layer are not checked. The sign-in routes are not checked either, since a provider posts its
/// callback from its own page (`response_mode=form_post`).
#[tokio::test]
async fn cross_origin_protection_applies_only_to_layered_routes() {
    let upstream = upstream().await;
    let app = Counted::start(Auth::builder().upstream_base_url(upstream.url()), &[]).await;
    let cross = [COOKIE, ("sec-fetch-site", "cross-site"), ("origin", EVIL)];
    assert_eq!(app.ask("POST", "/open", &cross).await.status, 200);
    assert_eq!(app.ask("POST", "/guarded", &cross).await.status, 403);
    app.ask("POST", "/api/auth/callback/apple", &cross).await;
    assert!(upstream.seen().iter().any(|seen| seen.uri.path() == "/api/auth/callback/apple"));
}

/// The layer rejects a write before the session lookup. An accepted write makes one lookup.
#[tokio::test]
async fn rejected_cross_origin_write_makes_no_lookup() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let router = Router::new()
        .route(
            "/write",
            axum::routing::post(|session: auth_proxy::Session<Auth>| async move {
                session.user.name.clone().unwrap_or_default()
            }),
        )
        .layer(auth.require_any_session())
        .layer(auth.cross_origin_protection());
    let app = App::start(auth.attach(router).with_state(auth.clone())).await;
    let browser = auth_proxy_tests::Browser::of(&app);
    browser.sign_in("demo", "demo").await;
    let answer = browser.post("/write", &[]).await;
    assert_eq!((answer.status, upstream.lookups()), (200, 1), "{answer:?}");
    assert_eq!(answer.body, "Demo");
    // A form on another site: the request has the visitor's cookie.
    let cookie = answer.cookies()[0].split(';').next().unwrap().to_owned();
    let client = auth_proxy_tests::loopback_client();
    let request =
        client.post(app.url("/write")).header("cookie", cookie).header("sec-fetch-site", "cross-site");
    let refused = Answer::of(request.send().await.unwrap()).await;
    assert_eq!((refused.code().as_str(), upstream.lookups()), ("cross_origin_refused", 1));
}

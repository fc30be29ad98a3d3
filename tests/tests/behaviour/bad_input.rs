//! Malformed and oversized requests get a 4xx response with an error code. They cause no panic and reach no other path
//! of the upstream.

use std::time::Duration;

use auth_proxy_tests::{Browser, SpanCapture};

use auth_proxy::options::UpstreamKind;
use auth_proxy::testing::FakeUpstream;

use crate::metrics::{recorder, samples, sum};
use crate::support::{Auth, app, app_of, decoding_app, upstream, users};

#[tokio::test]
async fn paths_that_could_leave_the_base_path_are_rejected() {
    let upstream = upstream().await;
    let (app, _browser) = app(&upstream).await;
    for target in [
        "/api/auth/..",
        "/api/auth/../x",
        "/api/auth/./x",
        "/api/auth//x",
        "/api/auth/x//y",
        "/api/auth/%2e%2e/x",
        "/api/auth/%2E%2E/%2E%2E/etc",
        "/api/auth/.%2e/x",
        "/api/auth/x%2f..%2f..",
        "/api/auth/\\..\\x",
        "/api/auth/%5c..%5cx",
        "/api/auth/x%00",
        "/api/auth/%",
        "/api/auth/%zz",
        "/api/auth/%0d%0aX-A:%20b",
        "/api/auth/\u{e4}",
    ] {
        let (status, answer) = app.raw_get(target, "").await;
        assert!((400..500).contains(&status), "{target}: {answer}");
    }
    // These paths are outside of the sign-in routes, so the app answers 404.
    for target in ["/api/authx", "/api//auth/session", "/api/../api/auth/session", "/API/auth/session"] {
        assert_eq!(app.raw_get(target, "").await.0, 404, "{target}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn unsupported_requests_are_rejected_with_a_code() {
    let upstream = upstream().await;
    let (app, _browser) = app(&upstream).await;
    for (request, code) in [
        (
            format!("GET http://evil.example/api/auth/session HTTP/1.1\r\nHost: {}\r\n", app.addr),
            "target_absolute",
        ),
        (
            format!("GET /api/auth/session HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n", app.addr),
            "upgrade_refused",
        ),
        (format!("TRACE /api/auth/session HTTP/1.1\r\nHost: {}\r\n", app.addr), "method_not_allowed"),
        ("GET /api/auth/session HTTP/1.1\r\nHost: a b\r\n".to_owned(), "host_invalid"),
        ("GET /api/auth/session HTTP/1.1\r\nHost: user@evil.example\r\n".to_owned(), "host_invalid"),
        ("GET /api/auth/session HTTP/1.1\r\nHost: a/../b\r\n".to_owned(), "host_invalid"),
        ("GET /api/auth/session HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n".to_owned(), "host_invalid"),
        (
            format!("POST /api/auth/signout HTTP/1.1\r\nHost: {}\r\nContent-Length: 99999999\r\n", app.addr),
            "body_too_large",
        ),
    ] {
        let answer = app.raw(&format!("{request}Connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 4") && answer.contains(code), "{request}: {answer}");
    }
    // hyper itself rejects CONNECT with a target that is not an authority.
    let answer =
        app.raw("CONNECT /api/auth/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn malformed_tokens_are_rejected_with_401() {
    let upstream = upstream().await;
    let name = "authjs.session-token";
    let many_chunks: String = (0..1_500).map(|n| format!("{name}.{n}=x; ")).collect();
    let garbage = [
        format!("{name}=garbage"),
        format!("{name}=aaaa..bbbb.cccc.dddd"),
        format!("{name}=....."),
        format!("{name}=%zz%"),
        format!("{name}=%ff%fe"),
        format!("{name}=eyJhbGciOiJub25lIn0.e30."),
        format!("{name}=\"quoted\""),
        format!("{name}={}", "A".repeat(12_000)),
        format!("{name}={}", "A.".repeat(4_000)),
        many_chunks,
    ];
    let (decoding, _) = decoding_app(&upstream).await;
    let (remote, _) = app(&upstream).await;
    for cookie in garbage {
        for app in [&decoding, &remote] {
            let browser = Browser::of(app);
            let headers = [("cookie", cookie.as_str())];
            for path in ["/session", "/token", "/protected"] {
                let answer = browser.get_with(path, &headers).await;
                assert_eq!(answer.status, 401, "{path} {cookie:.40}");
                assert!(!answer.code().is_empty());
            }
            assert_eq!(browser.get_with("/session/optional", &headers).await.body, "null");
            assert_eq!(browser.get_with("/token/optional", &headers).await.body, "null");
        }
    }
}

/// An incomplete or malformed body is an error of the client, so the response is a 4xx, and metrics and spans show no
/// failure of the upstream.
#[tokio::test]
async fn incomplete_bodies_are_rejected() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (spans, upstream) = (SpanCapture::start(), upstream().await);
    let builder =
        Auth::builder().upstream_base_url(upstream.url()).upstream_timeout(Duration::from_millis(300));
    let (app, _browser) = app_of(builder).await;
    for (body, status, code) in [
        ("Content-Length: 100\r\n\r\nab", 408, "body_late"),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n", 400, "body_broken"),
    ] {
        let answer = app.raw(&format!("POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\n{body}")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(code), "{answer}");
        let seen = samples(&handle);
        let counted =
            format!("upstream_requests_total{{request=\"forward\",status=\"none\",error=\"{code}\"}}");
        assert_eq!(seen.get(&counted), Some(&1.0), "{seen:#?}");
        assert_eq!(spans.named("HTTP request").last().unwrap().field("error.type"), code);
    }
    assert_eq!(sum(&samples(&handle), "upstream_requests_total{request=\"forward\""), 2.0);
}

/// A timeout of an upstream that stops reading is not an error of the client, whose body has arrived.
#[tokio::test]
async fn hung_upstream_is_not_taken_for_a_late_body() {
    // It accepts connections and reads nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let builder = Auth::builder().upstream_base_url(format!("http://{}", listener.local_addr().unwrap()));
    // More than the buffers of the two sockets.
    let builder = builder.upstream_body_limit(64 << 20).upstream_timeout(Duration::from_secs(1));
    let (_app, browser) = app_of(builder).await;
    let answer = browser.post("/api/auth/upload", &[("a", &"x".repeat(32 << 20))]).await;
    assert_eq!((answer.status, answer.code().as_str()), (504, "upstream_timeout"));
    assert!(answer.headers.contains_key("retry-after"));
}

/// Request smuggling: two servers might split these bytes into different requests. The app sends at most one response
/// and forwards no second request.
#[tokio::test]
async fn ambiguous_framing_forwards_no_second_request() {
    let upstream = upstream().await;
    let (app, _browser) = app(&upstream).await;
    let inner = "GET /api/auth/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for head in [
        "Content-Length: 0\r\nContent-Length: 44\r\n",
        "Content-Length: 4, 44\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "X: a\nTransfer-Encoding: chunked\r\n",
    ] {
        let request = format!(
            "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\n{head}Connection: close\r\n\r\n0\r\n\r\n{inner}"
        );
        let answer = app.raw(&request).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{head:?}: {answer}");
    }
    assert!(
        upstream.seen().iter().all(|seen| !seen.uri.path().contains("smuggled")),
        "{:?}",
        upstream.seen()
    );
}

/// Another host of the domain can set a cookie under the unprefixed name. With `kind: authjs` over https, only the
/// prefixed name is read.
#[tokio::test]
async fn cookie_under_the_unprefixed_name_is_ignored() {
    let upstream =
        users(FakeUpstream::builder().cookie_name("__Secure-authjs.session-token")).start().await.unwrap();
    let builder = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_kind(UpstreamKind::Authjs)
        .public_url("https://app.test");
    for builder in [
        builder,
        Auth::builder()
            .upstream_base_url(upstream.url())
            .upstream_kind(UpstreamKind::Authjs)
            .public_url("https://app.test")
            .upstream_secret([upstream.secret()]),
    ] {
        let (_app, browser) = app_of(builder).await;
        let token = |name: &str, who: &str| {
            let claims = serde_json::json!({ "sub": "1", "name": who });
            format!(
                "{name}={}",
                auth_proxy::testing::mint(&claims, upstream.secret(), "__Secure-authjs.session-token")
            )
        };
        let unprefixed = token("authjs.session-token", "Mallory");
        let prefixed = token("__Secure-authjs.session-token", "Ada");
        assert_eq!(browser.get_with("/session", &[("cookie", &unprefixed)]).await.code(), "session_absent");
        for cookie in [
            format!("{unprefixed}; {prefixed}"),
            format!("{prefixed}; {unprefixed}"),
            format!("{prefixed}; __Secure-authjs.session-token.0=x"),
        ] {
            assert_eq!(
                browser.get_with("/session", &[("cookie", &cookie)]).await.json()["user"]["name"],
                "Ada"
            );
        }
        assert_eq!(
            upstream
                .seen()
                .iter()
                .filter(|seen| seen.headers["cookie"].to_str().unwrap().contains(&unprefixed))
                .count(),
            0
        );
    }
}

#[tokio::test]
async fn oversized_heads_are_rejected() {
    let upstream = upstream().await;
    let (app, _browser) = decoding_app(&upstream).await;
    let large_cookie = format!("Cookie: authjs.session-token={}\r\n", "x".repeat(1 << 20));
    let many_cookies: String = (0..10_000).map(|n| format!("authjs.session-token.{n}=x; ")).collect();
    let many_cookies = format!("Cookie: {many_cookies}a=b\r\n");
    for head in [large_cookie, many_cookies] {
        for path in ["/session", "/protected", "/api/auth/session"] {
            let (status, answer) = app.raw_get(path, &head).await;
            assert!((400..500).contains(&status), "{path}: {answer:.200}");
        }
    }
    // 100 kB is below the limit of hyper and above the limits of the library.
    let head = format!("Cookie: authjs.session-token={}\r\n", "x".repeat(100_000));
    assert!(app.raw_get("/session", &head).await.1.contains("token_too_large"));
    assert!(app.raw_get("/api/auth/session", &head).await.1.contains("headers_too_large"));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn non_utf8_headers_are_rejected_with_a_code() {
    let upstream = upstream().await;
    let (app, _browser) = app_of(Auth::builder().upstream_base_url(upstream.url())).await;
    let mut request = b"GET /session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: authjs.session-token=\xff\xfe\r\n\r\n".to_vec();
    let answer = raw_bytes(&app, &request).await;
    assert!(answer.contains("session_absent"), "{answer}");
    request =
        b"GET /session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer \xff\xfe\r\n\r\n"
            .to_vec();
    let answer = raw_bytes(&app, &request).await;
    assert!(answer.contains("bearer_malformed"), "{answer}");
    request = b"GET /api/auth/session HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n".to_vec();
    let answer = raw_bytes(&app, &request).await;
    assert!(answer.contains("host_invalid"), "{answer}");
    assert!(upstream.seen().is_empty());
}

async fn raw_bytes(app: &auth_proxy_tests::App, request: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut socket = tokio::net::TcpStream::connect(app.addr).await.unwrap();
    socket.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

//! Rewriting of upstream responses: redirects, JSON URLs, cookies and headers when hosts or base paths differ.

use auth_proxy::options::Host;
use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;

use crate::support::{Auth, app_of, routes, users};

/// The upstream receives its own host and has another base path. Its redirects must still lead to this app.
#[tokio::test]
async fn redirects_of_an_upstream_with_its_own_host_lead_to_this_app() {
    let upstream = users(FakeUpstream::builder().base_path("/auth")).start().await.unwrap();
    let builder = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_base_path("/auth")
        .upstream_host(Host::Upstream);
    let (app, browser) = app_of(builder).await;
    let wrong = browser.sign_in("demo", "wrong").await;
    assert_eq!(wrong.header("location"), "/api/auth/signin?error=CredentialsSignin&code=credentials");
    let signed_in = browser.sign_in("demo", "demo").await;
    assert_eq!((signed_in.status, signed_in.header("location")), (302, "/"));
    assert_eq!(browser.get("/session").await.json()["user"]["name"], "Demo");
    // The clients of Auth.js ask for JSON and parse an absolute URL.
    let client = reqwest::Client::new();
    let request =
        client.post(app.url("/api/auth/callback/credentials")).header("x-auth-return-redirect", "1");
    let json = request.form(&[("username", "demo")]).send().await.unwrap();
    let length = json.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap();
    let body = json.text().await.unwrap();
    assert_eq!(body.len(), length);
    assert_eq!(body, format!(r#"{{"url":"{}"}}"#, app.url("/api/auth/signin?error=MissingCSRF")));
}

/// `upstream_routes` serves the same routes below the base path of the upstream, with the same path checks.
#[tokio::test]
async fn upstream_routes_serve_the_upstream_base_path() {
    let upstream = users(FakeUpstream::builder().base_path("/auth")).start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(upstream.url()).upstream_base_path("/auth").build().unwrap();
    let app = App::start(routes(&auth).merge(auth.upstream_routes())).await;
    let browser = Browser::of(&app).with_base("/auth");
    browser.sign_in("demo", "demo").await;
    assert_eq!(browser.get("/session").await.json()["user"]["name"], "Demo");
    assert_eq!(browser.get("/auth/session").await.json()["user"]["name"], "Demo");
    let before = upstream.seen().len();
    for target in ["/auth/../x", "/auth/%2e%2e/x", "/auth//x", "/authx/session", "/auth/x%2f.."] {
        assert!((400..500).contains(&app.raw_get(target, "").await.0), "{target}");
    }
    assert_eq!(upstream.seen().len(), before);
}

/// An app in front of an upstream with another host and this response.
async fn upstream_sends(
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> (App, Browser) {
    let upstream: Router = Router::new().fallback(move || async move {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        (map, body).into_response()
    });
    let builder = Auth::builder().upstream_base_url("https://auth.example.com").upstream_fetch(upstream);
    app_of(builder.public_url("https://app.example.com")).await
}

#[tokio::test]
async fn upstream_cookie_domains_are_rewritten_in_order() {
    let (_app, browser) = upstream_sends(
        &[
            ("set-cookie", "authjs.session-token=first; Domain=auth.example.com; Path=/; Secure"),
            ("set-cookie", "authjs.session-token=second; Domain=example.com; Path=/; Secure"),
            ("set-cookie", "other=x; Domain=elsewhere.org"),
        ],
        "",
    )
    .await;
    assert_eq!(
        browser.get("/api/auth/session").await.cookies(),
        [
            "authjs.session-token=first; Path=/; Secure",
            "authjs.session-token=second; Domain=example.com; Path=/; Secure",
            "other=x",
        ]
    );
}

#[tokio::test]
async fn redirect_to_another_site_is_forwarded_unchanged_for_any_host_header() {
    let (app, _browser) = upstream_sends(&[("location", "https://idp.example/authorize?a=b")], "").await;
    let (_, answer) = app.raw_get("/api/auth/signin/idp", "").await;
    assert!(answer.contains("location: https://idp.example/authorize?a=b\r\n"), "{answer}");
    let (app, _browser) = upstream_sends(&[("location", "https://auth.example.com/welcome")], "").await;
    let answer =
        app.raw("GET /api/auth/csrf HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains("location: /welcome\r\n") && !answer.contains("evil.example"), "{answer}");
}

/// An app on plain http in front of an https server, as in development. Browsers reject `__Secure-` cookies over http,
/// and the name is part of the token key.
#[tokio::test]
async fn cookie_prefixes_are_removed_on_http_and_restored_upstream() {
    let name = "__Secure-authjs.session-token";
    for secret in [false, true] {
        let upstream = users(FakeUpstream::builder().cookie_name(name)).start().await.unwrap();
        let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_cookie_name(name);
        let builder = builder.public_url("http://app.internal");
        let secrets = secret.then(|| upstream.secret().to_owned());
        let (_app, browser) = app_of(builder.upstream_secret(secrets)).await;
        let signed_in = browser.sign_in("demo", "demo").await;
        let cookies = signed_in.cookies().join("\n");
        assert!(
            cookies.contains("_Secure-authjs.session-token=") && !cookies.contains("__Secure-"),
            "{cookies}"
        );
        assert!(!cookies.contains("; Secure"), "{cookies}");
        let session = browser.get("/session").await;
        assert_eq!(session.json()["user"]["name"], "Demo");
        // The renewed cookie keeps the name that the browser has.
        assert!(session.cookies()[0].starts_with("_Secure-authjs.session-token="), "{session:?}");
        assert_eq!(browser.get("/everything").await.json()[0], "Demo");
        assert_eq!(browser.get("/protected").await.body, "ok");
        browser.sign_out().await;
        assert_eq!(browser.get("/protected").await.code(), "session_absent");
    }
}

/// Robo redirects to its `AUTH_URL`, which may be neither its address nor this app. Only a listed origin is rewritten.
#[tokio::test]
async fn public_origins_are_rewritten_to_this_app() {
    for (origins, location) in [
        (&["https://login.example.com"][..], "/signup?error=InvalidEmail"),
        (&[], "https://login.example.com/signup?error=InvalidEmail"),
    ] {
        let answer = || async {
            (StatusCode::SEE_OTHER, [("location", "https://login.example.com/signup?error=InvalidEmail")])
        };
        let upstream = Router::new().fallback(answer);
        let builder = Auth::builder().upstream_base_url("http://auth.internal").upstream_fetch(upstream);
        let (_app, browser) =
            app_of(builder.public_url("https://app.test").upstream_public_origins(origins)).await;
        assert_eq!(browser.post("/api/auth/signup", &[]).await.header("location"), location);
    }
}

/// In a response with both headers `Transfer-Encoding` counts, and `Content-Length` is removed (RFC 9112, section 6.3).
#[tokio::test]
async fn content_length_beside_chunked_is_stripped() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(url)).await;
    let answer = browser.get("/api/auth/providers").await;
    assert_eq!((answer.body.as_str(), answer.header("content-length")), ("hello", ""));
}

/// Auth.js appends a value that begins with a slash to its own origin. If the proxy only removed that origin, the
/// redirect `//evil.example` would lead to another host.
#[tokio::test]
async fn foreign_callback_urls_redirect_to_the_root() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_host(Host::Upstream)).await;
    for evil in ["/\t/evil.example", "//evil.example", "/\\evil.example", "https://evil.example"] {
        let form = [("callbackUrl", evil), ("username", "demo"), ("password", "demo")];
        for action in ["callback/credentials", "signout"] {
            let answer = browser.post_auth(action, &form).await;
            assert_eq!((answer.status, answer.header("location")), (302, "/"), "{action} {evil:?}");
        }
    }
}

/// `Alt-Svc` names ports of the upstream, and 101 leaves HTTP, so neither is forwarded.
#[tokio::test]
async fn alt_svc_is_stripped_and_101_is_rejected() {
    let (_app, browser) = upstream_sends(&[("alt-svc", "h3=\":443\""), ("x-kept", "1")], "{}").await;
    let answer = browser.get("/api/auth/providers").await;
    assert_eq!((answer.header("alt-svc"), answer.header("x-kept")), ("", "1"));
    let switching: Router = Router::new().fallback(|| async { StatusCode::SWITCHING_PROTOCOLS });
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url("http://auth").upstream_fetch(switching)).await;
    assert_eq!(browser.get("/api/auth/csrf").await.code(), "upstream_invalid_response");
}

#[tokio::test]
async fn json_without_an_upstream_url_is_forwarded_unchanged() {
    for body in [r#"{ "url" : "https://idp.example/" }"#, r#"{"user":{}}"#, "null", "not json"] {
        let (app, _browser) = upstream_sends(&[("content-type", "application/json")], body).await;
        let answer = reqwest::Client::new().post(app.url("/api/auth/session")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), body);
    }
}

/// JSON beyond the inspection limit is forwarded completely.
#[tokio::test]
async fn large_json_is_forwarded_whole() {
    let body: &'static str = Box::leak(format!("\"{}\"", "x".repeat(300_000)).into_boxed_str());
    let (app, _browser) = upstream_sends(&[("content-type", "application/json")], body).await;
    let answer = reqwest::Client::new().post(app.url("/api/auth/session")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap().len(), body.len());
}

//! An upstream whose forms and callback URLs are not of this app's origin: said once, with the server and the mend.

use auth_proxy::Kind;
use auth_proxy_tests::Browser;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;

use crate::logs::Log;
use crate::support::{Auth, app_of, upstream};

const SAID: &str = "the upstream makes its URLs of another origin";

/// An upstream that makes its URLs of this origin, and answers with these headers.
fn of(origin: &'static str, headers: &[(&'static str, &'static str)]) -> Router {
    let sign_in = format!("{origin}/api/auth/signin/github");
    let callback = format!("{origin}/api/auth/callback/github");
    let page = format!("<style>a {{}}</style><form action=\"{sign_in}\" method=\"POST\"></form>");
    let providers = json!({ "github": { "id": "github", "signinUrl": sign_in, "callbackUrl": callback } });
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let headers: http::HeaderMap = headers.collect();
    Router::new()
        .route("/api/auth/providers", get(move || async move { axum::Json(providers) }))
        .route("/api/auth/signin", get(move || async move { Html(page) }))
        .layer(axum::middleware::map_response(move |mut response: axum::response::Response| {
            response.headers_mut().extend(headers.clone());
            std::future::ready(response)
        }))
}

const NEXT: (&str, &str) = ("vary", "rsc, next-router-state-tree, next-router-prefetch");
const EXPRESS: (&str, &str) = ("x-powered-by", "Express");

async fn ask(browser: &Browser, path: &str) {
    for _ in 0..3 {
        assert_eq!(browser.get(path).await.status, 200);
    }
}

#[tokio::test]
async fn a_foreign_origin_is_said_once_with_the_mend() {
    for (kind, header, mend) in [
        (Kind::Authjs, NEXT, "examples/nextjs/README.md"),
        (Kind::Authjs, ("x-powered-by", "Next.js"), "its route.js needs the lines"),
        (Kind::NextAuthV4, NEXT, "AUTH_TRUST_HOST"),
        (Kind::Authjs, EXPRESS, "pass Host on"),
        (Kind::Authjs, ("server", "x"), "AUTH_URL"),
    ] {
        for path in ["/api/auth/providers", "/api/auth/signin"] {
            let log = Log::start();
            let upstream = of("http://localhost:3001", &[header]);
            let (_app, browser) = app_of(
                Auth::builder().upstream_base_url("http://auth").upstream_kind(kind).upstream_fetch(upstream),
            )
            .await;
            ask(&browser, path).await;
            assert_eq!(log.times(SAID), 1, "{path} {}", log.text());
            assert!(log.text().contains(mend), "{mend}: {}", log.text());
            assert!(log.text().contains("http://localhost:3001"), "{}", log.text());
        }
    }
}

/// An upstream that follows `Host` is right, and so is one with `AUTH_URL` for this app.
#[tokio::test]
async fn its_own_origin_is_not_said() {
    let log = Log::start();
    let real = upstream().await;
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(real.url())).await;
    ask(&browser, "/api/auth/providers").await;
    ask(&browser, "/api/auth/signin").await;
    let own = "https://app.example.com";
    let builder =
        Auth::builder().upstream_base_url("http://auth").public_url(own).upstream_fetch(of(own, &[NEXT]));
    let (_app, browser) = app_of(builder).await;
    ask(&browser, "/api/auth/providers").await;
    ask(&browser, "/api/auth/signin").await;
    assert_eq!(log.times(SAID), 0, "{}", log.text());
}

/// http of an app that is https: the upstream does not believe `X-Forwarded-Proto`.
#[tokio::test]
async fn another_scheme_is_another_origin() {
    let log = Log::start();
    let upstream = of("http://app.example.com", &[EXPRESS]);
    let builder = Auth::builder()
        .upstream_base_url("http://auth")
        .public_url("https://app.example.com")
        .upstream_fetch(upstream);
    let (_app, browser) = app_of(builder).await;
    ask(&browser, "/api/auth/providers").await;
    assert_eq!(log.times("trust proxy"), 1, "{}", log.text());
}

/// In the parent-domain deployment the pages are the auth host's: its cookies say so. Without that word it is not
/// known, and cookies of its own host alone are lost here.
#[tokio::test]
async fn the_parent_domain_is_not_said() {
    for (cookie, path, times) in [
        ("authjs.csrf-token=x; Path=/; Domain=example.com", "/api/auth/signin", 0),
        ("authjs.csrf-token=x; Path=/", "/api/auth/signin", 1),
        ("authjs.csrf-token=x; Path=/", "/api/auth/providers", 1),
        ("", "/api/auth/providers", 0),
        ("", "/api/auth/signin", 0),
    ] {
        let log = Log::start();
        let headers = [("set-cookie", cookie)];
        let upstream = of("https://auth.example.com", if cookie.is_empty() { &[] } else { &headers });
        let builder = Auth::builder()
            .upstream_base_url("https://auth.example.com")
            .public_url("https://app.example.com");
        let (_app, browser) = app_of(builder.upstream_fetch(upstream)).await;
        ask(&browser, path).await;
        assert_eq!(log.times(SAID), times, "{cookie} {path} {}", log.text());
    }
}

/// What is looked at passes as it is, also where it is larger than what is looked at or no JSON.
#[tokio::test]
async fn bodies_pass_untouched() {
    let log = Log::start();
    let large = format!("{}<form action=\"http://localhost:1/api/auth/signin/x\">", "x".repeat(200_000));
    let (sent, nonsense) = (large.clone(), "{\"github\": {\"signinUrl\": 1");
    let upstream = Router::new()
        .route("/api/auth/signin", get(move || async move { Html(sent) }))
        .route("/api/auth/providers", get(move || async move { nonsense }));
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url("http://auth").upstream_fetch(upstream)).await;
    let page = browser.get("/api/auth/signin").await;
    assert!(page.body == large && page.header("content-length") == large.len().to_string());
    assert_eq!(browser.get("/api/auth/providers").await.body, nonsense);
    assert_eq!(log.times(SAID), 0, "{}", log.text());
}

/// The callback of a sign-in at Next.js: what it is told of `Host` is on already.
#[tokio::test]
async fn a_stranded_sign_in_at_next_js_names_the_lines() {
    let log = Log::start();
    let to_provider = Router::new().fallback(|| async {
        let callback = "http%3A%2F%2Flocalhost%3A3001%2Fapi%2Fauth%2Fcallback%2Fgithub";
        let location = format!("https://idp.example/authorize?redirect_uri={callback}");
        (http::StatusCode::FOUND, [("location", location), ("vary", NEXT.1.to_owned())])
    });
    let builder = Auth::builder().upstream_base_url("http://localhost:3001").upstream_fetch(to_provider);
    let (_app, browser) = app_of(builder).await;
    for _ in 0..3 {
        browser.post("/api/auth/signin/github", &[]).await;
    }
    assert_eq!(log.times("will send people back to the upstream's own host"), 1, "{}", log.text());
    assert_eq!(log.times("examples/nextjs/README.md"), 1, "{}", log.text());
    assert!(!log.text().contains("upstream.host: preserve"), "{}", log.text());
}

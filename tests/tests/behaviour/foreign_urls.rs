//! The warning about an upstream whose forms and callback URLs have another origin than the app. It is logged once, and
//! names the server and the fix.

use auth_proxy::options::UpstreamKind;
use auth_proxy_tests::{Browser, LogCapture};
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;

use crate::support::{Auth, app_of, upstream};

const WARNING: &str = "the upstream's URLs have another origin";

/// An upstream whose URLs have this origin and whose responses have these headers.
fn upstream_with_origin(origin: &'static str, headers: &[(&'static str, &'static str)]) -> Router {
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

async fn get_three_times(browser: &Browser, path: &str) {
    for _ in 0..3 {
        assert_eq!(browser.get(path).await.status, 200);
    }
}

#[tokio::test]
async fn foreign_upstream_origin_warns_once_and_names_the_fix() {
    for (kind, header, fix) in [
        (UpstreamKind::Authjs, NEXT, "examples/nextjs/README.md"),
        (UpstreamKind::Authjs, ("x-powered-by", "Next.js"), "to its route.js"),
        (UpstreamKind::NextAuthV4, NEXT, "AUTH_TRUST_HOST"),
        (UpstreamKind::Authjs, EXPRESS, "forward Host"),
        (UpstreamKind::Authjs, ("server", "x"), "AUTH_URL"),
    ] {
        for path in ["/api/auth/providers", "/api/auth/signin"] {
            let log = LogCapture::start();
            let upstream = upstream_with_origin("http://localhost:3001", &[header]);
            let (_app, browser) = app_of(
                Auth::builder().upstream_base_url("http://auth").upstream_kind(kind).upstream_fetch(upstream),
            )
            .await;
            get_three_times(&browser, path).await;
            assert_eq!(log.times(WARNING), 1, "{path} {}", log.text());
            assert!(log.text().contains(fix), "{fix}: {}", log.text());
            assert!(log.text().contains("http://localhost:3001"), "{}", log.text());
        }
    }
}

/// The upstream builds its URLs from the `Host` header, or `AUTH_URL` is set to the origin of the app.
#[tokio::test]
async fn upstream_urls_with_the_origin_of_the_app_do_not_warn() {
    let log = LogCapture::start();
    let real = upstream().await;
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(real.url())).await;
    get_three_times(&browser, "/api/auth/providers").await;
    get_three_times(&browser, "/api/auth/signin").await;
    let own = "https://app.example.com";
    let builder = Auth::builder()
        .upstream_base_url("http://auth")
        .public_url(own)
        .upstream_fetch(upstream_with_origin(own, &[NEXT]));
    let (_app, browser) = app_of(builder).await;
    get_three_times(&browser, "/api/auth/providers").await;
    get_three_times(&browser, "/api/auth/signin").await;
    assert_eq!(log.times(WARNING), 0, "{}", log.text());
}

/// The upstream ignores `X-Forwarded-Proto`, so its URLs are http although the app is https.
#[tokio::test]
async fn http_urls_of_an_upstream_behind_an_https_app_warn() {
    let log = LogCapture::start();
    let upstream = upstream_with_origin("http://app.example.com", &[EXPRESS]);
    let builder = Auth::builder()
        .upstream_base_url("http://auth")
        .public_url("https://app.example.com")
        .upstream_fetch(upstream);
    let (_app, browser) = app_of(builder).await;
    get_three_times(&browser, "/api/auth/providers").await;
    assert_eq!(log.times("trust proxy"), 1, "{}", log.text());
}

/// In the parent-domain deployment, the sign-in pages are on the auth host, and its cookies have a `Domain` attribute.
/// Without `Domain`, the app does not get the cookies, so the warning is needed.
#[tokio::test]
async fn parent_domain_deployment_warns_only_without_a_cookie_domain() {
    for (cookie, path, times) in [
        ("authjs.csrf-token=x; Path=/; Domain=example.com", "/api/auth/signin", 0),
        ("authjs.csrf-token=x; Path=/", "/api/auth/signin", 1),
        ("authjs.csrf-token=x; Path=/", "/api/auth/providers", 1),
        ("", "/api/auth/providers", 0),
        ("", "/api/auth/signin", 0),
    ] {
        let log = LogCapture::start();
        let headers = [("set-cookie", cookie)];
        let upstream =
            upstream_with_origin("https://auth.example.com", if cookie.is_empty() { &[] } else { &headers });
        let builder = Auth::builder()
            .upstream_base_url("https://auth.example.com")
            .public_url("https://app.example.com");
        let (_app, browser) = app_of(builder.upstream_fetch(upstream)).await;
        get_three_times(&browser, path).await;
        assert_eq!(log.times(WARNING), times, "{cookie} {path} {}", log.text());
    }
}

/// Inspected bodies are forwarded unchanged, even above the size limit of the inspection or with invalid JSON.
#[tokio::test]
async fn bodies_inspected_for_foreign_urls_are_forwarded_unchanged() {
    let log = LogCapture::start();
    let large = format!("{}<form action=\"http://localhost:1/api/auth/signin/x\">", "x".repeat(200_000));
    let (sent, malformed) = (large.clone(), "{\"github\": {\"signinUrl\": 1");
    let upstream = Router::new()
        .route("/api/auth/signin", get(move || async move { Html(sent) }))
        .route("/api/auth/providers", get(move || async move { malformed }));
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url("http://auth").upstream_fetch(upstream)).await;
    let page = browser.get("/api/auth/signin").await;
    assert!(page.body == large && page.header("content-length") == large.len().to_string());
    assert_eq!(browser.get("/api/auth/providers").await.body, malformed);
    assert_eq!(log.times(WARNING), 0, "{}", log.text());
}

/// The callback URL has the host of the Next.js server. `upstream.host: preserve` is already the default here, so the
/// warning does not suggest it.
#[tokio::test]
async fn next_js_callback_warning_names_the_example() {
    let log = LogCapture::start();
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
    assert_eq!(log.times("will send visitors back to the upstream's own host"), 1, "{}", log.text());
    assert_eq!(log.times("examples/nextjs/README.md"), 1, "{}", log.text());
    assert!(!log.text().contains("upstream.host: preserve"), "{}", log.text());
}

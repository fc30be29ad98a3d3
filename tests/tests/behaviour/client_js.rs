//! The routes that serve the browser client, `client.js`. Its functions are tested in Chromium
//! (tests/tests/conformance).

use auth_proxy::options::UpstreamKind;

use crate::support::{Auth, app, app_of, is_robo, upstream};

#[tokio::test]
async fn client_js_is_cacheable_and_needs_no_unsafe_eval() {
    let upstream = upstream().await;
    let (app, browser) = app(&upstream).await;
    let script = browser.get("/api/auth/client.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert_eq!(script.header("cache-control"), "public, max-age=3600");
    assert_eq!(script.header("x-content-type-options"), "nosniff");
    assert!(script.body.contains("export async function signIn"));
    // The content security policy `script-src 'self'` forbids `eval` and `new Function`.
    assert!(!script.body.contains("eval(") && !script.body.contains("new Function"));
    let types = browser.get("/api/auth/client.d.ts").await;
    assert!(types.body.contains("export function signIn"));
    let tag = script.header("etag").to_owned();
    let again =
        browser.get_with("/api/auth/client.js", &[("if-none-match", &format!("\"x\", W/{tag}"))]).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let head = reqwest::Client::new().head(app.url("/api/auth/client.js")).send().await.unwrap();
    assert_eq!(head.status().as_u16(), 200);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn with_client_js_off_its_path_is_forwarded_to_the_upstream() {
    let upstream = upstream().await;
    let (_app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url()).client_js(false)).await;
    // The fake upstream responds like to any unknown path.
    let status = browser.get("/api/auth/client.js").await.status;
    assert_eq!(status, if is_robo() { 200 } else { 400 });
    assert_eq!(upstream.seen().len(), 1);
}

/// The module has the same functions for every kind. An app that changes its kind has another `ETag`, so that no browser
/// keeps the module of the old kind.
#[tokio::test]
async fn client_js_is_that_of_the_kind() {
    const EXPORTS: [&str; 7] =
        ["AuthError", "getCsrfToken", "getProviders", "getSession", "signIn", "signOut", "signUp"];
    let upstream = upstream().await;
    let mut scripts = Vec::new();
    for kind in [UpstreamKind::Authjs, UpstreamKind::NextAuthV4, UpstreamKind::BetterAuth] {
        let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_kind(kind);
        let (_app, browser) = app_of(builder).await;
        let script = browser.get("/api/auth/client.js").await;
        let names = script.body.lines().filter_map(|line| {
            let line = line.strip_prefix("export ")?.trim_start_matches("async ");
            line.split(&[' ', '('][..]).nth(1)
        });
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        assert_eq!(names, EXPORTS, "{kind}");
        let types = browser.get("/api/auth/client.d.ts").await;
        assert_eq!(types.header("etag"), script.header("etag"));
        for name in EXPORTS {
            assert!(types.body.contains(&format!(" {name}")), "{name}");
        }
        scripts.push((script.header("etag").to_owned(), script.body));
    }
    assert_eq!(scripts[0], scripts[1]);
    assert_ne!(scripts[0].0, scripts[2].0);
    assert!(scripts[2].1.contains("sign-in/email") && !scripts[0].1.contains("sign-in/email"));
    assert!(!scripts[2].1.contains("callback/credentials"));
}

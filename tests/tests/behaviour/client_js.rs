//! The routes that serve the browser client, `client.js`. Its functions are tested in Chromium
//! (tests/tests/conformance).

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

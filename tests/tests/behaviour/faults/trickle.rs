//! The timeout of a response that the proxy buffers, while its bytes arrive slowly.

use std::time::Duration;

use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{Answer, loopback_client};
use serde_json::Value;

use crate::support::{Auth, app_of, users};

/// With `X-Auth-Return-Redirect`, the proxy buffers a JSON body that contains the redirect. A timeout that restarts
/// with each byte would let a slow upstream keep the visitor waiting for hours.
#[tokio::test]
async fn buffered_response_has_one_timeout_for_all_bytes() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let builder =
        Auth::builder().upstream_base_url(upstream.url()).upstream_timeout(Duration::from_millis(500));
    let (app, _) = app_of(builder).await;
    let client = loopback_client();
    let csrf = client.get(app.url("/api/auth/csrf")).send().await.unwrap();
    let cookie = csrf.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let csrf: Value = csrf.json().await.unwrap();
    let sign_out = async || {
        let form = [("csrfToken", csrf["csrfToken"].as_str().unwrap())];
        let request = client.post(app.url("/api/auth/signout")).form(&form).header("cookie", &cookie);
        Answer::of(request.header("x-auth-return-redirect", "1").send().await.unwrap()).await
    };
    assert_eq!(sign_out().await.json()["url"], app.url(""));
    // 30 bytes at 200 ms each take longer than the timeout.
    upstream.set_fault(Some(Fault::TrickleBody(Duration::from_millis(200)))).await.unwrap();
    assert_eq!(sign_out().await.code(), "upstream_timeout");
    upstream.set_fault(None).await.unwrap();
    assert_eq!(sign_out().await.json()["url"], app.url(""));
}

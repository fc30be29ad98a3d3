//! Complete OAuth sign-ins with a real Auth.js server behind the proxy and a real OpenID provider that requires PKCE.
//! The tests follow redirects and submit forms as a browser does.

use auth_proxy::options::SessionStrategy;
use auth_proxy_tests::{Answer, Browser, between, follow_to_the_end};

use crate::deployments::{Deployment, front_door, parent_domain, redirect_proxy};

/// Starts a sign-in at an app and checks the redirect to the provider.
async fn begin(browser: &Browser, deployment: &Deployment) -> Answer {
    let start = browser.post_auth("signin/idp", &[("callbackUrl", "/protected")]).await;
    let authorize = reqwest::Url::parse(start.header("location")).unwrap();
    let parameter = |name: &str| {
        authorize.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    assert!(start.header("location").starts_with(&deployment.provider), "{start:?}");
    assert_eq!(parameter("redirect_uri"), Some(deployment.callback.clone()));
    assert_eq!(parameter("code_challenge_method").as_deref(), Some("S256"));
    start
}

#[tokio::test]
async fn front_door_oauth_signs_in_and_out() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let deployment = front_door(strategy).await;
        let own = &deployment.apps[0];
        let browser = Browser::at(own);
        let refused = browser.get_with("/protected", &[("accept", "text/html")]).await;
        assert_eq!(refused.header("location"), "/api/auth/signin?callbackUrl=%2Fprotected");
        // The visitor logs in and consents at the provider, and returns to the page that was requested first.
        let (page, at) = follow_to_the_end(&browser, begin(&browser, &deployment).await, own.clone()).await;
        assert_eq!((at, page.body.as_str()), (format!("{own}/protected"), "ok"), "{strategy:?}");
        assert_eq!(browser.get("/me").await.body, "ada@idp.example");
        browser.sign_out().await;
        for path in ["/me", "/protected"] {
            assert_eq!(browser.get(path).await.status, 401, "{strategy:?} {path}");
        }
    }
}

/// A visitor who signs in at one app is signed in at the other app. The callback is at the auth host.
#[tokio::test]
async fn parent_domain_session_is_shared_by_all_apps() {
    let deployment = parent_domain().await;
    let [one, other] = &deployment.apps[..] else { panic!("the deployment does not have two apps") };
    let browser = Browser::at(one);
    let refused = browser.get_with("/protected", &[("accept", "text/html")]).await;
    let page = browser.get(refused.header("location")).await;
    let csrf = between(&page.body, "name=\"csrfToken\" value=\"", "\"").unwrap().to_owned();
    // The form of the sign-in page posts to the auth host.
    let action = format!("{}/api/auth/signin/idp", deployment.auth_host);
    assert!(page.body.contains(&action), "{page:?}");
    let back = format!("{one}/protected");
    let start = browser.post(&action, &[("csrfToken", &csrf), ("callbackUrl", &back)]).await;
    let (page, at) = follow_to_the_end(&browser, start, deployment.auth_host.clone()).await;
    assert_eq!((at, page.body.as_str()), (back, "ok"));
    assert_eq!(browser.get(&format!("{other}/me")).await.body, "ada@idp.example");
    // A sign-out at one app signs out at the other app too.
    browser.sign_out().await;
    assert_eq!(browser.get(&format!("{other}/me")).await.status, 401);
}

/// The auth host forwards the callback to the app where the sign-in started.
#[tokio::test]
async fn redirect_proxy_serves_two_apps_with_one_callback() {
    let deployment = redirect_proxy().await;
    for own in &deployment.apps {
        let browser = Browser::at(own);
        let (page, at) = follow_to_the_end(&browser, begin(&browser, &deployment).await, own.clone()).await;
        assert_eq!((at, page.body.as_str()), (format!("{own}/protected"), "ok"));
        assert_eq!(browser.get("/me").await.body, "ada@idp.example");
        browser.sign_out().await;
        assert_eq!(browser.get("/me").await.status, 401);
    }
}

/// Callbacks with an invented code or with an error do not sign in.
#[tokio::test]
async fn forged_callback_does_not_sign_in() {
    let deployment = front_door(SessionStrategy::Jwt).await;
    let own = &deployment.apps[0];
    let browser = Browser::at(own);
    browser.post_auth("signin/idp", &[("callbackUrl", "https://evil.example/")]).await;
    for query in ["code=forged&state=forged", "error=access_denied", "code=forged", ""] {
        let answer = browser.get(&format!("/api/auth/callback/idp?{query}")).await;
        assert!(answer.header("location").starts_with(&format!("{own}/api/auth/")), "{query}: {answer:?}");
        assert_eq!(browser.get("/me").await.status, 401, "{query}");
    }
    // HEAD must not reach a callback, where it would use up the code.
    let head =
        reqwest::Client::new().head(format!("{own}/api/auth/callback/idp?code=x")).send().await.unwrap();
    assert_eq!(head.status().as_u16(), 405);
}

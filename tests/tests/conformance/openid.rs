//! OAuth sign-in that completes: a real Auth.js server behind the proxy, and a real OpenID provider
//! that demands PKCE. The steps are those of a browser; no redirect is followed but by hand.

use auth_proxy::options::SessionStrategy;
use auth_proxy_tests::{Answer, Browser};

use crate::deployments::{Deployment, front_door, parent_domain, redirect_proxy};

/// Follows redirects until there is none, and through the forms of the provider. Answers the last
/// page and its address.
pub(crate) async fn walk(browser: &Browser, mut answer: Answer, mut at: String) -> (Answer, String) {
    for _ in 0..20 {
        if (300..400).contains(&answer.status) {
            at = absolute(&at, answer.header("location"));
            answer = browser.get(&at).await;
        } else if let Some(action) = between(&answer.body, "action=\"", "\"") {
            let prompt =
                between(&answer.body, "name=\"prompt\" value=\"", "\"").expect("a prompt").to_owned();
            at = absolute(&at, action);
            answer = browser.post(&at, &[("prompt", &prompt), ("login", "ada"), ("password", "any")]).await;
        } else {
            return (answer, at);
        }
    }
    panic!("in circles at {at}: {answer:?}");
}

pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}

/// A link as a browser reads it.
fn absolute(base: &str, link: &str) -> String {
    reqwest::Url::parse(base).unwrap().join(link).unwrap().to_string()
}

/// Begins a sign-in at an app, and looks at where it leads.
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
async fn the_front_door_signs_in_and_out() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let deployment = front_door(strategy).await;
        let own = &deployment.apps[0];
        let browser = Browser::at(own);
        let refused = browser.get_with("/protected", &[("accept", "text/html")]).await;
        assert_eq!(refused.header("location"), "/api/auth/signin?callbackUrl=%2Fprotected");
        // Through the provider's login and consent, and back to the page that was asked for.
        let (page, at) = walk(&browser, begin(&browser, &deployment).await, own.clone()).await;
        assert_eq!((at, page.body.as_str()), (format!("{own}/protected"), "ok"), "{strategy:?}");
        assert_eq!(browser.get("/me").await.body, "ada@idp.example");
        browser.sign_out().await;
        for path in ["/me", "/protected"] {
            assert_eq!(browser.get(path).await.status, 401, "{strategy:?} {path}");
        }
    }
}

/// Who signs in at one app is known at the other, and the callback is the auth host's.
#[tokio::test]
async fn the_parent_domain_is_known_everywhere() {
    let deployment = parent_domain().await;
    let [one, other] = &deployment.apps[..] else { panic!("two apps") };
    let browser = Browser::at(one);
    let refused = browser.get_with("/protected", &[("accept", "text/html")]).await;
    let page = browser.get(refused.header("location")).await;
    let csrf = between(&page.body, "name=\"csrfToken\" value=\"", "\"").unwrap().to_owned();
    // The page is the auth host's own, and so is its form.
    let action = format!("{}/api/auth/signin/idp", deployment.auth_host);
    assert!(page.body.contains(&action), "{page:?}");
    let back = format!("{one}/protected");
    let start = browser.post(&action, &[("csrfToken", &csrf), ("callbackUrl", &back)]).await;
    let (page, at) = walk(&browser, start, deployment.auth_host.clone()).await;
    assert_eq!((at, page.body.as_str()), (back, "ok"));
    assert_eq!(browser.get(&format!("{other}/me")).await.body, "ada@idp.example");
    // Signed out here is signed out there.
    browser.sign_out().await;
    assert_eq!(browser.get(&format!("{other}/me")).await.status, 401);
}

/// The auth host passes the one callback on to the app where the sign-in began.
#[tokio::test]
async fn the_redirect_proxy_serves_two_apps_with_one_callback() {
    let deployment = redirect_proxy().await;
    for own in &deployment.apps {
        let browser = Browser::at(own);
        let (page, at) = walk(&browser, begin(&browser, &deployment).await, own.clone()).await;
        assert_eq!((at, page.body.as_str()), (format!("{own}/protected"), "ok"));
        assert_eq!(browser.get("/me").await.body, "ada@idp.example");
        browser.sign_out().await;
        assert_eq!(browser.get("/me").await.status, 401);
    }
}

/// A callback that was made up, or that says no, signs nobody in.
#[tokio::test]
async fn a_forged_callback_signs_nobody_in() {
    let deployment = front_door(SessionStrategy::Jwt).await;
    let own = &deployment.apps[0];
    let browser = Browser::at(own);
    browser.post_auth("signin/idp", &[("callbackUrl", "https://evil.example/")]).await;
    for query in ["code=forged&state=forged", "error=access_denied", "code=forged", ""] {
        let answer = browser.get(&format!("/api/auth/callback/idp?{query}")).await;
        assert!(answer.header("location").starts_with(&format!("{own}/api/auth/")), "{query}: {answer:?}");
        assert_eq!(browser.get("/me").await.status, 401, "{query}");
    }
    // HEAD never reaches a callback, where it would spend the code.
    let head =
        reqwest::Client::new().head(format!("{own}/api/auth/callback/idp?code=x")).send().await.unwrap();
    assert_eq!(head.status().as_u16(), 405);
}

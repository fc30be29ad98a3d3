//! Sign-in with a real OpenID provider through the proxy.

use auth_proxy_tests::process::{Process, identity_provider};
use auth_proxy_tests::{Answer, follow_to_the_end, free_port};
use serde_json::{Value, json};

use crate::proxy::{FrontDoor, assert_signed_in, assert_signed_out, front_door_at};
use crate::server::{BetterAuthServer, VERSIONS, Visitor};

/// Where a sign-in starts, and where the provider sends the visitor back to.
fn routes(version: &str) -> (&'static str, &'static str, &'static str) {
    match version {
        "1.7" => ("/sign-in/social", "provider", "/api/auth/callback/idp"),
        _ => ("/sign-in/oauth2", "providerId", "/api/auth/oauth2/callback/idp"),
    }
}

async fn with_provider(version: &str, base_url: impl Fn(u16) -> Value) -> (FrontDoor, Process, String) {
    let port = free_port();
    let callback = format!("http://127.0.0.1:{port}{}", routes(version).2);
    let idp = identity_provider(&callback);
    let options = json!({
        "version": version, "baseURL": base_url(port), "plugins": ["generic-oauth"],
        "issuer": format!("http://127.0.0.1:{}", idp.port("port")),
    });
    let door = front_door_at(port, options, BetterAuthServer::start, |auth| auth).await;
    (door, idp, callback)
}

async fn begin(version: &str, visitor: &Visitor, callback: &str) -> (Answer, String) {
    let (start, field, _) = routes(version);
    let answer = visitor.post(start, json!({ field: "idp", "callbackURL": "/protected" })).await;
    assert_eq!(answer.status, 200, "{version} {answer:?}");
    let to = answer.json()["url"].as_str().unwrap().to_owned();
    let authorize = reqwest::Url::parse(&to).unwrap();
    let redirect = authorize.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    assert_eq!(redirect, callback, "{version}");
    (answer, to)
}

/// The base URL is fixed to the origin of the app, unset, or a list of allowed hosts.
#[tokio::test]
async fn visitor_signs_in_with_a_provider() {
    for version in VERSIONS {
        let fixed = |port: u16| json!(format!("http://127.0.0.1:{port}"));
        let unset = |_: u16| Value::Null;
        let dynamic =
            |port: u16| json!({ "allowedHosts": [format!("127.0.0.1:{port}")], "protocol": "http" });
        let base_urls: [&dyn Fn(u16) -> Value; 3] = [&fixed, &unset, &dynamic];
        for base_url in base_urls {
            let (door, _idp, callback) = with_provider(version, base_url).await;
            let visitor = door.visitor();
            let (start, to) = begin(version, &visitor, &callback).await;
            // The address of the provider stays as it is, in the body and in the header.
            if version == "1.7" {
                assert_eq!(start.header("location"), to);
            }
            let first = visitor.get(&to).await;
            let (page, at) = follow_to_the_end(&visitor.browser, first, to).await;
            assert_eq!((at, page.body.as_str()), (format!("{}/protected", door.own), "ok"), "{version}");
            assert_signed_in(&visitor, "ada@idp.example").await;
            visitor.sign_out().await;
            assert_signed_out(&visitor).await;
        }
    }
}

/// A callback of another browser, or a second time, ends on the error page and signs nobody in.
#[tokio::test]
async fn callback_of_another_browser_signs_nobody_in() {
    for version in VERSIONS {
        let (door, _idp, callback) =
            with_provider(version, |port| json!(format!("http://127.0.0.1:{port}"))).await;
        let (visitor, other) = (door.visitor(), door.visitor());
        let (_, mut at) = begin(version, &visitor, &callback).await;
        // Follows the visitor to the callback, and does not open it.
        let mut answer = visitor.get(&at).await;
        while !answer.header("location").starts_with(&callback) {
            if let Some(action) = auth_proxy_tests::between(&answer.body, "action=\"", "\"") {
                let prompt =
                    auth_proxy_tests::between(&answer.body, "name=\"prompt\" value=\"", "\"").unwrap();
                let form = [("prompt", prompt), ("login", "ada"), ("password", "any")];
                at = reqwest::Url::parse(&at).unwrap().join(action).unwrap().to_string();
                answer = visitor.browser.post(&at, &form).await;
            } else {
                assert!((300..400).contains(&answer.status), "{version} {answer:?}");
                at = reqwest::Url::parse(&at).unwrap().join(answer.header("location")).unwrap().to_string();
                answer = visitor.get(&at).await;
            }
        }
        let link = answer.header("location").to_owned();
        let stolen = other.get(&link).await;
        let error = format!("{}/api/auth/error?error=", door.own);
        assert!(stolen.header("location").starts_with(&error), "{version} {stolen:?}");
        assert_signed_out(&other).await;
    }
}

//! `sign_in_limit` with real Better Auth servers: no spelling of an account gets around the limit.

use auth_proxy_tests::loopback_client;
use serde_json::json;

use crate::proxy::{FrontDoor, front_door};
use crate::server::{PASSWORD, VERSIONS, email};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Sends a body, and returns the status and whether a session cookie came back.
async fn send(door: &FrontDoor, content_type: &str, body: &str) -> (u16, bool) {
    let request = loopback_client().post(format!("{}/api/auth/sign-in/email", door.own));
    let request = request.header("content-type", content_type).header("origin", &door.own);
    let response = request.body(body.to_owned()).send().await.unwrap();
    let cookies = response.headers().get_all("set-cookie").iter();
    let signs_in =
        cookies.filter_map(|cookie| cookie.to_str().ok()).any(|cookie| cookie.contains("session_token="));
    (response.status().as_u16(), signs_in)
}

#[tokio::test]
async fn no_spelling_of_an_account_gets_around_its_limit() {
    let (ada, upper) = (email("ada"), email("ada").to_uppercase());
    let json = |email: &str| json!({ "email": email, "password": PASSWORD }).to_string();
    let spellings = [
        (JSON, json(&ada)),
        (JSON, json(&upper)),
        (JSON, json(&format!(" {ada}"))),
        (JSON, format!(r#"{{"\u0065mail":"{ada}","password":"{PASSWORD}"}}"#)),
        (JSON, format!(r#"{{"email":"x@y.zz","email":"{ada}","password":"{PASSWORD}"}}"#)),
        (JSON, format!(r#"{{"x":"\ud800","email":"{ada}","password":"{PASSWORD}"}}"#)),
        ("application/json; charset=utf-8", json(&ada)),
        ("Application/JSON", json(&ada)),
        ("application/vnd.api+json", json(&ada)),
        ("text/plain", json(&ada)),
        (FORM, format!("email={ada}&password={}", PASSWORD.replace(' ', "+"))),
        (FORM, format!("email=x@y.zz&email={ada}&password={}", PASSWORD.replace(' ', "+"))),
        (FORM, format!("%65mail={}&password={}", ada.replace('@', "%40"), PASSWORD.replace(' ', "%20"))),
    ];
    for version in VERSIONS {
        // A sign-up counts too, so there is one attempt left.
        let door =
            front_door(json!({ "version": version }), |auth| auth.sign_in_limit_per_account("2/1m")).await;
        door.visitor().sign_up("ada").await;
        let wrong = json!({ "email": ada, "password": "another password" }).to_string();
        assert_eq!(send(&door, JSON, &wrong).await, (401, false), "{version}");
        for (content_type, body) in &spellings {
            let (status, signs_in) = send(&door, content_type, body).await;
            assert!(matches!(status, 400 | 429) && !signs_in, "{version} {content_type} {body}: {status}");
        }
        assert_eq!(door.visitor().sign_up("bob").await.status, 200, "{version}: another account");
        let open = front_door(json!({ "version": version }), |auth| auth).await;
        open.visitor().sign_up("ada").await;
        let mut accepted = 0;
        for (content_type, body) in &spellings {
            accepted += usize::from(send(&open, content_type, body).await.1);
        }
        println!("{version} signs in with {accepted} of {}", spellings.len());
        assert!(accepted >= 5, "{version}: the spellings are worth a test, {accepted} sign in");
    }
}

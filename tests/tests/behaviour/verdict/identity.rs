//! The identity headers: which are sent, and that a value cannot become something else.

use auth_proxy::verdict::{IdentityHeader, remove_identity_headers};
use auth_proxy_tests::LogCapture;
use axum::http::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use super::{Question, Verdict, builder_of, guests, upstream};

async fn verdict_on(user: Value, headers: &[IdentityHeader]) -> Verdict {
    let auth = builder_of(upstream(user, &[])).build().unwrap();
    let app = auth.verdict().identity_headers(headers.iter().copied()).router();
    let verdict = Question::nginx("/").cookie("ada").ask(&app).await;
    assert_eq!(verdict.status, 200, "{verdict:?}");
    verdict
}

use IdentityHeader::{Email, Name, Roles, Subject};

#[tokio::test]
async fn values_are_percent_encoded_and_cannot_add_a_header() {
    for (name, expected) in [
        ("Zoë 🦀", Some("Zo%C3%AB %F0%9F%A6%80")),
        ("Ada\r\nX-Auth-Roles: admin", Some("Ada%0D%0AX-Auth-Roles: admin")),
        ("Lovelace, Ada", Some("Lovelace%2C Ada")),
        ("\u{0}", Some("%00")),
        ("", None),
    ] {
        let verdict = verdict_on(json!({ "id": "7", "name": name }), &[Subject, Name, Roles]).await;
        assert_eq!(verdict.header("x-auth-name"), expected, "{name:?}");
        assert_eq!(verdict.header("x-auth-roles"), None);
    }
}

/// A proxy refuses a response with a long head, so the visitor would be locked out.
#[tokio::test]
async fn value_over_a_kilobyte_is_left_out() {
    let long = "a".repeat(10_000);
    let user = json!({ "id": "7", "name": long, "email": long, "role": long });
    assert_eq!(verdict_on(user, &[Subject, Name, Email, Roles]).await.identity(), [("x-auth-subject", "7")]);
    let user = json!({ "id": long, "name": "Ada" });
    assert_eq!(verdict_on(user, &[Subject, Name]).await.identity(), [("x-auth-name", "Ada")]);
}

#[tokio::test]
async fn only_chosen_headers_are_sent() {
    let user = json!({ "id": "7", "name": "Ada", "email": "ada@example.com", "role": "admin,a b" });
    let verdict = verdict_on(user.clone(), &[Roles]).await;
    assert_eq!(verdict.identity(), [("x-auth-roles", "admin,a b")]);
    assert!(verdict_on(user.clone(), &[]).await.identity().is_empty());
    assert_eq!(verdict_on(user, &[Subject]).await.identity(), [("x-auth-subject", "7")]);
}

#[tokio::test]
async fn roles_come_as_text_or_list() {
    for (role, expected) in [
        (json!({ "roles": ["admin", "a,b"] }), Some("admin,a%2Cb")),
        (json!({ "role": "admin" }), Some("admin")),
        (json!({ "role": "user, admin" }), Some("user,admin")),
        (json!({ "role": ["x"] }), Some("x")),
        (json!({ "role": "user", "roles": ["admin"] }), Some("user,admin")),
        (json!({ "role": null }), None),
        (json!({ "role": { "admin": true } }), None),
        // With a part of the roles, a service could take a visitor for another one.
        (json!({ "roles": ["admin", 1] }), None),
        (json!({ "roles": [["admin"]] }), None),
        (json!({ "role": "admin", "roles": { "suspended": true } }), None),
        (json!({ "role": null, "roles": ["admin"] }), None),
        (json!({ "role": "" }), None),
    ] {
        let mut user = role.clone();
        user["id"] = "7".into();
        assert_eq!(verdict_on(user, &[Roles]).await.header("x-auth-roles"), expected, "{role}");
    }
}

/// Auth.js's default session has no id. The email address is not one.
#[tokio::test]
async fn session_without_an_id_has_no_subject_and_the_log_says_what_to_set() {
    let log = LogCapture::start();
    for id in [Value::Null, "".into()] {
        let verdict = verdict_on(json!({ "id": id, "email": "ada@example.com" }), &[Subject, Email]).await;
        assert_eq!(verdict.identity(), [("x-auth-email", "ada@example.com")]);
    }
    assert!(log.text().contains("has no `X-Auth-Subject`"), "{}", log.text());
}

/// Envoy passes on the client's header, unless the answer replaces or removes it.
#[tokio::test]
async fn envoy_is_told_to_remove_the_headers_that_are_not_set() {
    let auth = builder_of(upstream(json!({ "id": "7" }), &[])).build().unwrap();
    let removed = |verdict: &Verdict| {
        verdict.header("x-envoy-auth-headers-to-remove").map(|names| names.split(',').count())
    };
    let app = auth.verdict().rules(guests()).router();
    let verdict = Question::envoy("GET", "/").cookie("ada").ask(&app).await;
    assert_eq!(
        verdict.header("x-envoy-auth-headers-to-remove"),
        Some("x-auth-name,x-auth-email,x-auth-roles,x-auth-token")
    );
    assert_eq!(removed(&Question::envoy("GET", "/").ask(&app).await), Some(5));
    assert_eq!(removed(&Question::nginx("/").cookie("ada").ask(&app).await), None);
}

#[test]
fn identity_headers_of_a_client_are_removed_in_every_spelling() {
    let mut headers = HeaderMap::new();
    for name in [
        "X-Auth-Subject",
        "x_auth_subject",
        "X-Auth_Email",
        "x_AUTH-roles",
        "x-auth-token",
        "x-auth-",
        "x-author",
        "x-authentic",
        "authorization",
    ] {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), "1".parse().unwrap());
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), "2".parse().unwrap());
    }
    remove_identity_headers(&mut headers);
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "x-authentic", "x-author"]);
}

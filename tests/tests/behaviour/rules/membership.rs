//! Roles, permissions and organizations: where they stand, and in which form.

use auth_proxy::rules::{not, organization, permission, role};
use serde_json::json;

use super::{decide, is};

#[tokio::test]
async fn role_is_read_from_text_lists_and_commas() {
    for (user, expected) in [
        (json!({ "role": "admin" }), true),
        (json!({ "role": "user,admin" }), true),
        (json!({ "role": "user, admin" }), true),
        (json!({ "roles": ["user", "admin"] }), true),
        (json!({ "roles": "admin" }), true),
        (json!({ "role": "user", "roles": ["admin"] }), true),
        (json!({ "role": null, "roles": ["admin"] }), true),
        (json!({ "role": "Admin" }), false),
        (json!({ "role": "administrator" }), false),
        (json!({ "role": "super admin" }), false),
        (json!({ "role": "" }), false),
        (json!({ "roles": [] }), false),
        (json!({ "roles": ["user,admin"] }), false),
        (json!({ "roles": [["admin"], { "admin": true }, 1, null] }), false),
        (json!({ "roles": ["admin", 1] }), false),
        (json!({ "roles": [null, "admin"] }), false),
        (json!({ "role": "admin", "roles": [1] }), true),
        (json!({ "roles": { "admin": true } }), false),
        (json!({ "role": true }), false),
        (json!({ "role": 1 }), false),
        (json!({ "role": null }), false),
        (json!({}), false),
        (json!({ "name": "admin" }), false),
    ] {
        assert_eq!(decide(&json!({ "user": user }), &json!({}), role("admin")).await, is(expected), "{user}");
        let beside = json!({ "user": {}, "role": user.get("role"), "roles": user.get("roles") });
        let beside = without_nulls(beside, &user);
        assert_eq!(decide(&beside, &json!({}), role("admin")).await, is(expected), "{beside}");
        let claims = user.clone();
        assert_eq!(decide(&json!({ "user": {} }), &claims, role("admin")).await, is(expected), "{claims}");
    }
}

/// Removes the fields that the user does not have.
fn without_nulls(mut session: serde_json::Value, user: &serde_json::Value) -> serde_json::Value {
    let object = session.as_object_mut().unwrap();
    object.retain(|name, _| name == "user" || user.get(name).is_some());
    session
}

/// A token may be older than the session, so a role that was taken away stays taken away.
#[tokio::test]
async fn role_of_the_session_counts_before_that_of_the_token() {
    let claims = json!({ "role": "admin" });
    for (user, expected) in [
        (json!({ "role": "user" }), false),
        (json!({ "role": "" }), false),
        (json!({ "role": null }), false),
        (json!({ "roles": [] }), false),
        (json!({ "role": 5 }), false),
        (json!({ "name": "Ada" }), true),
    ] {
        assert_eq!(decide(&json!({ "user": user }), &claims, role("admin")).await, is(expected), "{user}");
    }
}

/// What is not known is no permission, negated or not.
#[tokio::test]
async fn negated_role_refuses_a_visitor_whose_roles_are_unknown() {
    for (user, expected) in [
        (json!({ "role": "guest" }), false),
        (json!({ "role": "user" }), true),
        (json!({ "roles": [] }), true),
        (json!({ "roles": ["user", "editor"] }), true),
        (json!({ "roles": [" guest"] }), false),
        (json!({ "roles": ["user,guest"] }), false),
        (json!({ "roles": [{ "name": "guest" }] }), false),
        (json!({ "roles": ["user", 5] }), false),
        (json!({ "roles": ["guest", 5] }), false),
        (json!({ "role": null }), false),
        (json!({ "role": 1 }), false),
        (json!({ "roles": { "guest": true } }), false),
        (json!({ "role": "user", "roles": null }), false),
        (json!({}), false),
    ] {
        let found = decide(&json!({ "user": user }), &json!({}), not(role("guest"))).await;
        assert_eq!(found, is(expected), "{user}");
        let twice = decide(&json!({ "user": user }), &json!({}), not(not(role("user")))).await;
        let is_readable = user.get("roles").and_then(|roles| roles.as_array());
        let is_readable = is_readable.is_none_or(|roles| roles.iter().all(|role| role.is_string()));
        let is_user =
            is_readable && user.get("role").or_else(|| user.pointer("/roles/0")) == Some(&json!("user"));
        assert_eq!(twice == "ok", is_user, "{user}");
    }
}

/// As of a configuration file with an empty value.
#[tokio::test]
async fn empty_role_allows_nobody() {
    for user in [json!({ "role": "" }), json!({ "role": "a,,b" }), json!({ "roles": [""] }), json!({})] {
        assert_eq!(decide(&json!({ "user": user }), &json!({}), role("")).await, is(false), "{user}");
        assert_eq!(decide(&json!({ "user": user }), &json!({}), not(role(""))).await, is(false), "{user}");
    }
}

#[tokio::test]
async fn field_of_a_role_is_named_by_name_or_pointer() {
    let keycloak = json!({ "realm_access": { "roles": ["admin"] }, "https://a.example/roles": ["admin"] });
    let nobody = json!({ "user": {} });
    for (field, expected) in [
        ("/realm_access/roles", true),
        ("https://a.example/roles", true),
        ("realm_access", false),
        ("/realm_access", false),
        ("/realm_access/roles/0", true),
        ("/realm_access/roles/", false),
        ("/realm_access/Roles", false),
        ("/", false),
        ("", false),
        ("//", false),
        ("/https:~1~1a.example~1roles", true),
    ] {
        assert_eq!(decide(&nobody, &keycloak, role("admin").in_field(field)).await, is(expected), "{field}");
    }
    // With a field of its own, no other one counts.
    let other = json!({ "user": { "role": "admin" } });
    assert_eq!(decide(&other, &json!({}), role("admin").in_field("level")).await, is(false));
}

#[tokio::test]
async fn permission_is_read_from_its_fields_and_from_scope() {
    let nobody = json!({ "user": {} });
    let claims = json!({ "permissions": ["orders:read"], "scope": "openid orders:write" });
    assert_eq!(decide(&nobody, &claims, permission("orders:read")).await, is(true));
    assert_eq!(decide(&nobody, &claims, permission("orders:write")).await, is(false));
    assert_eq!(decide(&nobody, &claims, permission("orders:write").in_field("scope")).await, is(true));
    assert_eq!(decide(&nobody, &claims, permission("orders").in_field("scope")).await, is(false));
    assert_eq!(
        decide(&nobody, &claims, permission("openid orders:write").in_field("scope")).await,
        is(false)
    );
    let user = json!({ "user": { "permission": "orders:read" } });
    assert_eq!(decide(&user, &claims, permission("orders:read")).await, is(true));
    assert_eq!(decide(&user, &claims, role("orders:read")).await, is(false));
}

/// What a visitor writes about their own employer is no membership.
#[tokio::test]
async fn organization_is_the_active_one_of_the_session() {
    let session =
        |details: serde_json::Value| json!({ "user": { "organization": "acme" }, "session": details });
    let acme = || organization("acme");
    assert_eq!(
        decide(&session(json!({ "activeOrganizationId": "acme" })), &json!({}), acme()).await,
        is(true)
    );
    for details in
        [json!({ "activeOrganizationId": "other" }), json!({ "activeOrganizationId": null }), json!({})]
    {
        assert_eq!(decide(&session(details.clone()), &json!({}), acme()).await, is(false), "{details}");
    }
    let claims = json!({ "org_id": "acme" });
    assert_eq!(decide(&json!({ "user": {} }), &claims, acme()).await, is(true));
    let none = json!({ "activeOrganizationId": null });
    assert_eq!(decide(&session(none), &claims, acme()).await, is(false), "none is chosen in the session");
    let slug = json!({ "user": {}, "org": "acme" });
    assert_eq!(decide(&slug, &json!({}), acme().in_field("org")).await, is(true));
}

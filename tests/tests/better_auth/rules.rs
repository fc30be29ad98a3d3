//! Rules with real Better Auth servers: roles of the plugin `admin`, the active organization, and the time of the sign-in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::options::UpstreamKind;
use auth_proxy::rules::{max_age, not, organization, role};
use auth_proxy_tests::{App, free_port};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use http::request::Parts;
use serde_json::json;

use crate::proxy::Auth;
use crate::server::{BetterAuthServer, VERSIONS, Visitor, email};

/// An app whose clock is ahead by so many seconds, with a page for each rule.
async fn app(version: &str, ahead: u64) -> (BetterAuthServer, App, Visitor) {
    app_with(version, ahead, &["admin", "organization"]).await
}

/// The same with other plugins of the server.
async fn app_with(version: &str, ahead: u64, plugins: &[&str]) -> (BetterAuthServer, App, Visitor) {
    let port = free_port();
    let own = format!("http://127.0.0.1:{port}");
    let server = BetterAuthServer::start(json!({ "version": version, "plugins": plugins, "baseURL": own }));
    let now = move || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + ahead;
    let auth = Auth::builder().upstream_kind(UpstreamKind::BetterAuth).upstream_base_url(server.url());
    let auth = auth.clock(now).build().unwrap();
    let of_organization = async |State(auth): State<Auth>, Path(id): Path<String>, mut parts: Parts| {
        auth.authorize(&mut parts, organization(id)).await.map(|()| "ok")
    };
    let page = || get(|| async { "ok" });
    let router = Router::new()
        .merge(Router::new().route("/admin", page()).route_layer(auth.require(role("admin"))))
        .merge(Router::new().route("/no_user", page()).route_layer(auth.require(not(role("user")))))
        .merge(
            Router::new()
                .route("/recent", page())
                .route_layer(auth.require(max_age(Duration::from_secs(600)))),
        )
        .route("/organizations/{id}", get(of_organization));
    let app = App::start_at(port, auth.attach(router).with_state(auth.clone())).await;
    let visitor = Visitor::at(&own);
    (server, app, visitor)
}

#[tokio::test]
async fn role_of_the_plugin_admin_decides() {
    for version in VERSIONS {
        let (server, _app, visitor) = app(version, 0).await;
        visitor.sign_up("ada").await;
        for (roles, admin, no_user) in [
            ("user", 403, 403),
            ("admin", 200, 200),
            ("user,admin", 200, 403),
            ("administrator", 403, 200),
            ("Admin", 403, 200),
        ] {
            server.role(&email("ada"), roles).await;
            let found = (visitor.get("/admin").await.status, visitor.get("/no_user").await.status);
            assert_eq!(found, (admin, no_user), "{version} {roles}");
        }
    }
}

#[tokio::test]
async fn active_organization_decides() {
    for version in VERSIONS {
        let (_server, _app, visitor) = app(version, 0).await;
        visitor.sign_up("ada").await;
        let mut ids = Vec::new();
        for slug in ["acme", "other"] {
            let body = json!({ "name": slug, "slug": slug, "keepCurrentActiveOrganization": true });
            let created = visitor.post("/organization/create", body).await;
            ids.push(created.json()["id"].as_str().unwrap().to_owned());
        }
        let status = async |id: &str| visitor.get(&format!("/organizations/{id}")).await.status;
        visitor.post("/organization/set-active", json!({ "organizationId": null })).await;
        assert_eq!(status(&ids[0]).await, 403, "{version}: none is active");
        visitor.post("/organization/set-active", json!({ "organizationId": ids[0] })).await;
        assert_eq!((status(&ids[0]).await, status(&ids[1]).await, status("acme").await), (200, 403, 403));
    }
}

/// Better Auth leaves the active organization in the sessions of members who were removed, so the guide has a plugin that
/// takes it out.
#[tokio::test]
async fn removed_member_acts_for_the_organization_only_without_the_plugin_of_the_guide() {
    let plugin = include_str!("../../better-auth/members-only.mjs");
    assert!(include_str!("../../../auth-proxy/docs/guide/policies.md").contains(plugin));
    for version in VERSIONS {
        for (plugins, after_removal) in
            [(&["organization"][..], 200), (&["organization", "members-only"], 403)]
        {
            let (_server, _app, owner) = app_with(version, 0, plugins).await;
            owner.sign_up("ada").await;
            let created = owner.post("/organization/create", json!({ "name": "acme", "slug": "acme" })).await;
            let acme = created.json()["id"].as_str().unwrap().to_owned();
            let member = Visitor::at(owner.browser.origin());
            member.sign_up("bob").await;
            let invited = json!({ "email": email("bob"), "role": "member", "organizationId": acme });
            let invitation = owner.post("/organization/invite-member", invited).await.json()["id"].clone();
            let accepted = json!({ "invitationId": invitation });
            assert_eq!(
                member.post("/organization/accept-invitation", accepted).await.status,
                200,
                "{version}"
            );
            member.post("/organization/set-active", json!({ "organizationId": acme })).await;
            let page = format!("/organizations/{acme}");
            let statuses = async || (owner.get(&page).await.status, member.get(&page).await.status);
            assert_eq!(statuses().await, (200, 200), "{version} {plugins:?}");
            let removed = json!({ "memberIdOrEmail": email("bob"), "organizationId": acme });
            assert_eq!(owner.post("/organization/remove-member", removed).await.status, 200, "{version}");
            assert_eq!(statuses().await, (200, after_removal), "{version} {plugins:?}");
        }
    }
}

/// A lookup extends the session, and keeps the time at which it began.
#[tokio::test]
async fn session_tells_when_the_visitor_signed_in() {
    for version in VERSIONS {
        for (ahead, expected) in [(0, 200), (590, 200), (700, 401)] {
            let (_server, _app, visitor) = app(version, ahead).await;
            visitor.sign_up("ada").await;
            for _ in 0..2 {
                let answer = visitor.get("/recent").await;
                assert_eq!(answer.status, expected, "{version} {ahead} {answer:?}");
            }
        }
    }
}

/// An admin who impersonates a user has not signed in as the user.
#[tokio::test]
async fn impersonated_session_is_no_recent_sign_in() {
    for version in VERSIONS {
        let (server, _app, admin) = app(version, 0).await;
        let user = Visitor::at(admin.browser.origin());
        user.sign_up("ada").await;
        let id = user.session().await.json()["user"]["id"].clone();
        admin.sign_up("root").await;
        server.role(&email("root"), "admin").await;
        assert_eq!(admin.get("/recent").await.status, 200, "{version}");
        let answer = admin.post("/admin/impersonate-user", json!({ "userId": id })).await;
        assert_eq!(answer.status, 200, "{version} {answer:?}");
        let refused = admin.get("/recent").await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "sign_in_time_unknown"), "{version}");
    }
}

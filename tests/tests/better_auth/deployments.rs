//! Deployments of several apps with one Better Auth server and an OpenID provider.

use auth_proxy_tests::process::{Process, identity_provider};
use auth_proxy_tests::{App, follow_to_the_end, free_port, loopback_client};
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};

use crate::proxy::{Auth, FrontDoor, assert_signed_out, front_door_at, pages};
use crate::server::{BetterAuthServer, Visitor};

/// Where the provider sends a visitor back to.
pub(crate) fn callback(version: &str, origin: &str) -> String {
    let route = if version == "1.7" { "callback/idp" } else { "oauth2/callback/idp" };
    format!("{origin}/api/auth/{route}")
}

/// Running apps, and what is behind them.
pub(crate) struct Deployment {
    /// The origin of each app.
    pub(crate) apps: Vec<String>,
    _running: (Vec<App>, BetterAuthServer, Process),
}

/// An app and a server behind it, whose base URL is the origin of the app.
pub(crate) async fn with_provider(version: &str) -> (FrontDoor, Process) {
    let port = free_port();
    let idp = identity_provider(&callback(version, &format!("http://127.0.0.1:{port}")));
    let options = options(version, &idp, json!({}));
    (front_door_at(port, options, BetterAuthServer::start, |auth| auth).await, idp)
}

/// An app that lists the origin of a page on another port in `cors.origins`, with this page in `trustedOrigins`. Returns
/// the origins of the page and of a page that is not listed.
pub(crate) async fn another_origin(version: &str) -> (FrontDoor, Process, Vec<App>, [String; 2]) {
    let port = free_port();
    let idp = identity_provider(&callback(version, &format!("http://127.0.0.1:{port}")));
    let [page, foreign] = [free_port(), free_port()];
    let origins = [page, foreign].map(|port| format!("http://127.0.0.1:{port}"));
    let options = options(version, &idp, json!({ "trustedOrigins": [origins[0]] }));
    let door =
        front_door_at(port, options, BetterAuthServer::start, |auth| auth.cors_origins([&origins[0]])).await;
    let mut pages = Vec::new();
    for port in [page, foreign] {
        let empty = || async { Html("<!doctype html><title>another origin</title>") };
        pages.push(App::start_at(port, Router::new().route("/", get(empty))).await);
    }
    (door, idp, pages, origins)
}

fn options(version: &str, idp: &Process, more: Value) -> Value {
    let issuer = format!("http://127.0.0.1:{}", idp.port("port"));
    let mut options = json!({ "version": version, "plugins": ["generic-oauth"], "issuer": issuer });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options
}

/// The origins of two apps on free ports.
fn origins(domain: &str) -> [(u16, String); 2] {
    ["one", "other"].map(|name| {
        let port = free_port();
        (port, format!("http://{name}.{domain}:{port}"))
    })
}

/// Two apps without a common domain and one internal server, which knows the hosts of both. The provider knows the
/// callback of each app.
pub(crate) async fn two_front_doors(version: &str) -> Deployment {
    let apps = origins("localtest");
    let idp = identity_provider(&apps.each_ref().map(|(_, own)| callback(version, own)).join(" "));
    let hosts = apps.each_ref().map(|(_, own)| own.trim_start_matches("http://"));
    let base_url = json!({ "allowedHosts": hosts, "protocol": "http" });
    let server = BetterAuthServer::start(options(version, &idp, json!({ "baseURL": base_url })));
    internal(apps, server, idp).await
}

/// The same, but the provider knows one callback, of a public address of the server. The plugin `oauth-proxy` passes the
/// visitor on to the app.
pub(crate) async fn one_callback_for_two_apps() -> Deployment {
    let apps = origins("localtest");
    let port = free_port();
    let auth_host = format!("http://auth.localtest:{port}");
    let idp = identity_provider(&callback("1.7", &auth_host));
    let mut hosts: Vec<_> = apps.iter().map(|(_, own)| own.trim_start_matches("http://")).collect();
    hosts.push(auth_host.trim_start_matches("http://"));
    let more = json!({
        "port": port, "baseURL": { "allowedHosts": hosts, "protocol": "http" },
        "plugins": ["generic-oauth", "oauth-proxy"], "oauthProxy": { "productionURL": auth_host },
    });
    let server = BetterAuthServer::start(options("1.7", &idp, more));
    internal(apps, server, idp).await
}

async fn internal(apps: [(u16, String); 2], server: BetterAuthServer, idp: Process) -> Deployment {
    let (mut running, mut origins) = (Vec::new(), Vec::new());
    for (port, own) in apps {
        let auth = Auth::builder().upstream_kind(kind()).upstream_base_url(server.url()).public_url(&own);
        running.push(App::start_at(port, pages(&auth.build().unwrap())).await);
        origins.push(own);
    }
    Deployment { apps: origins, _running: (running, server, idp) }
}

/// A public auth host and two apps, which have cookies in common if `shares_cookies`.
pub(crate) async fn public_server(version: &str, shares_cookies: bool) -> Deployment {
    let apps = origins("team.localtest");
    let port = free_port();
    let auth_host = format!("http://auth.team.localtest:{port}");
    let idp = identity_provider(&callback(version, &auth_host));
    let cookies = json!({ "crossSubDomainCookies": { "enabled": true, "domain": "team.localtest" } });
    let more = json!({
        "port": port, "baseURL": auth_host, "trustedOrigins": apps.each_ref().map(|(_, own)| own),
        "advanced": if shares_cookies { cookies } else { json!({}) },
    });
    let server = BetterAuthServer::start(options(version, &idp, more));
    let (mut running, mut origins) = (Vec::new(), Vec::new());
    for (port, own) in apps {
        let auth = Auth::builder()
            .upstream_kind(kind())
            .upstream_base_url(&auth_host)
            .upstream_allow_http(true)
            .public_url(&own)
            .upstream_fetch(auth_proxy::fetch::Reqwest::new(loopback_client()));
        running.push(App::start_at(port, pages(&auth.build().unwrap())).await);
        origins.push(own);
    }
    Deployment { apps: origins, _running: (running, server, idp) }
}

fn kind() -> auth_proxy::options::UpstreamKind {
    auth_proxy::options::UpstreamKind::BetterAuth
}

/// A public server that shares no cookies with the app: a password signs in, a provider does not, since its callback
/// reaches the other host without the cookie of the sign-in.
#[tokio::test]
async fn provider_cannot_sign_in_at_a_host_without_common_cookies() {
    for version in crate::server::VERSIONS {
        let deployment = public_server(version, false).await;
        let visitor = Visitor::at(&deployment.apps[0]);
        visitor.sign_up("ada").await;
        assert_eq!(visitor.get("/me").await.body, "ada@example.com", "{version}");
        visitor.sign_out().await;
        let (route, field) = match version {
            "1.7" => ("/sign-in/social", "provider"),
            _ => ("/sign-in/oauth2", "providerId"),
        };
        let callback = format!("{}/protected", deployment.apps[0]);
        let start = visitor.post(route, json!({ field: "idp", "callbackURL": callback })).await;
        let to = start.json()["url"].as_str().unwrap().to_owned();
        let first = visitor.get(&to).await;
        let (_, at) = follow_to_the_end(&visitor.browser, first, to).await;
        assert!(at.contains("/api/auth/error?") && at.contains("state_mismatch"), "{version} {at}");
        assert_signed_out(&visitor).await;
    }
}

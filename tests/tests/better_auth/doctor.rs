//! `auth.check()` with real Better Auth servers of two versions: each wrong deployment has its own code, and the right ones
//! have none.

use auth_proxy::doctor::{Deployment, Report};
use auth_proxy::fetch::Reqwest;
use auth_proxy::options::{Builder, Expected, TokenFormat, UpstreamKind};
use auth_proxy_tests::doctor::{assert_silent, change, codes};
use auth_proxy_tests::{free_port, loopback_client, watch};
use serde_json::{Value, json};

use crate::proxy::Auth;
use crate::server::{BetterAuthServer, SECRET, VERSIONS, Visitor};

const APP: &str = "https://app.example.com";

const WRONG: &str = "wr0ng-9f8e7d6c5b4a39281706f5e4d3c2b1";

/// A server of this version, whose base URL is that of the app.
fn server(version: &str, more: Value) -> BetterAuthServer {
    let mut options = json!({ "version": version, "baseURL": APP });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    BetterAuthServer::start(options)
}

/// An app in front of this server, with the secret of the server.
fn auth(server: &BetterAuthServer) -> Builder<Auth> {
    watch::secret(WRONG);
    Auth::builder()
        .upstream_base_url(server.url())
        .upstream_kind(UpstreamKind::BetterAuth)
        .public_url(APP)
        .upstream_secret([SECRET])
}

async fn check(builder: Builder<Auth>) -> Report {
    builder.build().unwrap().check().await
}

#[tokio::test]
async fn right_deployments_are_silent() {
    for version in VERSIONS {
        let https = server(version, json!({}));
        let report = check(auth(&https)).await;
        assert_silent(&report, version);
        assert_eq!(
            (report.server(), report.deployment()),
            (Some("Better Auth"), Some(Deployment::FrontDoor))
        );
        let http = server(version, json!({ "baseURL": "http://localhost:3000" }));
        assert_silent(&check(auth(&http).public_url("http://localhost:3000")).await, version);
        // Its origin is that of the request.
        let by_request = server(version, json!({ "baseURL": null }));
        assert_silent(&check(auth(&by_request)).await, version);
        let allowed = json!({ "baseURL": { "allowedHosts": ["app.example.com"], "protocol": "https" } });
        assert_silent(&check(auth(&server(version, allowed))).await, version);
        // The scheme comes with each request.
        let hosts = Auth::builder().upstream_base_url(https.url()).upstream_kind(UpstreamKind::BetterAuth);
        let hosts = hosts.hosts(["app.example.com"]).trusted_proxies(["10.0.0.0/8"]);
        let report = check(hosts.upstream_secret([SECRET])).await;
        assert!(codes(&report).is_empty(), "{version} {report}");
        assert_eq!(report.deployment(), Some(Deployment::FrontDoor), "{version}");
        let stateless = server(version, json!({ "stateless": true }));
        assert_silent(&check(auth(&stateless)).await, version);
        let named = server(version, json!({ "advanced": { "cookiePrefix": "my-app" } }));
        let builder = auth(&named).upstream_cookie_name("__Secure-my-app.session_token");
        assert_silent(&check(builder).await, version);
        let keys = server(version, json!({ "plugins": ["jwt"] }));
        let builder = auth(&keys)
            .upstream_secret([""; 0])
            .upstream_token(TokenFormat::Jwks)
            .upstream_issuer(Expected::Is(APP.to_owned()));
        assert_silent(&check(builder.upstream_audience(Expected::Is(APP.to_owned()))).await, version);
    }
}

#[tokio::test]
async fn right_parent_domain_is_silent() {
    for version in VERSIONS {
        let (server, builder) = parent_domain(version, true, &["http://app.team.localtest:3000"]);
        let report = check(builder).await;
        assert_silent(&report, version);
        assert_eq!(report.deployment(), Some(Deployment::ParentDomain), "{version}");
        drop(server);
    }
}

/// A public auth host, and an app below the same domain.
fn parent_domain(version: &str, shares: bool, trusted: &[&str]) -> (BetterAuthServer, Builder<Auth>) {
    let port = free_port();
    let auth_host = format!("http://auth.team.localtest:{port}");
    let cookies = json!({ "crossSubDomainCookies": { "enabled": true, "domain": "team.localtest" } });
    let server = server(
        version,
        json!({
            "port": port, "baseURL": auth_host, "trustedOrigins": trusted,
            "advanced": if shares { cookies } else { json!({}) },
        }),
    );
    let builder = auth(&server)
        .upstream_base_url(&auth_host)
        .upstream_allow_http(true)
        .public_url("http://app.team.localtest:3000")
        .upstream_fetch(Reqwest::new(loopback_client()));
    (server, builder)
}

#[tokio::test]
async fn wrong_secret_is_found_without_a_sign_in() {
    for version in VERSIONS {
        for more in [json!({}), json!({ "stateless": true })] {
            let server = server(version, more);
            let report = check(auth(&server).upstream_secret([WRONG])).await;
            let advice = change(&report, "secret_wrong");
            assert!(advice.contains("BETTER_AUTH_SECRET"), "{advice}");
            let rotated = check(auth(&server).upstream_secret([WRONG, SECRET])).await;
            assert_eq!(codes(&rotated), ["secret_outdated"], "{rotated}");
            assert!(rotated.findings()[0].evidence().contains("secret 2 of 2"), "{rotated}");
            assert_silent(&check(auth(&server).upstream_secret([SECRET, WRONG])).await, version);
            let quoted = check(auth(&server).upstream_secret([format!("'{SECRET}'")])).await;
            assert!(change(&quoted, "secret_wrong").contains("remove the quotes"), "{quoted}");
        }
    }
}

#[tokio::test]
async fn wrong_kind_and_base_path_are_found() {
    for version in VERSIONS {
        let right = server(version, json!({}));
        for kind in [UpstreamKind::Authjs, UpstreamKind::NextAuthV4, UpstreamKind::Robo] {
            let advice = change(&check(auth(&right).upstream_kind(kind)).await, "kind_wrong");
            assert_eq!(advice, "write `upstream.kind: better_auth`", "{version} {kind}");
        }
        let other = server(version, json!({ "basePath": "/auth" }));
        let advice = change(&check(auth(&other)).await, "base_path_wrong");
        assert_eq!(advice, "write `upstream.base_path: \"/auth\"`", "{version}");
        assert_silent(&check(auth(&other).upstream_base_path("/auth")).await, version);
    }
}

#[tokio::test]
async fn wrong_cookie_name_and_prefix_are_found() {
    for version in VERSIONS {
        let named = server(version, json!({ "advanced": { "cookiePrefix": "my-app" } }));
        let advice = change(&check(auth(&named)).await, "cookie_name_wrong");
        assert_eq!(advice, "write `upstream.cookie_name: \"__Secure-my-app.session_token\"`", "{version}");
        let own = json!({ "advanced": { "cookies": { "session_token": { "name": "sid" } } } });
        let advice = change(&check(auth(&server(version, own))).await, "cookie_name_wrong");
        assert_eq!(advice, "write `upstream.cookie_name: \"__Secure-sid\"`", "{version}");
        let plain = json!({ "advanced": { "useSecureCookies": false } });
        let builder =
            auth(&server(version, plain)).upstream_cookie_name("__Secure-better-auth.session_token");
        let advice = change(&check(builder).await, "cookie_prefix_wrong");
        assert!(advice.contains("`advanced.useSecureCookies`"), "{version} {advice}");
    }
}

#[tokio::test]
async fn wrong_base_url_of_the_server_is_found() {
    for version in VERSIONS {
        let internal = server(version, json!({ "baseURL": "http://auth.internal:3000" }));
        let report = check(auth(&internal)).await;
        let advice = change(&report, "callback_origin_wrong");
        assert!(advice.contains("set `baseURL` of Better Auth"), "{version} {advice}");
        let evidence = report.findings()[0].evidence();
        assert!(evidence.contains("http://auth.internal:3000") && evidence.contains(APP), "{evidence}");
        // The scheme alone.
        let http = server(version, json!({ "baseURL": "http://app.example.com" }));
        let advice = change(&check(auth(&http)).await, "callback_origin_wrong");
        assert!(advice.contains("set `baseURL` of Better Auth"), "{version} {advice}");
    }
}

#[tokio::test]
async fn parent_domain_without_shared_cookies_or_trust_is_found() {
    for version in VERSIONS {
        let (_server, builder) = parent_domain(version, false, &["http://app.team.localtest:3000"]);
        let advice = change(&check(builder).await, "cookies_not_shared");
        assert!(advice.contains("crossSubDomainCookies"), "{version} {advice}");
        let (_server, builder) = parent_domain(version, true, &["http://other.team.localtest:3000"]);
        let advice = change(&check(builder).await, "origin_not_trusted");
        assert!(
            advice.contains("`trustedOrigins: [\"http://app.team.localtest:3000\"]`"),
            "{version} {advice}"
        );
    }
}

#[tokio::test]
async fn database_that_fails_is_found() {
    for version in VERSIONS {
        let server = server(version, json!({}));
        // A bare Node server ends if its database fails at the first request.
        assert_silent(&check(auth(&server)).await, version);
        server.database(false).await;
        let report = check(auth(&server)).await;
        assert_eq!(codes(&report), ["database_failed"], "{version} {report}");
        server.database(true).await;
        assert_silent(&check(auth(&server)).await, version);
    }
}

#[tokio::test]
async fn missing_and_unusable_keys_are_found() {
    for version in VERSIONS {
        let keys = |server: &BetterAuthServer| {
            let builder = auth(server).upstream_secret([""; 0]).upstream_token(TokenFormat::Jwks);
            builder
                .upstream_issuer(Expected::Is(APP.to_owned()))
                .upstream_audience(Expected::Is(APP.to_owned()))
        };
        let advice = change(&check(keys(&server(version, json!({})))).await, "keys_not_fetched");
        assert!(advice.contains("add the plugin `jwt`"), "{version} {advice}");
        let es512 = json!({ "plugins": ["jwt"], "jwt": { "jwks": { "keyPairConfig": { "alg": "ES512" } } } });
        let advice = change(&check(keys(&server(version, es512))).await, "keys_unusable");
        assert!(advice.contains("list its algorithm in `jwks.algorithms`"), "{version} {advice}");
    }
}

/// A bare Node server ends at the first request with a host that its `baseURL` does not list.
#[tokio::test]
async fn server_that_ends_at_an_unlisted_host_is_found() {
    for version in VERSIONS {
        let listed = json!({ "allowedHosts": ["other.example.com"], "protocol": "https" });
        let server = BetterAuthServer::alone(json!({ "version": version, "baseURL": listed }));
        let advice = change(&check(auth(&server)).await, "response_broken");
        assert!(advice.contains("the log of the server says why"), "{version} {advice}");
    }
}

#[tokio::test]
async fn rate_limit_is_found() {
    for version in VERSIONS {
        let limited = server(version, json!({ "rateLimit": { "enabled": true, "window": 100, "max": 1 } }));
        let auth = auth(&limited).build().unwrap();
        // Each path has a count of its own, so the first check passes where it asks for no path twice.
        let _ = auth.check().await;
        let report = auth.check().await;
        assert_eq!(codes(&report), ["upstream_rate_limited"], "{version} {report}");
        assert!(report.is_ok(), "{version}");
    }
}

/// The check creates no user and no session, ends none, and sends no mail.
#[tokio::test]
async fn check_changes_nothing_at_the_server() {
    for version in VERSIONS {
        let server = server(version, json!({ "baseURL": null, "plugins": ["magic-link"] }));
        let visitor = Visitor::at(server.url());
        visitor.sign_up("ada").await;
        let before = server.sessions().await;
        let count = server.requests().await.len();
        assert_silent(&check(auth(&server)).await, version);
        assert_eq!(server.sessions().await, before, "{version}");
        assert_eq!(before.len(), 1, "{version}");
        assert!(server.mails().await.is_empty(), "{version}");
        assert_eq!(visitor.session().await.json()["user"]["email"], "ada@example.com", "{version}");
        let requests = server.requests().await;
        let asked: Vec<_> = requests[count..requests.len() - 1]
            .iter()
            .map(|one| format!("{} {}", one["method"].as_str().unwrap(), one["path"].as_str().unwrap()))
            .collect();
        let mut sorted = asked.clone();
        sorted.sort();
        assert_eq!(
            sorted,
            [
                "GET /api/auth/callback/auth-proxy-check",
                "GET /api/auth/get-session",
                "GET /api/auth/ok",
                "POST /api/auth/sign-out",
                "POST /api/auth/sign-out",
            ],
            "{version} {asked:?}"
        );
    }
}

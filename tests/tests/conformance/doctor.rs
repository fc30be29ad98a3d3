//! `auth.check()` with real Auth.js, next-auth and Next.js servers: each wrong deployment has its own code, and the right
//! ones have none.

use auth_proxy::doctor::{Deployment, Report};
use auth_proxy::fetch::Reqwest;
use auth_proxy::options::SessionStrategy::{Database, Jwt};
use auth_proxy::options::UpstreamKind::{Authjs, BetterAuth, NextAuthV4, Robo};
use auth_proxy::options::{Builder, Host, UpstreamKind};
use auth_proxy_tests::doctor::{assert_silent, change, codes, unchecked};
use auth_proxy_tests::{free_port, loopback_client, watch};

use crate::deployments::Auth;
use crate::nextjs;
use crate::server::{SECRET, Server};

const APP: &str = "https://app.example.com";

/// An app in front of this server, with the secret of the server.
fn auth(server: &Server, kind: UpstreamKind) -> Builder<Auth> {
    watch::secret(SECRET);
    Auth::builder()
        .upstream_base_url(&server.url)
        .upstream_kind(kind)
        .public_url(APP)
        .upstream_secret([SECRET])
}

async fn check(builder: Builder<Auth>) -> Report {
    builder.build().unwrap().check().await
}

fn v5(vars: &[(&str, &str)]) -> Server {
    Server::with(Jwt, "/api/auth", vars)
}

#[tokio::test]
async fn right_deployments_of_auth_js_are_silent() {
    let server = v5(&[]);
    let report = check(auth(&server, Authjs)).await;
    assert_silent(&report, "https");
    assert_eq!((report.server(), report.deployment()), (Some("Auth.js v5"), Some(Deployment::FrontDoor)));
    assert_silent(&check(auth(&server, Authjs).public_url("http://localhost:3000")).await, "http");
    let database = Server::with(Database, "/api/auth", &[]);
    let builder = auth(&database, Authjs).upstream_secret([""; 0]).upstream_session_strategy(Database);
    assert_silent(&check(builder).await, "database");
    let other_path = Server::with(Jwt, "/auth", &[]);
    assert_silent(&check(auth(&other_path, Authjs).upstream_base_path("/auth")).await, "another base path");
    let rotated = auth(&server, Authjs).upstream_secret([SECRET, "0lder-9f8e7d6c5b4a39281706f5e4d3c2b1"]);
    assert_silent(&check(rotated).await, "rotation");
}

#[tokio::test]
async fn right_deployments_of_next_auth_v4_are_silent() {
    let server = Server::v4(&[]);
    let report = check(auth(&server, NextAuthV4)).await;
    assert_silent(&report, "https");
    assert_eq!((report.server(), report.deployment()), (Some("next-auth v4"), Some(Deployment::FrontDoor)));
    assert_silent(&check(auth(&server, NextAuthV4).public_url("http://localhost:3000")).await, "http");
}

/// The app expects tokens, and the server has keys of a database, so every session is invalid. A token without a user would
/// not show that: a server with tokens clears it too, if its callbacks need a user.
#[tokio::test]
async fn wrong_session_strategy_is_listed_as_not_checked() {
    let database = Server::with(Database, "/api/auth", &[]);
    let report = check(auth(&database, Authjs)).await;
    assert_eq!((codes(&report).len(), unchecked(&report)), (0, vec!["session_strategy"]), "{report}");
    let name = "authjs.session-token";
    let token = auth_proxy::testing::mint(&serde_json::json!({}), SECRET, name);
    for server in [&database, &v5(&[])] {
        let url = format!("{}/api/auth/session", server.url);
        let request = loopback_client().get(url).header("cookie", format!("{name}={token}"));
        let response = request.send().await.unwrap();
        let mut cookies =
            response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        assert!(cookies.any(|cookie| cookie.starts_with(&format!("{name}=;"))), "{response:?}");
        assert_eq!(response.text().await.unwrap(), "null");
    }
}

#[tokio::test]
async fn right_parent_domain_and_redirect_proxy_are_silent() {
    let port = free_port();
    let auth_host = format!("http://auth.team.localtest:{port}");
    let server = v5(&[("COOKIE_DOMAIN", "team.localtest"), ("PORT", &port.to_string())]);
    let parent_domain = auth(&server, Authjs)
        .upstream_base_url(&auth_host)
        .upstream_allow_http(true)
        .public_url("http://app.team.localtest:3000")
        .upstream_fetch(Reqwest::new(loopback_client()));
    let report = check(parent_domain).await;
    assert_silent(&report, "parent domain");
    assert_eq!(report.deployment(), Some(Deployment::ParentDomain));
    let redirect_proxy = v5(&[("AUTH_REDIRECT_PROXY_URL", "https://auth.example.org/api/auth")]);
    assert_silent(&check(auth(&redirect_proxy, Authjs)).await, "redirect proxy");
}

#[tokio::test]
async fn wrong_secret_is_found_without_a_sign_in() {
    let other = "wr0ng-9f8e7d6c5b4a39281706f5e4d3c2b1";
    watch::secret(other);
    for (server, kind, variable) in
        [(v5(&[]), Authjs, "AUTH_SECRET"), (Server::v4(&[]), NextAuthV4, "NEXTAUTH_SECRET")]
    {
        let change = change(&check(auth(&server, kind).upstream_secret([other])).await, "secret_wrong");
        assert!(change.contains(variable), "{change}");
        let rotated = check(auth(&server, kind).upstream_secret([other, SECRET])).await;
        assert_eq!(codes(&rotated), ["secret_outdated"], "{rotated}");
        assert!(rotated.is_ok(), "a rotation under way is a warning");
        assert!(rotated.findings()[0].evidence().contains("secret 2 of 2"), "{rotated}");
    }
}

#[tokio::test]
async fn slips_in_a_copied_secret_are_named() {
    let server = v5(&[]);
    for (secret, word) in [(format!("{SECRET}\n"), "line break"), (format!("\"{SECRET}\""), "quotes")] {
        let advice = change(&check(auth(&server, Authjs).upstream_secret([secret])).await, "secret_wrong");
        assert!(advice.starts_with("remove the ") && advice.contains(word), "{advice}");
    }
    let there = v5(&[("AUTH_SECRET", &format!("{SECRET}\n"))]);
    let advice = change(&check(auth(&there, Authjs)).await, "secret_wrong");
    assert!(advice.contains("from the end of AUTH_SECRET at the server"), "{advice}");
}

#[tokio::test]
async fn wrong_kind_is_found_with_the_word_to_write() {
    let (five, four) = (v5(&[]), Server::v4(&[]));
    for (server, configured, word) in [
        (&five, NextAuthV4, "authjs"),
        (&five, Robo, "authjs"),
        (&five, BetterAuth, "authjs"),
        (&four, Authjs, "next_auth_v4"),
        (&four, Robo, "next_auth_v4"),
        (&four, BetterAuth, "next_auth_v4"),
    ] {
        let builder = auth(server, configured);
        let builder =
            if configured == BetterAuth { builder.upstream_session_strategy(Database) } else { builder };
        let change = change(&check(builder).await, "kind_wrong");
        assert_eq!(change, format!("write `upstream.kind: {word}`"));
    }
}

#[tokio::test]
async fn wrong_base_path_is_found_with_the_right_one() {
    let server = Server::with(Jwt, "/auth", &[]);
    let wrong = check(auth(&server, Authjs)).await;
    assert_eq!(change(&wrong, "base_path_wrong"), "write `upstream.base_path: \"/auth\"`");
    let url = format!("{}/tenant", server.url);
    let prefix = check(auth(&server, Authjs).upstream_base_url(url).upstream_base_path("/auth")).await;
    let change = change(&prefix, "base_path_wrong");
    assert!(change.contains(&format!("`upstream.base_url: \"{}\"`", server.url)), "{change}");
    // Both mistakes are found at once.
    let two = check(auth(&server, Authjs).upstream_secret(["wr0ng-9f8e7d6c5b4a39281706f5e4d3c2b1"])).await;
    assert_eq!(codes(&two), ["base_path_wrong", "secret_wrong"], "{two}");
}

#[tokio::test]
async fn wrong_cookie_name_is_found_with_the_right_one() {
    let server = v5(&[]);
    let named = check(auth(&server, Authjs).upstream_cookie_name("__Secure-sid")).await;
    let advice = change(&named, "cookie_name_wrong");
    assert_eq!(advice, "write `upstream.cookie_name: \"__Secure-authjs.session-token\"`");
    let prefix = check(auth(&server, Authjs).upstream_cookie_name("authjs.session-token")).await;
    let advice = change(&prefix, "cookie_prefix_wrong");
    assert!(
        advice.starts_with("write `upstream.cookie_name: \"__Secure-authjs.session-token\"`"),
        "{advice}"
    );
    // All of its cookies have names of their own, so that the name of the session cookie does not show.
    let own = v5(&[("SESSION_COOKIE", "sid")]);
    assert_silent(&check(auth(&own, Authjs).upstream_cookie_name("sid")).await, "own name");
    let advice = change(&check(auth(&own, Authjs)).await, "cookie_name_wrong");
    assert!(advice.contains("cookies.sessionToken.name"), "{advice}");
    let database = Server::with(Database, "/api/auth", &[("SESSION_COOKIE", "sid")]);
    let builder = auth(&database, Authjs).upstream_secret([""; 0]).upstream_session_strategy(Database);
    let advice = change(&check(builder).await, "session_cookie_ignored");
    assert!(advice.contains("database"), "{advice}");
}

#[tokio::test]
async fn foreign_callback_urls_are_found_with_the_setting() {
    let four = Server::v4(&[("NEXTAUTH_URL", "https://other.example.com/api/auth")]);
    let advice = change(&check(auth(&four, NextAuthV4)).await, "callback_origin_wrong");
    assert!(advice.contains("NEXTAUTH_URL to this app's origin"), "{advice}");
    let untrusting = v5(&[("TRUST_PROXY", "false")]);
    let advice = change(&check(auth(&untrusting, Authjs)).await, "callback_origin_wrong");
    assert!(advice.contains("`app.set(\"trust proxy\", true)`"), "{advice}");
    let five = v5(&[]);
    let advice =
        change(&check(auth(&five, Authjs).upstream_host(Host::Upstream)).await, "callback_origin_wrong");
    assert!(advice.contains("`upstream.host: preserve`"), "{advice}");
}

#[tokio::test]
async fn parent_domain_without_shared_cookies_is_found() {
    for domain in ["", "other.localtest"] {
        let port = free_port();
        let server = v5(&[("COOKIE_DOMAIN", domain), ("PORT", &port.to_string())]);
        let builder = auth(&server, Authjs)
            .upstream_base_url(format!("http://auth.team.localtest:{port}"))
            .upstream_allow_http(true)
            .public_url("http://app.team.localtest:3000")
            .upstream_fetch(Reqwest::new(loopback_client()));
        let report = check(builder).await;
        let advice = change(&report, "cookies_not_shared");
        assert!(advice.contains("domain: \"team.localtest\""), "{advice}");
        let seen = if domain.is_empty() { "no `Domain`" } else { "the `Domain` other.localtest" };
        assert!(report.findings()[0].evidence().contains(seen), "{report}");
    }
}

#[tokio::test]
async fn server_without_a_secret_is_found_as_misconfigured() {
    let server = v5(&[("AUTH_SECRET", "")]);
    let advice = change(&check(auth(&server, Authjs)).await, "upstream_misconfigured");
    assert!(advice.contains("set AUTH_SECRET at the server"), "{advice}");
    let untrusted = v5(&[("TRUST_HOST", "false")]);
    let advice = change(&check(auth(&untrusted, Authjs)).await, "upstream_misconfigured");
    assert!(advice.contains("AUTH_TRUST_HOST=true"), "{advice}");
}

#[tokio::test]
async fn proxy_that_routes_by_host_is_found() {
    let server = v5(&[]);
    let ingress = crate::ingress::Nginx::start(&server.url, "auth.localtest").await;
    let url = format!("http://auth.localtest:{}", ingress.port);
    let builder = |host| {
        let client = Reqwest::new(loopback_client());
        auth(&server, Authjs)
            .upstream_base_url(&url)
            .upstream_allow_http(true)
            .upstream_host(host)
            .upstream_fetch(client)
            .public_url("http://app.localtest:3000")
    };
    let advice = change(&check(builder(Host::Preserve)).await, "host_not_served");
    assert!(advice.contains("`upstream.host: upstream`"), "{advice}");
    // Its port for https, asked over http.
    let plain = format!("http://127.0.0.1:{}", ingress.tls_port);
    let advice =
        change(&check(auth(&server, Authjs).upstream_base_url(&plain)).await, "upstream_speaks_https");
    assert_eq!(advice, format!("write `upstream.base_url: \"https://127.0.0.1:{}\"`", ingress.tls_port));
    let untrusted =
        auth(&server, Authjs).upstream_base_url(format!("https://127.0.0.1:{}", ingress.tls_port));
    let advice = change(&check(untrusted).await, "certificate_untrusted");
    assert!(advice.contains("SSL_CERT_FILE"), "{advice}");
    let http = auth(&server, Authjs).upstream_base_url(server.url.replace("http://", "https://"));
    let advice = change(&check(http).await, "upstream_speaks_http");
    assert_eq!(advice, format!("write `upstream.base_url: \"{}\"`", server.url));
}

/// A check with a server of Next.js. Its answers have no marks of Express, and it does not follow `Host`.
#[tokio::test]
async fn next_js_is_silent_with_the_lines_of_its_example_and_found_without() {
    for kind in [Authjs, NextAuthV4] {
        let right = nextjs::server(kind, nextjs::OriginFrom::RouteJs, APP, "http://127.0.0.1:9");
        let report = check(nextjs::builder(kind, &right, APP).upstream_secret([SECRET])).await;
        assert_silent(&report, "route.js");
        let wrong = nextjs::server(kind, nextjs::OriginFrom::Defaults, APP, "http://127.0.0.1:9");
        let report = check(nextjs::builder(kind, &wrong, APP).upstream_secret([SECRET])).await;
        let advice = change(&report, "callback_origin_wrong");
        assert!(advice.contains("examples/nextjs/README.md"), "{advice}");
        let refused =
            nextjs::builder(kind, &right, APP).upstream_secret(["wr0ng-9f8e7d6c5b4a39281706f5e4d3c2b1"]);
        assert_eq!(codes(&check(refused).await), ["secret_wrong"]);
    }
}

/// What the check asks of a real server changes nothing there, and has nothing of a client.
#[tokio::test]
async fn check_sends_few_requests_that_change_nothing() {
    let server = v5(&[]);
    assert_silent(&check(auth(&server, Authjs)).await, "right");
    let seen: serde_json::Value =
        loopback_client().get(format!("{}/__seen", server.url)).send().await.unwrap().json().await.unwrap();
    let seen = seen.as_array().unwrap();
    let requests: Vec<String> = seen
        .iter()
        .map(|one| format!("{} {}", one["method"].as_str().unwrap(), one["url"].as_str().unwrap()))
        .collect();
    let mut sorted = requests.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "GET /api/auth/auth-proxy-check",
            "GET /api/auth/csrf",
            "GET /api/auth/providers",
            "GET /api/auth/session"
        ],
        "{requests:?}"
    );
    for one in seen {
        let cookie = one["headers"]["cookie"].as_str().unwrap_or_default();
        assert!(
            cookie.split("; ").all(|pair| pair.is_empty() || pair.ends_with("=auth-proxy-check")),
            "{one}"
        );
        for name in ["authorization", "origin", "x-forwarded-for", "traceparent"] {
            assert!(one["headers"].get(name).is_none(), "{one}");
        }
    }
}

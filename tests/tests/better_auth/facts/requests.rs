//! Which requests a server refuses: methods, origins, rate limits, forwarded headers.

use auth_proxy_tests::loopback_client;
use reqwest::Method;
use serde_json::json;

use crate::server::{BetterAuthServer, PASSWORD, VERSIONS, Visitor, email};

#[tokio::test]
async fn head_options_and_unknown_paths_are_404() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version }));
        for (method, path, status) in [
            (Method::GET, "/ok", 200),
            (Method::GET, "/get-session", 200),
            (Method::HEAD, "/get-session", 404),
            (Method::OPTIONS, "/get-session", 404),
            (Method::HEAD, "/ok", 404),
            (Method::POST, "/get-session", 405),
            (Method::GET, "/get-session/", 404),
            (Method::GET, "/Get-Session", 404),
            (Method::GET, "/get%2Dsession", 404),
            (Method::GET, "/unknown", 404),
            (Method::GET, "", 404),
        ] {
            let url = format!("{}/api/auth{path}", server.url());
            let answer = loopback_client().request(method.clone(), url).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{version} {method} {path}");
        }
    }
}

/// A POST with any cookie needs an `Origin` or `Referer` that the server trusts. So does a sign-in without a cookie that
/// has one of the headers of browsers.
#[tokio::test]
async fn posts_with_a_cookie_need_a_trusted_origin() {
    for version in VERSIONS {
        let trusted = json!(["https://app.example"]);
        let server = BetterAuthServer::start(json!({ "version": version, "trustedOrigins": trusted }));
        Visitor::at(server.url()).sign_up("ada").await;
        let body = json!({ "email": email("ada"), "password": PASSWORD });
        let (own, page) = (server.url(), format!("{}/page", server.url()));
        for (headers, status, code) in [
            (vec![], 200, None),
            (vec![("origin", "https://evil.example")], 403, Some("INVALID_ORIGIN")),
            (vec![("sec-fetch-site", "same-origin")], 403, Some("MISSING_OR_NULL_ORIGIN")),
            (vec![("origin", own)], 200, None),
            (vec![("cookie", "theme=dark")], 403, Some("MISSING_OR_NULL_ORIGIN")),
            (vec![("cookie", "theme=dark"), ("origin", "null")], 403, Some("MISSING_OR_NULL_ORIGIN")),
            (vec![("cookie", "theme=dark"), ("origin", "https://evil.example")], 403, Some("INVALID_ORIGIN")),
            (vec![("cookie", "theme=dark"), ("origin", own)], 200, None),
            (vec![("cookie", "theme=dark"), ("origin", "https://app.example")], 200, None),
            (vec![("cookie", "theme=dark"), ("referer", &page)], 200, None),
        ] {
            // A new client each time: the cookie of an earlier sign-in would count too.
            let browser = Visitor::at(server.url()).browser;
            let answer = browser.post_json_with("/api/auth/sign-in/email", &body, &headers).await;
            assert_eq!(answer.status, status, "{version} {headers:?} {answer:?}");
            if let Some(code) = code {
                assert_eq!(answer.json()["code"], code, "{version} {headers:?}");
            }
        }
    }
}

/// The rate limit counts by `X-Forwarded-For` only if that header is a single address.
#[tokio::test]
async fn rate_limit_counts_by_a_single_forwarded_address() {
    for version in VERSIONS {
        let limit = json!({ "enabled": true, "window": 10, "max": 3 });
        // All servers of a process share one count.
        let server = BetterAuthServer::alone(json!({ "version": version, "rateLimit": limit }));
        let browser = Visitor::at(server.url()).browser;
        let status = async |address: &str| {
            let headers = [("x-forwarded-for", address)];
            browser.get_with("/api/auth/get-session", &headers).await
        };
        for visitor in 1..=10 {
            assert_eq!(status(&format!("203.0.113.{visitor}")).await.status, 200, "{version}");
        }
        for _ in 0..3 {
            assert_eq!(status("198.51.100.1").await.status, 200, "{version}");
        }
        let refused = status("198.51.100.1").await;
        assert_eq!(refused.status, 429, "{version}");
        let seconds: u64 = refused.header("x-retry-after").parse().unwrap();
        assert!((1..=10).contains(&seconds), "{version} {refused:?}");
        assert_eq!(refused.header("retry-after"), "", "{version}");
        assert!(refused.cookies().is_empty(), "{version}");
        // Lists of addresses share one count.
        let lists = (1..=4).map(|visitor| format!("192.0.2.{visitor}, 10.0.0.1"));
        let mut statuses = Vec::new();
        for list in lists {
            statuses.push(status(&list).await.status);
        }
        assert_eq!(statuses, [200, 200, 200, 429], "{version}");
    }
}

/// The process of a bare node server ends.
#[tokio::test]
async fn list_of_forwarded_schemes_ends_the_server() {
    for version in VERSIONS {
        for schemes in [vec!["https, http"], vec!["https", "http"]] {
            let mut server = BetterAuthServer::alone(json!({ "version": version }));
            let url = format!("{}/api/auth/ok", server.url());
            let one = loopback_client().get(&url).header("x-forwarded-proto", "https").send().await;
            assert_eq!(one.unwrap().status().as_u16(), 200, "{version}");
            let request = schemes.iter().fold(loopback_client().get(&url), |request, scheme| {
                request.header("x-forwarded-proto", *scheme)
            });
            assert!(request.send().await.is_err(), "{version} {schemes:?}");
            assert!(server.ends().await, "{version} {schemes:?}");
        }
    }
}

/// A magic link works once. HEAD does not spend it.
#[tokio::test]
async fn magic_link_signs_in_once() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version, "plugins": ["magic-link"] }));
        let visitor = Visitor::at(server.url());
        let body = json!({ "email": email("ada"), "callbackURL": "/me" });
        assert_eq!(visitor.post("/sign-in/magic-link", body).await.status, 200);
        let link = server.mails().await[0]["url"].as_str().unwrap().to_owned();
        let head = loopback_client().head(&link).send().await.unwrap();
        assert_eq!(head.status().as_u16(), 404, "{version}");
        let answer = visitor.get(&link).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, format!("{}/me", server.url()).as_str())
        );
        assert_eq!(visitor.session().await.json()["user"]["email"], "ada@example.com");
        let again = Visitor::at(server.url()).get(&link).await;
        assert!(again.header("location").ends_with("/me?error=INVALID_TOKEN"), "{version} {again:?}");
        assert_eq!(server.count("/magic-link/verify").await, 3, "{version}");
    }
}

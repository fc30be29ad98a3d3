//! The rate limit of a real server, which counts by client address. Better Auth has one count for all servers of a
//! process, so each server has its own.

use serde_json::json;

use crate::proxy::{assert_signed_in, front_door_alone};
use crate::server::{SECRET, SESSION_TOKEN, VERSIONS, pair};

/// A hundred visitors behind a load balancer are counted one by one, also in lookups.
#[tokio::test]
async fn hundred_visitors_are_not_limited_as_one() {
    for version in VERSIONS {
        let limit =
            json!({ "enabled": true, "window": 60, "max": 4, "customRules": { "/sign-up/*": false } });
        let options = json!({ "version": version, "rateLimit": limit });
        let door = front_door_alone(options, |auth| auth.trusted_proxies(["127.0.0.1"])).await;
        let cookie = pair(&door.visitor().sign_up("ada").await, SESSION_TOKEN);
        let visitor = door.visitor();
        for number in 1..=100 {
            let address = format!("203.0.113.{number}");
            let headers = [("cookie", cookie.as_str()), ("x-forwarded-for", &address)];
            for path in ["/me", "/api/auth/get-session"] {
                let answer = visitor.browser.get_with(path, &headers).await;
                assert_eq!(answer.status, 200, "{version} {path} {answer:?}");
            }
        }
        let requests = door.server.requests().await;
        let addresses: std::collections::BTreeSet<_> =
            requests.iter().filter_map(|request| request["x-forwarded-for"].as_str()).collect();
        for number in 1..=100 {
            assert!(addresses.contains(format!("203.0.113.{number}").as_str()), "{version} {addresses:?}");
        }
    }
}

/// A list of addresses, as several load balancers make it, reaches the server as one address.
#[tokio::test]
async fn forwarded_address_is_single() {
    let limit = json!({ "enabled": true, "window": 60, "max": 4 });
    let door = front_door_alone(json!({ "rateLimit": limit }), |auth| {
        auth.trusted_proxies(["127.0.0.1", "10.0.0.0/8"])
    })
    .await;
    let visitor = door.visitor();
    for number in 1..=20 {
        let list = format!("203.0.113.{number}, 10.0.0.1");
        for path in ["/api/auth/get-session", "/api/auth/ok"] {
            let answer = visitor.browser.get_with(path, &[("x-forwarded-for", &list)]).await;
            assert_eq!(answer.status, 200, "{path} {list} {answer:?}");
        }
    }
}

/// A lookup that the server limits is an outage for this visitor: 503 with the time of the server. The others, and the
/// circuit breaker, are not affected.
#[tokio::test]
async fn limited_lookup_is_503_with_retry_after() {
    for version in VERSIONS {
        let limit = json!({ "enabled": true, "window": 60, "max": 5 });
        let options = json!({ "version": version, "rateLimit": limit });
        let door =
            front_door_alone(options, |auth| auth.trusted_proxies(["127.0.0.1"]).upstream_secret([SECRET]))
                .await;
        let cookie = pair(&door.visitor().sign_up("ada").await, SESSION_TOKEN);
        let visitor = door.visitor();
        let ask = async |path: &str, address: &str| {
            let headers = [("cookie", cookie.as_str()), ("x-forwarded-for", address)];
            visitor.browser.get_with(path, &headers).await
        };
        for _ in 0..5 {
            assert_eq!(ask("/me", "203.0.113.1").await.status, 200, "{version}");
        }
        for path in ["/me", "/optional", "/protected", "/claims"] {
            for _ in 0..3 {
                let answer = ask(path, "203.0.113.1").await;
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (503, "upstream_overloaded"),
                    "{version}"
                );
                let seconds: u64 = answer.header("retry-after").parse().unwrap();
                assert!((1..=60).contains(&seconds), "{version} {answer:?}");
                assert!(answer.cookies().is_empty(), "{version} {answer:?}");
            }
        }
        assert_eq!(ask("/me", "203.0.113.2").await.body, "ada@example.com", "{version}");
        // The forwarded route shows the answer of the server.
        let forwarded = ask("/api/auth/get-session", "203.0.113.1").await;
        assert_eq!(forwarded.status, 429, "{version} {forwarded:?}");
        assert!(!forwarded.header("x-retry-after").is_empty(), "{version} {forwarded:?}");
    }
}

/// Too many attempts to sign in are answered as by the server.
#[tokio::test]
async fn limited_sign_in_is_429() {
    for version in VERSIONS {
        let limit = json!({ "enabled": true, "customRules": { "/sign-up/*": false } });
        let door = front_door_alone(json!({ "version": version, "rateLimit": limit }), |auth| auth).await;
        door.visitor().sign_up("ada").await;
        let visitor = door.visitor();
        for _ in 0..3 {
            assert_eq!(visitor.sign_in("ada").await.status, 200, "{version}");
        }
        assert_eq!(visitor.sign_in("ada").await.status, 429, "{version}");
        assert_signed_in(&visitor, "ada@example.com").await;
    }
}

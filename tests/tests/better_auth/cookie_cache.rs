//! The cookie cache of a real server, which the proxy reads locally.

use std::time::Duration;

use serde_json::{Value, json};

use auth_proxy_tests::free_port;

use crate::proxy::{
    FrontDoor, assert_signed_in, assert_signed_out, assert_unavailable, front_door, front_door_at,
};
use crate::server::{
    BetterAuthServer, SECRET, SESSION_DATA, SESSION_TOKEN, VERSIONS, Visitor, names, pair, pairs,
};

const STRATEGIES: [&str; 3] = ["compact", "jwt", "jwe"];

/// A front door whose server has a cookie cache, which the proxy reads.
async fn cached(version: &str, strategy: &str, cache: Value) -> FrontDoor {
    let mut cache = cache;
    cache["strategy"] = json!(strategy);
    front_door(json!({ "version": version, "cookieCache": cache }), |auth| {
        auth.upstream_secret([SECRET])
            .upstream_token(strategy.parse().unwrap())
            .upstream_circuit_breaker(1000)
    })
    .await
}

/// While the cookie cache is good, neither the guard nor an extractor asks the upstream.
#[tokio::test]
async fn good_cookie_cache_needs_no_lookup() {
    for version in VERSIONS {
        for strategy in STRATEGIES {
            let door = cached(version, strategy, json!({})).await;
            let visitor = door.visitor();
            let signed_up = visitor.sign_up("ada").await;
            for _ in 0..3 {
                assert_signed_in(&visitor, "ada@example.com").await;
            }
            let session = visitor.get("/session").await.json();
            assert_eq!(session["user"]["id"], signed_up.json()["user"]["id"], "{version} {strategy}");
            assert_eq!(session["session"]["userId"], session["user"]["id"], "{version} {strategy}");
            assert!(session["session"].get("token").is_none(), "{version} {strategy} {session}");
            assert_eq!(door.lookups().await, 0, "{version} {strategy}");
            // The same session as the upstream shows.
            let upstream = visitor.get("/api/auth/get-session?disableCookieCache=true").await.json();
            for field in ["id", "name", "email", "emailVerified"] {
                assert_eq!(session["user"][field], upstream["user"][field], "{version} {strategy} {field}");
            }
            assert_eq!(session["expires"], upstream["session"]["expiresAt"], "{version} {strategy}");
            visitor.sign_out().await;
            assert_signed_out(&visitor).await;
        }
    }
}

/// When the cache has expired, the upstream is asked once, and the browser gets a new cache.
#[tokio::test]
async fn expired_cookie_cache_is_renewed_by_one_lookup() {
    for version in VERSIONS {
        tokio::join!(expires(version, "compact"), expires(version, "jwt"), expires(version, "jwe"));
    }
}

async fn expires(version: &str, strategy: &str) {
    let door = cached(version, strategy, json!({ "maxAge": 3 })).await;
    let visitor = door.visitor();
    let cookies = pairs(&visitor.sign_up("ada").await).join("; ");
    tokio::time::sleep(Duration::from_millis(3200)).await;
    // The browser drops the expired cookie. Another client may send it for ever.
    for cookies in [Some(cookies), None] {
        let before = door.lookups().await;
        let answer = match cookies {
            Some(cookies) => door.visitor().browser.get_with("/me", &[("cookie", &cookies)]).await,
            None => visitor.get("/me").await,
        };
        assert_eq!(answer.body, "ada@example.com", "{version} {strategy} {answer:?}");
        assert_eq!(door.lookups().await - before, 1, "{version} {strategy}");
        assert!(names(&answer).contains(&SESSION_DATA.to_owned()), "{version} {strategy} {answer:?}");
    }
    let before = door.lookups().await;
    assert_eq!(visitor.get("/protected").await.body, "ok", "{version} {strategy}");
    assert_eq!(door.lookups().await - before, 0, "{version} {strategy}");
}

/// The cache of one session beside the cookie of another never shows the session of the cache. Version 1.6 of the server
/// itself would show it.
#[tokio::test]
async fn cookie_cache_of_another_session_is_never_used() {
    for version in VERSIONS {
        for strategy in STRATEGIES {
            let door = cached(version, strategy, json!({})).await;
            let ada = door.visitor().sign_up("ada").await;
            let bob = door.visitor().sign_up("bob").await;
            let mixed = format!("{}; {}", pair(&bob, SESSION_TOKEN), pair(&ada, SESSION_DATA));
            let visitor = door.visitor();
            for path in ["/me", "/session", "/claims", "/optional"] {
                let answer = visitor.browser.get_with(path, &[("cookie", &mixed)]).await;
                assert!(!answer.body.contains("ada@"), "{version} {strategy} {path} {answer:?}");
                assert!(
                    answer.body.contains("bob@") || answer.status > 400,
                    "{version} {strategy} {answer:?}"
                );
            }
        }
    }
}

/// The same without a secret: the lookup carries both cookies, or the answer is compared with the cookie.
#[tokio::test]
async fn cookie_cache_of_another_session_is_never_used_without_a_secret() {
    for version in VERSIONS {
        let options = json!({ "version": version, "cookieCache": { "strategy": "compact" } });
        let door = front_door(options, |auth| auth).await;
        let ada = door.visitor().sign_up("ada").await;
        let bob = door.visitor().sign_up("bob").await;
        let mixed = format!("{}; {}", pair(&bob, SESSION_TOKEN), pair(&ada, SESSION_DATA));
        let answer = door.visitor().browser.get_with("/me", &[("cookie", &mixed)]).await;
        assert_ne!(answer.body, "ada@example.com", "{version} {answer:?}");
    }
}

/// A cache that is damaged, foreign or of another form means a question to the upstream, not a refusal.
#[tokio::test]
async fn unusable_cookie_cache_means_a_lookup() {
    for version in VERSIONS {
        for strategy in STRATEGIES {
            let door = cached(version, strategy, json!({})).await;
            let foreign = BetterAuthServer::start(json!({
                "version": version, "secret": "the secret of some other server, long",
                "cookieCache": { "strategy": strategy },
            }));
            let theirs = pair(&Visitor::at(foreign.url()).sign_up("ada").await, SESSION_DATA);
            let own = door.visitor().sign_up("ada").await;
            let (token, data) = (pair(&own, SESSION_TOKEN), pair(&own, SESSION_DATA));
            let cut = data[..data.len() - 8].to_owned();
            let texts = ["garbage", "not!base64", "a"].map(|text| format!("{SESSION_DATA}={text}"));
            for data in [cut, theirs, String::new()].into_iter().chain(texts) {
                let before = door.lookups().await;
                let cookies = format!("{token}; {data}");
                let answer = door.visitor().browser.get_with("/me", &[("cookie", &cookies)]).await;
                assert_eq!((answer.status, answer.body.as_str()), (200, "ada@example.com"), "{strategy}");
                assert_eq!(door.lookups().await - before, 1, "{version} {strategy}");
            }
            // A good cache without a genuine session cookie is nothing, and costs nothing.
            let before = door.lookups().await;
            for token in [String::new(), format!("{SESSION_TOKEN}=garbage")] {
                let cookies = format!("{token}; {data}");
                let answer = door.visitor().browser.get_with("/me", &[("cookie", &cookies)]).await;
                assert_eq!(answer.status, 401, "{version} {strategy} {answer:?}");
            }
            assert_eq!(door.lookups().await - before, 0, "{version} {strategy}");
        }
    }
}

/// A cache of another `version` is not used: only the upstream knows which one counts.
#[tokio::test]
async fn cookie_cache_of_another_version_means_a_lookup() {
    for strategy in STRATEGIES {
        let door = cached("1.7", strategy, json!({ "version": "2" })).await;
        let visitor = door.visitor();
        visitor.sign_up("ada").await;
        assert_eq!(visitor.get("/me").await.body, "ada@example.com", "{strategy}");
        assert_eq!(door.lookups().await, 1, "{strategy}");
    }
}

/// A long cache comes in several cookies.
#[tokio::test]
async fn cookie_cache_in_chunks_needs_no_lookup() {
    for version in VERSIONS {
        for strategy in STRATEGIES {
            let door = cached(version, strategy, json!({})).await;
            let visitor = door.visitor();
            // Below the limit of node for the head of a request, with the other cookies.
            let pad = "x".repeat(5000);
            visitor.sign_up_with("ada", json!({ "pad": pad })).await;
            assert!(visitor.get("/cookies").await.body.contains("session_data.1"), "{version} {strategy}");
            assert_signed_in(&visitor, "ada@example.com").await;
            assert_eq!(visitor.get("/session").await.json()["user"]["pad"], pad, "{version} {strategy}");
            assert_eq!(door.lookups().await, 0, "{version} {strategy}");
        }
    }
}

/// With a good cache visitors stay signed in during an outage of the database.
#[tokio::test]
async fn cookie_cache_outlives_an_outage() {
    for version in VERSIONS {
        let door = cached(version, "compact", json!({ "maxAge": 2 })).await;
        let visitor = door.visitor();
        let cookies = pairs(&visitor.sign_up("ada").await).join("; ");
        door.server.database(false).await;
        assert_eq!(visitor.get("/me").await.body, "ada@example.com", "{version}");
        tokio::time::sleep(Duration::from_millis(2100)).await;
        assert_unavailable(&door.visitor().browser.get_with("/me", &[("cookie", &cookies)]).await);
        door.server.database(true).await;
        assert_signed_in(&visitor, "ada@example.com").await;
    }
}

/// A sign-out through the proxy counts at once in this browser. A revocation elsewhere counts when the cache ends.
#[tokio::test]
async fn revocation_elsewhere_is_seen_when_the_cookie_cache_ends() {
    let door = cached("1.7", "compact", json!({ "maxAge": 2 })).await;
    let visitor = door.visitor();
    visitor.sign_up("ada").await;
    door.server.revoke("ada@example.com").await;
    assert_eq!(visitor.get("/me").await.body, "ada@example.com");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_signed_out(&visitor).await;
    assert_eq!(visitor.get("/cookies").await.body, "");
}

/// A cache that the plugin `jwt` signs needs no secret in the app: its keys are public.
#[tokio::test]
async fn cookie_cache_of_the_jwt_plugin_is_read_with_public_keys() {
    let options = json!({
        "plugins": ["jwt"], "jwt": { "sessionCookieCache": true }, "cookieCache": { "strategy": "jwt" },
    });
    let port = free_port();
    let own = format!("http://127.0.0.1:{port}");
    let door = front_door_at(port, options, BetterAuthServer::start, |auth| {
        auth.upstream_token("jwks".parse().unwrap())
            .upstream_issuer(own.parse().unwrap())
            .upstream_audience(own.parse().unwrap())
    })
    .await;
    let (ada, bob) = (door.visitor(), door.visitor());
    let of_ada = ada.sign_up("ada").await;
    let of_bob = bob.sign_up("bob").await;
    // The first request starts the fetch of the keys and does not wait for it: the upstream is asked for the session.
    assert_signed_in(&ada, "ada@example.com").await;
    while door.server.count("/jwks").await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let first = door.lookups().await;
    for _ in 0..3 {
        assert_signed_in(&ada, "ada@example.com").await;
        assert_signed_in(&bob, "bob@example.com").await;
    }
    let before = door.lookups().await;
    assert!(before - first <= 1, "{first} {before}");
    assert_eq!(door.server.count("/jwks").await, 1);
    let mixed = format!("{}; {}", pair(&of_bob, SESSION_TOKEN), pair(&of_ada, SESSION_DATA));
    let answer = door.visitor().browser.get_with("/me", &[("cookie", &mixed)]).await;
    assert_eq!(answer.body, "bob@example.com", "{answer:?}");
    assert_eq!(door.lookups().await - before, 1);
}

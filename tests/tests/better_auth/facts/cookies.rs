//! The cookies of a server: names, attributes, signature, cookie cache.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::server::{
    BetterAuthServer, SECRET, SESSION_DATA, SESSION_TOKEN, VERSIONS, Visitor, cleared, names, pair,
    signed_token,
};

fn attributes<'a>(lines: &[&'a str], name: &str) -> &'a str {
    let start = format!("{name}=");
    let line = lines.iter().find(|line| line.starts_with(&start)).unwrap();
    line.split_once("; ").unwrap().1
}

#[tokio::test]
async fn sign_in_sets_the_session_cookie_only() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version }));
        let visitor = Visitor::at(server.url());
        let answer = visitor.sign_up("ada").await;
        assert_eq!(names(&answer), [SESSION_TOKEN], "{version}");
        assert_eq!(
            attributes(&answer.cookies(), SESSION_TOKEN),
            "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax",
            "{version}"
        );
        let body =
            json!({ "email": "ada@example.com", "password": crate::server::PASSWORD, "rememberMe": false });
        let answer = visitor.post("/sign-in/email", body).await;
        assert_eq!(names(&answer), [SESSION_TOKEN, "better-auth.dont_remember"], "{version}");
        assert_eq!(
            attributes(&answer.cookies(), SESSION_TOKEN),
            "Path=/; HttpOnly; SameSite=Lax",
            "{version}"
        );
    }
}

/// The prefix `__Secure-` comes from the base URL, never from the request.
#[tokio::test]
async fn secure_prefix_and_domain_come_from_the_options() {
    for version in VERSIONS {
        let shared = json!({ "crossSubDomainCookies": { "enabled": true, "domain": "example.com" } });
        let options =
            json!({ "version": version, "baseURL": "https://auth.example.com", "advanced": shared });
        let server = BetterAuthServer::start(options);
        let answer = Visitor::at(server.url()).browser;
        let body = json!({ "name": "ada", "email": "ada@example.com", "password": crate::server::PASSWORD });
        let answer = answer.post_json("/api/auth/sign-up/email", &body).await;
        assert_eq!(
            attributes(&answer.cookies(), "__Secure-better-auth.session_token"),
            "Max-Age=604800; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax",
            "{version}"
        );
        let plain = BetterAuthServer::start(json!({ "version": version }));
        let forwarded = [("x-forwarded-proto", "https")];
        let answer = Visitor::at(plain.url()).browser;
        let answer = answer.post_json_with("/api/auth/sign-up/email", &body, &forwarded).await;
        assert_eq!(names(&answer), [SESSION_TOKEN], "{version}");
    }
}

/// The signature is HMAC-SHA256 of the token under the secret, in base64 with padding.
#[tokio::test]
async fn session_cookie_is_signed_with_the_first_secret() {
    for version in VERSIONS {
        let (old, new) =
            ("the old secret of this server, long enough", "the new secret of this server, long enough");
        let both = json!([{ "version": 2, "value": new }, { "version": 1, "value": old }]);
        for (options, key) in
            [(json!({ "version": version }), SECRET), (json!({ "version": version, "secrets": both }), new)]
        {
            let server = BetterAuthServer::start(options);
            let signed = signed_token(&Visitor::at(server.url()).sign_up("ada").await);
            let (token, signature) = signed.rsplit_once('.').unwrap();
            assert_eq!((token.len(), signature.len()), (32, 44), "{version}");
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
            let expected = BASE64_STANDARD.encode(hmac::sign(&key, token.as_bytes()));
            assert_eq!(signature, expected, "{version}");
            // A cookie that is signed with an older secret is refused.
            let key = hmac::Key::new(hmac::HMAC_SHA256, old.as_bytes());
            let signature = BASE64_STANDARD.encode(hmac::sign(&key, token.as_bytes()));
            let cookie = format!("{SESSION_TOKEN}={token}.{signature}");
            let answer = Visitor::at(server.url()).session_with(&cookie).await;
            assert_eq!(answer.body, "null", "{version}");
            assert!(answer.cookies().is_empty(), "{version} {answer:?}");
        }
    }
}

/// The cookie cache is a second cookie. Its form depends on the strategy.
#[tokio::test]
async fn cookie_cache_is_answered_without_the_database() {
    for version in VERSIONS {
        for (strategy, dots) in [("compact", 0), ("jwt", 2), ("jwe", 4)] {
            let cache = json!({ "strategy": strategy, "maxAge": 300 });
            let server = BetterAuthServer::start(json!({ "version": version, "cookieCache": cache }));
            let visitor = Visitor::at(server.url());
            let answer = visitor.sign_up("ada").await;
            assert_eq!(names(&answer), [SESSION_TOKEN, SESSION_DATA], "{version} {strategy}");
            assert_eq!(
                attributes(&answer.cookies(), SESSION_DATA),
                "Max-Age=300; Path=/; HttpOnly; SameSite=Lax"
            );
            let data = pair(&answer, SESSION_DATA);
            let value = data.split_once('=').unwrap().1;
            assert_eq!(value.matches('.').count(), dots, "{version} {strategy}");
            assert_eq!(value.starts_with("eyJzZXNzaW9uIjp7"), strategy == "compact", "{version} {strategy}");
            // A revoked session lives on in the cache.
            server.revoke("ada@example.com").await;
            server.database(false).await;
            let cached = visitor.session().await;
            assert_eq!(cached.json()["user"]["email"], "ada@example.com", "{version} {strategy}");
            assert!(cached.cookies().is_empty(), "{version} {cached:?}");
            let alone = visitor.session_with(&pair(&answer, SESSION_TOKEN)).await;
            assert_eq!(alone.status, 500, "{version} {strategy}");
            server.database(true).await;
            let over = visitor.session_with(&pair(&answer, SESSION_TOKEN)).await;
            assert_eq!(over.body, "null", "{version} {strategy}");
        }
    }
}

/// A long cookie cache is split into chunks. A short one replaces them.
#[tokio::test]
async fn long_cookie_cache_is_split_into_chunks() {
    for version in VERSIONS {
        let cache = json!({ "strategy": "compact", "maxAge": 300 });
        let server = BetterAuthServer::start(json!({ "version": version, "cookieCache": cache }));
        let visitor = Visitor::at(server.url());
        let pad = "x".repeat(6000);
        let answer = visitor.sign_up_with("ada", json!({ "pad": pad })).await;
        let chunks: Vec<_> = (0..3).map(|chunk| format!("{SESSION_DATA}.{chunk}")).collect();
        let expected: Vec<_> = [SESSION_TOKEN.to_owned()].into_iter().chain(chunks.clone()).collect();
        assert_eq!(names(&answer), expected, "{version}");
        server.database(false).await;
        assert_eq!(visitor.session().await.json()["user"]["pad"], pad, "{version}");
        server.database(true).await;
        let answer = visitor.post("/update-user", json!({ "pad": "short" })).await;
        assert!(names(&answer).contains(&SESSION_DATA.to_owned()), "{version} {answer:?}");
        for chunk in chunks {
            assert!(cleared(&answer).contains(&chunk), "{version} {chunk} {answer:?}");
        }
    }
}

/// Version 1.7 ignores a cache of one visitor beside the token of another. Version 1.6 does not compare them, and answers
/// with the session of the cache.
#[tokio::test]
async fn only_version_1_7_compares_the_cookie_cache_with_the_session_token() {
    for (version, answered) in [("1.7", "bob@example.com"), ("1.6", "ada@example.com")] {
        for strategy in ["compact", "jwt", "jwe"] {
            let cache = json!({ "strategy": strategy, "maxAge": 300 });
            let server = BetterAuthServer::start(json!({ "version": version, "cookieCache": cache }));
            let ada = Visitor::at(server.url()).sign_up("ada").await;
            let bob = Visitor::at(server.url()).sign_up("bob").await;
            let mixed = format!("{}; {}", pair(&bob, SESSION_TOKEN), pair(&ada, SESSION_DATA));
            let answer = Visitor::at(server.url()).session_with(&mixed).await.json();
            assert_eq!(answer["user"]["email"], answered, "{version} {strategy}");
            // The answer itself shows whose session it is.
            let of_bob = answer["session"]["token"] == bob.json()["token"];
            assert_eq!(of_bob, version == "1.7", "{version} {strategy}");
        }
    }
}

/// With the plugin `multi-session` each session has a second cookie, whose name begins with that of the session cookie.
#[tokio::test]
async fn multi_session_sets_a_cookie_per_session() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version, "plugins": ["multi-session"] }));
        let visitor = Visitor::at(server.url());
        let answer = visitor.sign_up("ada").await;
        let token = answer.json()["token"].as_str().unwrap().to_lowercase();
        assert_eq!(names(&answer), [SESSION_TOKEN.to_owned(), format!("{SESSION_TOKEN}_multi-{token}")]);
        visitor.sign_up("bob").await;
        let devices = visitor.get("/api/auth/multi-session/list-device-sessions").await;
        assert_eq!(devices.json().as_array().map(Vec::len), Some(2), "{version} {devices:?}");
    }
}

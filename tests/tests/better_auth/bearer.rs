//! Bearer tokens of the plugin `bearer`: raw and signed session tokens.

use serde_json::json;

use crate::proxy::{assert_signed_in, front_door};
use crate::server::{SECRET, VERSIONS, cleared, signed_token};

#[tokio::test]
async fn raw_and_signed_bearer_tokens_are_sessions() {
    for version in VERSIONS {
        for secret in [None, Some(SECRET)] {
            let door =
                front_door(json!({ "version": version, "plugins": ["bearer"] }), |auth| match secret {
                    Some(secret) => auth.upstream_secret([secret]),
                    None => auth,
                })
                .await;
            let ada = door.visitor().sign_up("ada").await;
            let raw = ada.json()["token"].as_str().unwrap().to_owned();
            // The client keeps the token of this header.
            assert_eq!(ada.header("set-auth-token"), signed_token(&ada), "{version}");
            let client = door.visitor();
            for token in [raw, signed_token(&ada)] {
                let authorization = format!("Bearer {token}");
                let headers = [("authorization", authorization.as_str())];
                for (path, body) in [("/me", "ada@example.com"), ("/protected", "ok")] {
                    let answer = client.browser.get_with(path, &headers).await;
                    assert_eq!((answer.status, answer.body.as_str()), (200, body), "{version} {answer:?}");
                }
                let claims = client.browser.get_with("/claims", &headers).await.json();
                assert_eq!(claims["email"], "ada@example.com", "{version}");
                let forwarded = client.browser.get_with("/api/auth/get-session", &headers).await.json();
                assert_eq!(forwarded["user"]["email"], "ada@example.com", "{version}");
            }
            door.server.revoke("ada@example.com").await;
            let authorization = format!("Bearer {}", signed_token(&ada));
            let answer = client.browser.get_with("/me", &[("authorization", &authorization)]).await;
            assert_eq!(answer.status, 401, "{version} {answer:?}");
        }
    }
}

/// Unknown Bearer tokens are 401, also for `Option<Session>`.
#[tokio::test]
async fn unknown_bearer_tokens_are_401() {
    for version in VERSIONS {
        for plugins in [json!(["bearer"]), json!([])] {
            let door = front_door(json!({ "version": version, "plugins": plugins }), |auth| auth).await;
            for token in ["a-token-of-another-server", "a.b.c", "garbage.garbage"] {
                let authorization = format!("Bearer {token}");
                for path in ["/me", "/protected", "/optional"] {
                    let browser = door.visitor().browser;
                    let answer = browser.get_with(path, &[("authorization", &authorization)]).await;
                    assert_eq!(answer.status, 401, "{version} {plugins} {path} {answer:?}");
                }
            }
        }
    }
}

/// At the server a foreign Bearer token beats the cookie, and clears it. Here the cookie stays and counts.
#[tokio::test]
async fn foreign_bearer_token_does_not_clear_the_cookies_of_a_visitor() {
    for version in VERSIONS {
        let door = front_door(json!({ "version": version, "plugins": ["bearer"] }), |auth| auth).await;
        let visitor = door.visitor();
        visitor.sign_up("ada").await;
        let headers = [("authorization", "Bearer a-token-of-another-server")];
        for path in ["/me", "/protected", "/optional"] {
            let answer = visitor.browser.get_with(path, &headers).await;
            assert!(cleared(&answer).is_empty(), "{version} {path} {answer:?}");
        }
        assert_signed_in(&visitor, "ada@example.com").await;
    }
}

/// The cookie cache of one visitor beside the Bearer token of another shows nobody else's session.
#[tokio::test]
async fn bearer_token_is_not_mixed_with_cookies() {
    for version in VERSIONS {
        let options = json!({
            "version": version, "plugins": ["bearer"], "cookieCache": { "strategy": "compact" },
        });
        let door = front_door(options, |auth| auth).await;
        let ada = door.visitor();
        ada.sign_up("ada").await;
        let bob = door.visitor().sign_up("bob").await;
        let authorization = format!("Bearer {}", signed_token(&bob));
        let answer = ada.browser.get_with("/me", &[("authorization", &authorization)]).await;
        // One request has one credential: the cookie.
        assert_eq!(answer.body, "ada@example.com", "{version} {answer:?}");
        let alone = door.visitor().browser.get_with("/me", &[("authorization", &authorization)]).await;
        assert_eq!(alone.body, "bob@example.com", "{version} {alone:?}");
    }
}

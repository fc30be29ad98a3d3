//! The plugins `bearer` and `jwt`, and the sign-in with a provider.

use auth_proxy_tests::process::identity_provider;
use auth_proxy_tests::{follow_to_the_end, free_port};
use serde_json::json;

use crate::server::{BetterAuthServer, SESSION_TOKEN, VERSIONS, Visitor, cleared, pair, signed_token};

/// The raw session token is a Bearer token, and so is the signed one. Either counts before the cookie.
#[tokio::test]
async fn bearer_token_is_raw_or_signed_and_counts_before_the_cookie() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version, "plugins": ["bearer"] }));
        let ada = Visitor::at(server.url()).sign_up("ada").await;
        let bob = Visitor::at(server.url()).sign_up("bob").await;
        let signed = signed_token(&ada);
        assert_eq!(ada.header("set-auth-token"), signed, "{version}");
        let raw = ada.json()["token"].as_str().unwrap().to_owned();
        let encoded = pair(&ada, SESSION_TOKEN).split_once('=').unwrap().1.to_owned();
        let visitor = Visitor::at(server.url());
        for token in [raw, signed, encoded] {
            let authorization = format!("Bearer {token}");
            let headers = [("authorization", authorization.as_str()), ("cookie", &pair(&bob, SESSION_TOKEN))];
            let answer = visitor.browser.get_with("/api/auth/get-session", &headers).await;
            assert_eq!(answer.json()["user"]["email"], "ada@example.com", "{version}");
        }
        // A foreign token without dots signs the visitor out.
        let cookie = pair(&bob, SESSION_TOKEN);
        let headers = [("authorization", "Bearer a-token-of-another-server"), ("cookie", cookie.as_str())];
        let answer = visitor.browser.get_with("/api/auth/get-session", &headers).await;
        assert_eq!(answer.body, "null", "{version}");
        assert!(cleared(&answer).contains(&SESSION_TOKEN.to_owned()), "{version} {answer:?}");
    }
}

#[tokio::test]
async fn bearer_with_require_signature_refuses_raw_tokens() {
    for version in VERSIONS {
        let options =
            json!({ "version": version, "plugins": ["bearer"], "bearer": { "requireSignature": true } });
        let server = BetterAuthServer::start(options);
        let ada = Visitor::at(server.url()).sign_up("ada").await;
        let visitor = Visitor::at(server.url());
        let session = async |token: &str| {
            let authorization = format!("Bearer {token}");
            let headers = [("authorization", authorization.as_str())];
            visitor.browser.get_with("/api/auth/get-session", &headers).await
        };
        assert_eq!(session(ada.json()["token"].as_str().unwrap()).await.body, "null", "{version}");
        assert_eq!(session(&signed_token(&ada)).await.json()["user"]["email"], "ada@example.com");
    }
}

/// The plugin `jwt` publishes its keys without a `use`, and sends a token with each session.
#[tokio::test]
async fn jwt_plugin_publishes_keys_and_issues_tokens() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version, "plugins": ["jwt"] }));
        let visitor = Visitor::at(server.url());
        assert_eq!(visitor.get("/api/auth/token").await.status, 401, "{version}");
        visitor.sign_up("ada").await;
        let keys = visitor.get("/api/auth/jwks").await;
        assert_eq!(keys.header("cache-control"), "", "{version}");
        let key = keys.json()["keys"][0].clone();
        assert_eq!((&key["alg"], &key["crv"]), (&json!("EdDSA"), &json!("Ed25519")), "{version}");
        assert!(key.get("use").is_none(), "{version} {key}");
        let token = visitor.get("/api/auth/token").await.json()["token"].as_str().unwrap().to_owned();
        let with_session = visitor.session().await.header("set-auth-jwt").to_owned();
        for token in [token, with_session] {
            auth_proxy_tests::watch::secret(&token);
            let parts: Vec<_> = token.split('.').collect();
            let read = |part: &str| {
                use base64::Engine as _;
                let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
                serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
            };
            let (header, claims) = (read(parts[0]), read(parts[1]));
            assert_eq!((&header["alg"], &header["kid"]), (&json!("EdDSA"), &key["kid"]), "{version}");
            assert_eq!(claims["email"], "ada@example.com", "{version}");
            assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.url()), &json!(server.url())));
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 900, "{version}");
        }
    }
}

/// The cookie cache can be signed by the plugin `jwt`. Then its header names the type, and its claims the session.
#[tokio::test]
async fn cookie_cache_of_the_jwt_plugin_names_its_session() {
    use base64::Engine as _;
    let options = json!({
        "plugins": ["jwt"], "jwt": { "sessionCookieCache": true },
        "cookieCache": { "strategy": "jwt", "maxAge": 300 },
    });
    let server = BetterAuthServer::start(options);
    let answer = Visitor::at(server.url()).sign_up("ada").await;
    let data = pair(&answer, crate::server::SESSION_DATA);
    let parts: Vec<_> = data.split_once('=').unwrap().1.split('.').collect();
    let read = |part: &str| {
        let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
    };
    let (header, claims) = (read(parts[0]), read(parts[1]));
    assert_eq!(header["typ"], "better-auth.session-cache+jwt");
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(claims["aud"], "better-auth:session-cache");
    assert_eq!(claims["iss"], server.url());
    assert_eq!(claims["sid"], answer.json()["token"]);
    assert_eq!(claims["sub"], answer.json()["user"]["id"]);
}

/// A sign-in with a provider begins with 200, a `Location`, and the same address in the body.
#[tokio::test]
async fn sign_in_with_a_provider_answers_200_with_a_location() {
    for (version, start, callback, field) in [
        ("1.7", "/sign-in/social", "/callback/idp", "provider"),
        ("1.6", "/sign-in/oauth2", "/oauth2/callback/idp", "providerId"),
    ] {
        let port = free_port();
        let own = format!("http://127.0.0.1:{port}");
        let callback = format!("{own}/api/auth{callback}");
        let idp = identity_provider(&callback);
        let issuer = format!("http://127.0.0.1:{}", idp.port("port"));
        let options = json!({
            "version": version, "port": port, "baseURL": own, "plugins": ["generic-oauth"], "issuer": issuer,
        });
        let server = BetterAuthServer::start(options);
        let visitor = Visitor::at(server.url());
        let answer =
            visitor.post(start, json!({ field: "idp", "callbackURL": "/api/auth/get-session" })).await;
        assert_eq!(answer.status, 200, "{version} {answer:?}");
        let body = answer.json();
        assert_eq!(body["redirect"], true, "{version}");
        let to = body["url"].as_str().unwrap().to_owned();
        assert!(to.starts_with(&issuer), "{version} {to}");
        if version == "1.7" {
            assert_eq!(answer.header("location"), to);
        }
        let page = visitor.get(&to).await;
        let (page, at) = follow_to_the_end(&visitor.browser, page, to).await;
        assert_eq!(at, format!("{own}/api/auth/get-session"), "{version}");
        assert_eq!(page.json()["user"]["email"], "ada@idp.example", "{version}");
    }
}

//! The examples, with real Better Auth servers.

use auth_proxy_tests::process::{Process, example, node};
use auth_proxy_tests::{Browser, free_port};
use serde_json::{Value, json};

use crate::proxy::assert_unavailable;
use crate::server::{BetterAuthServer, SECRET, SESSION_DATA, VERSIONS, Visitor, email, names};

/// The example `from-env` before a server with these options.
fn from_env(options: Value, vars: &[(&str, &str)]) -> (BetterAuthServer, Process, Visitor) {
    let port = free_port();
    let own = format!("http://127.0.0.1:{port}");
    let mut options = options;
    options["baseURL"] = json!(own);
    let server = BetterAuthServer::start(options);
    let mut program = example("from-env");
    program.env("AUTH_UPSTREAM_URL", server.url()).env("AUTH_UPSTREAM_KIND", "better_auth");
    let program = Process::start(program.env("PORT", port.to_string()).envs(vars.iter().copied()));
    let visitor = Visitor::at(&own);
    (server, program, visitor)
}

/// It signs up, knows, guards, and signs out; and an outage of the database lets nobody in or out.
#[tokio::test]
async fn from_env_works_with_better_auth() {
    for version in VERSIONS {
        let vars =
            [("AUTH_SECRET", "2:the secret of the next rotation: long,1:SECRET".replace("SECRET", SECRET))];
        for vars in [&[][..], &vars.each_ref().map(|(name, value)| (*name, value.as_str()))] {
            let (server, _program, visitor) = from_env(json!({ "version": version }), vars);
            for path in ["/session", "/token", "/token/raw", "/protected", "/admin"] {
                assert_eq!(visitor.get(path).await.code(), "session_absent", "{path}");
            }
            visitor.sign_up("ada").await;
            let session = visitor.get("/session").await.json();
            assert_eq!(session["user"]["email"], email("ada"), "{session}");
            assert_eq!(
                (session["user"]["emailVerified"].as_bool(), &session["session"]["token"]),
                (Some(false), &Value::Null)
            );
            assert!(session["expires"].as_str().is_some_and(|expires| expires.ends_with('Z')), "{session}");
            let token = visitor.get("/token").await.json();
            assert_eq!(
                (&token["sub"], &token["email"]),
                (&session["user"]["id"], &json!(email("ada"))),
                "{token}"
            );
            assert_eq!(
                (&token["session"]["userId"], &token["session"]["token"]),
                (&token["sub"], &Value::Null)
            );
            assert_eq!(visitor.get("/protected").await.body, "ok");
            assert_eq!(visitor.get("/admin").await.code(), "policy_refused");

            server.database(false).await;
            let stranger = Visitor::at(visitor.browser.origin());
            for path in ["/session", "/session/optional", "/token", "/protected", "/admin"] {
                assert_unavailable(&visitor.get(path).await);
            }
            assert_eq!(stranger.get("/protected").await.code(), "session_absent");
            server.database(true).await;
            assert_eq!(visitor.get("/protected").await.body, "ok");

            visitor.sign_out().await;
            assert_eq!(visitor.get("/protected").await.status, 401);
        }
    }
}

/// With the cookie cache a guard asks nobody.
#[tokio::test]
async fn from_env_reads_the_cookie_cache() {
    for format in ["compact", "jwt", "jwe"] {
        let cache = json!({ "cookieCache": { "strategy": format } });
        let (server, _program, visitor) = from_env(cache, &[("AUTH_SECRET", SECRET), ("AUTH_TOKEN", format)]);
        let signed_up = visitor.sign_up("ada").await;
        assert!(names(&signed_up).iter().any(|name| name == SESSION_DATA), "{signed_up:?}");
        for path in ["/protected", "/session", "/token"] {
            assert_eq!(visitor.get(path).await.status, 200, "{format} {path}");
        }
        assert_eq!(server.count("/get-session").await, 0, "{format}");
    }
}

/// Machine clients come with a token of the plugin `jwt`, which its public keys verify.
#[tokio::test]
async fn from_env_verifies_tokens_of_the_jwt_plugin() {
    for names_keys in [true, false] {
        let port = free_port();
        let own = format!("http://127.0.0.1:{port}");
        let server = BetterAuthServer::start(json!({ "baseURL": own, "plugins": ["jwt"] }));
        let mut program = example("from-env");
        program.env("AUTH_UPSTREAM_URL", server.url()).env("AUTH_UPSTREAM_KIND", "better_auth");
        program.env("AUTH_TOKEN", "jwks").env("AUTH_ISSUER", &own).env("AUTH_AUDIENCE", &own);
        if names_keys {
            program.env("AUTH_JWKS_URL", format!("{}/api/auth/jwks", server.url()));
        }
        let _program = Process::start(program.env("PORT", port.to_string()));
        let visitor = Visitor::at(&own);
        visitor.sign_up("ada").await;
        let token = visitor.get("/api/auth/token").await.json()["token"].as_str().unwrap().to_owned();
        auth_proxy_tests::watch::secret(&token);

        let machine = Browser::at(&own);
        let bearer = format!("Bearer {token}");
        let answer = machine.get_with("/token", &[("authorization", &bearer)]).await;
        assert_eq!((answer.status, &answer.json()["email"]), (200, &json!(email("ada"))), "{answer:?}");
        let (start, _) = bearer.rsplit_once('.').unwrap();
        let forged = format!("{start}.{}", "A".repeat(86));
        let answer = machine.get_with("/token", &[("authorization", &forged)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "token_tampered"), "{answer:?}");
        assert_eq!(server.count("/get-session").await, 0);
        assert_eq!(visitor.get("/protected").await.body, "ok");
    }
}

/// The example `migrating` knows the visitors of both servers, and an outage of one is never a sign-out.
#[tokio::test]
async fn migrating_accepts_the_sessions_of_both_servers() {
    let port = free_port();
    let own = format!("http://127.0.0.1:{port}");
    let server = BetterAuthServer::start(json!({ "baseURL": own }));
    let old = Process::start(node("server-v4.mjs").env("AUTH_SECRET", SECRET));
    let mut program = example("migrating");
    program.env("NEW_UPSTREAM_URL", server.url()).env("PORT", port.to_string());
    program.env("OLD_UPSTREAM_URL", format!("http://127.0.0.1:{}", old.port("port")));
    let _program = Process::start(&mut program);

    let guest = Browser::at(&own);
    assert_eq!(guest.get("/").await.body, "signed out");
    assert_eq!(guest.get("/me").await.code(), "session_absent");
    let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let sent = guest.get_with("/dashboard", &page).await;
    assert!(sent.status == 303 && sent.header("location").starts_with("/sign-in?"), "{sent:?}");

    let stays = Browser::at(&own).with_base("/api/old-auth");
    stays.sign_in("demo", "demo").await;
    assert_eq!(stays.get("/").await.body, "signed in at the old server");
    assert_eq!(stays.get("/me").await.json()["user"]["email"], "demo@example.com");
    assert_eq!(stays.get("/dashboard").await.body, "ok");

    let moved = Visitor::at(&own);
    moved.sign_up("ada").await;
    assert_eq!(moved.get("/").await.body, "signed in at the new server");
    assert_eq!(moved.get("/me").await.json()["user"]["email"], email("ada"));
    assert_eq!(moved.get("/dashboard").await.body, "ok");

    // The old server stops. A visitor with one of its cookies is neither let in nor signed out.
    drop(old);
    let cookie = [("cookie", "next-auth.session-token=YQ.YQ.YQ.YQ.YQ")];
    for path in ["/", "/me", "/dashboard"] {
        assert_unavailable(&Browser::at(&own).get_with(path, &cookie).await);
        assert_ne!(Browser::at(&own).get(path).await.status, 502, "{path}");
    }
    let late = Visitor::at(&own);
    late.sign_up("grace").await;
    assert_eq!(late.get("/dashboard").await.body, "ok");
}

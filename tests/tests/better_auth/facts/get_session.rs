//! What `GET /get-session` answers, and how an outage differs from a sign-out.

use serde_json::json;

use crate::server::{
    BetterAuthServer, SESSION_DATA, SESSION_TOKEN, VERSIONS, Visitor, cleared, email, names, pair,
};

/// A cookie without a valid signature is answered with null, and stays in the browser.
#[tokio::test]
async fn forged_session_cookies_are_null_and_not_cleared() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version }));
        let foreign = BetterAuthServer::start(
            json!({ "version": version, "secret": "the secret of some other server, long" }),
        );
        let theirs = Visitor::at(foreign.url()).sign_up("ada").await;
        let own = Visitor::at(server.url()).sign_up("ada").await;
        let unsigned = format!("{SESSION_TOKEN}={}", own.json()["token"].as_str().unwrap());
        let visitor = Visitor::at(server.url());
        for cookie in [
            "",
            "better-auth.session_token=garbage",
            &pair(&theirs, SESSION_TOKEN),
            &unsigned,
            &pair(&own, SESSION_TOKEN).replace("session_token", "session-token"),
        ] {
            let answer = visitor.session_with(cookie).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "null"), "{version} {answer:?}");
            assert!(answer.cookies().is_empty(), "{version} {answer:?}");
        }
        let answer = visitor.session_with(&pair(&own, SESSION_TOKEN)).await;
        assert_eq!(answer.json()["user"]["email"], "ada@example.com");
    }
}

/// A revoked session is answered with null, and the cookies of the session are cleared.
#[tokio::test]
async fn revoked_session_is_null_and_its_cookies_are_cleared() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version }));
        let visitor = Visitor::at(server.url());
        visitor.sign_up("ada").await;
        let answer = visitor.session().await;
        assert_eq!(answer.json()["user"]["email"], "ada@example.com");
        assert!(answer.cookies().is_empty(), "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(server.sessions().await.len(), 1);
        server.revoke(&email("ada")).await;
        let answer = visitor.session().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "null"), "{version}");
        let expected = [SESSION_TOKEN, SESSION_DATA, "better-auth.dont_remember"];
        assert_eq!(cleared(&answer), expected, "{version}");
    }
}

/// A ban and a role that the database has got meanwhile: the session lives on, and shows both. A new sign-in is refused.
#[tokio::test]
async fn banned_user_keeps_the_session() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version, "plugins": ["admin"] }));
        let visitor = Visitor::at(server.url());
        visitor.sign_up("ada").await;
        server.ban(&email("ada")).await;
        server.role(&email("ada"), "admin").await;
        let user = visitor.session().await.json()["user"].clone();
        assert_eq!((&user["banned"], &user["role"]), (&json!(true), &json!("admin")), "{version} {user}");
        let refused = Visitor::at(server.url()).sign_in("ada").await;
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("BANNED_USER")), "{version}");
    }
}

/// `GET /get-session` tells an outage of the database from a sign-out. The other routes do not.
#[tokio::test]
async fn only_get_session_tells_an_outage_from_a_sign_out() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version, "plugins": ["jwt"] }));
        let visitor = Visitor::at(server.url());
        visitor.sign_up("ada").await;
        server.database(false).await;
        let answer = visitor.session().await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (500, &json!("FAILED_TO_GET_SESSION")),
            "{version}"
        );
        assert!(answer.cookies().is_empty(), "{answer:?}");
        let unsigned = visitor.session_with("better-auth.session_token=garbage").await;
        assert_eq!((unsigned.status, unsigned.body.as_str()), (200, "null"), "{version}");
        for route in ["/token", "/list-accounts"] {
            let answer = visitor.get(&format!("/api/auth{route}")).await;
            assert_eq!(answer.status, 401, "{version} {route}");
            assert!(answer.cookies().is_empty(), "{version} {answer:?}");
        }
        assert_eq!(visitor.get("/api/auth/ok").await.status, 200);
        server.database(true).await;
        assert_eq!(visitor.session().await.json()["user"]["email"], "ada@example.com");
        assert_eq!(visitor.get("/api/auth/token").await.status, 200);
        // A sign-out during an outage clears the cookies, but the session stays in the database.
        server.database(false).await;
        let answer = visitor.sign_out().await;
        assert_eq!(answer.status, 200, "{version} {answer:?}");
        assert!(cleared(&answer).contains(&SESSION_TOKEN.to_owned()), "{answer:?}");
        server.database(true).await;
        assert_eq!(server.sessions().await.len(), 1, "{version}");
    }
}

/// A session older than `updateAge` is extended by the request, with the same value of the cookie.
#[tokio::test]
async fn get_session_extends_old_sessions_and_sets_the_same_cookie_again() {
    for version in VERSIONS {
        let server = BetterAuthServer::start(json!({ "version": version, "session": { "updateAge": 0 } }));
        let visitor = Visitor::at(server.url());
        let signed_in = visitor.sign_up("ada").await;
        let answer = visitor.session().await;
        assert_eq!(names(&answer), [SESSION_TOKEN], "{version}");
        assert_eq!(pair(&answer, SESSION_TOKEN), pair(&signed_in, SESSION_TOKEN), "{version}");
        let answer = visitor.get("/api/auth/get-session?disableRefresh=true").await;
        assert!(answer.cookies().is_empty(), "{version} {answer:?}");
    }
}

/// With `deferSessionRefresh` a GET extends nothing. It says that a POST, which needs an `Origin`, would.
#[tokio::test]
async fn deferred_refresh_needs_a_post_with_an_origin() {
    for version in VERSIONS {
        let session = json!({ "updateAge": 0, "deferSessionRefresh": true });
        let server = BetterAuthServer::start(json!({ "version": version, "session": session }));
        let visitor = Visitor::at(server.url());
        visitor.sign_up("ada").await;
        let answer = visitor.session().await;
        assert_eq!(answer.json()["needsRefresh"], true, "{version} {answer:?}");
        assert!(answer.cookies().is_empty(), "{version} {answer:?}");
        let refused = visitor.browser.post_json("/api/auth/get-session", &json!({})).await;
        assert_eq!(refused.status, 403, "{version}");
        let extended = visitor.post("/get-session", json!({})).await;
        assert_eq!(names(&extended), [SESSION_TOKEN], "{version} {extended:?}");
    }
}

/// Without a database the cookie is the session: another process accepts it, also after the sign-out.
#[tokio::test]
async fn sessions_without_a_database_live_in_the_cookies() {
    for version in VERSIONS {
        let options = json!({ "version": version, "stateless": true });
        let (server, other) = (BetterAuthServer::start(options.clone()), BetterAuthServer::start(options));
        let visitor = Visitor::at(server.url());
        let answer = visitor.sign_up("ada").await;
        let cookies = format!("{}; {}", pair(&answer, SESSION_TOKEN), pair(&answer, SESSION_DATA));
        visitor.sign_out().await;
        let elsewhere = Visitor::at(other.url());
        assert_eq!(elsewhere.session_with(&cookies).await.json()["user"]["email"], "ada@example.com");
        // The parameter is true whatever its value is, and then the cookies are cleared.
        let path = "/api/auth/get-session?disableCookieCache=false";
        let answer = elsewhere.browser.get_with(path, &[("cookie", &cookies)]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "null"), "{version}");
        assert!(cleared(&answer).contains(&SESSION_TOKEN.to_owned()), "{version} {answer:?}");
    }
}

//! Outages: of the database behind a running server, and of the server.

use std::time::{Duration, Instant};

use auth_proxy_tests::free_port;
use serde_json::json;

use crate::proxy::{assert_signed_in, assert_signed_out, assert_unavailable, front_door, front_door_at};
use crate::server::{BetterAuthServer, SECRET, SESSION_TOKEN, VERSIONS, cleared, email};

const HOUR: Duration = Duration::from_secs(3600);

/// While the database is down nobody is signed in or out. Afterwards everybody is as before.
#[tokio::test]
async fn outage_of_the_database_signs_nobody_in_or_out() {
    for version in VERSIONS {
        for secret in [None, Some(SECRET)] {
            let door = front_door(json!({ "version": version }), |auth| {
                let auth = auth.upstream_circuit_breaker(1000);
                if let Some(secret) = secret { auth.upstream_secret([secret]) } else { auth }
            })
            .await;
            let (visitor, guest) = (door.visitor(), door.visitor());
            visitor.sign_up("ada").await;
            door.server.database(false).await;
            for path in ["/me", "/protected", "/claims", "/optional"] {
                assert_unavailable(&visitor.get(path).await);
                assert_eq!(visitor.get("/cookies").await.body, SESSION_TOKEN, "{version} {path}");
            }
            // Guests and forged cookies need no database.
            assert_signed_out(&guest).await;
            let forged = format!("{SESSION_TOKEN}=garbage");
            let answer = guest.browser.get_with("/me", &[("cookie", &forged)]).await;
            assert_eq!(answer.status, 401, "{version} {answer:?}");
            // The forwarded answer is that of the server.
            let answer = visitor.session().await;
            assert_eq!((answer.status, &answer.json()["code"]), (500, &json!("FAILED_TO_GET_SESSION")));
            door.server.database(true).await;
            assert_signed_in(&visitor, "ada@example.com").await;
        }
    }
}

/// The other routes answer 401 in an outage. That signs nobody out here.
#[tokio::test]
async fn misleading_401_of_another_route_signs_nobody_out() {
    for version in VERSIONS {
        let options = json!({ "version": version, "plugins": ["jwt"] });
        let door = front_door(options, |auth| auth.session_cache(HOUR)).await;
        let visitor = door.visitor();
        visitor.sign_up("ada").await;
        assert_signed_in(&visitor, "ada@example.com").await;
        door.server.database(false).await;
        for route in ["/token", "/list-accounts"] {
            let answer = visitor.get(&format!("/api/auth{route}")).await;
            assert_eq!(answer.status, 401, "{version} {route} {answer:?}");
            assert!(answer.cookies().is_empty(), "{version} {route} {answer:?}");
        }
        let answer = visitor.post("/update-user", json!({ "name": "Ada L." })).await;
        assert_eq!(answer.status, 401, "{version} {answer:?}");
        door.server.database(true).await;
        assert_signed_in(&visitor, "ada@example.com").await;
    }
}

/// Cached sessions are good during an outage.
#[tokio::test]
async fn cached_session_is_known_during_an_outage() {
    for version in VERSIONS {
        let door = front_door(json!({ "version": version }), |auth| auth.session_cache(HOUR)).await;
        let (ada, bob) = (door.visitor(), door.visitor());
        ada.sign_up("ada").await;
        bob.sign_up("bob").await;
        assert_signed_in(&ada, "ada@example.com").await;
        door.server.database(false).await;
        assert_signed_in(&ada, "ada@example.com").await;
        assert_unavailable(&bob.get("/me").await);
        door.server.database(true).await;
        assert_signed_in(&bob, "bob@example.com").await;
    }
}

/// A sign-out works during an outage of the database, because the server clears the cookies.
#[tokio::test]
async fn sign_out_during_an_outage_signs_this_browser_out() {
    for version in VERSIONS {
        let door = front_door(json!({ "version": version }), |auth| auth.session_cache(HOUR)).await;
        let visitor = door.visitor();
        visitor.sign_up("ada").await;
        assert_signed_in(&visitor, "ada@example.com").await;
        door.server.database(false).await;
        let answer = visitor.sign_out().await;
        assert_eq!(answer.status, 200, "{version} {answer:?}");
        assert!(cleared(&answer).contains(&SESSION_TOKEN.to_owned()), "{version} {answer:?}");
        assert_signed_out(&visitor).await;
    }
}

/// The server ends and starts again, without a database, so that its sessions are in the cookies. Meanwhile nobody is
/// signed in or out, and after a few failures the server is not asked.
#[tokio::test]
async fn restart_of_the_server_signs_nobody_out() {
    let port = free_port();
    let app_port = free_port();
    let options =
        json!({ "port": port, "stateless": true, "baseURL": format!("http://127.0.0.1:{app_port}") });
    let mut door = front_door_at(app_port, options.clone(), BetterAuthServer::alone, |auth| auth).await;
    let visitor = door.visitor();
    visitor.sign_up("ada").await;
    assert_signed_in(&visitor, "ada@example.com").await;
    let before = visitor.get("/cookies").await.body;
    door.server.stop();
    let mut codes = Vec::new();
    for _ in 0..20 {
        let answer = visitor.get("/me").await;
        assert_unavailable(&answer);
        codes.push(answer.code());
    }
    assert!(codes.contains(&"circuit_open".to_owned()), "{codes:?}");
    assert_eq!(visitor.get("/cookies").await.body, before);
    door.server = BetterAuthServer::alone(options);
    let until = Instant::now() + Duration::from_secs(30);
    while visitor.get("/me").await.status != 200 {
        assert!(Instant::now() < until, "still not back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_signed_in(&visitor, "ada@example.com").await;
}

/// Routes that spend something are sent once, although the connection breaks after they ran.
#[tokio::test]
async fn one_time_routes_are_sent_once() {
    for version in VERSIONS {
        let options = json!({ "version": version, "plugins": ["magic-link"] });
        let door = front_door(options, |auth| auth.upstream_retries(3)).await;
        let visitor = door.visitor();
        let body = json!({ "email": email("ada"), "callbackURL": "/me" });
        assert_eq!(visitor.post("/sign-in/magic-link", body).await.status, 200);
        let link = door.server.mails().await[0]["url"].as_str().unwrap().to_owned();
        assert!(link.starts_with(&door.own), "{version} {link}");
        for (path, end) in [
            (link.as_str(), "/magic-link/verify"),
            ("/api/auth/callback/idp?state=a&code=b", "/callback/idp"),
            ("/api/auth/oauth2/callback/idp?state=a&code=b", "/oauth2/callback/idp"),
            ("/api/auth/verify-email?token=a", "/verify-email"),
            ("/api/auth/reset-password/a?callbackURL=/", "/reset-password/a"),
            ("/api/auth/delete-user/callback?token=a", "/delete-user/callback"),
        ] {
            // An idle connection is open, which is where a proxy could send the request again.
            assert_eq!(visitor.get("/api/auth/ok").await.status, 200);
            door.server.hang_up(end).await;
            let before = door.server.count(end).await;
            let answer = visitor.get(path).await;
            assert!((502..=504).contains(&answer.status), "{version} {end} {answer:?}");
            assert_eq!(door.server.count(end).await - before, 1, "{version} {end}");
        }
        // The link was spent by the request whose answer was lost.
        door.server.hang_up("/nothing").await;
        let again = visitor.get(&link).await;
        assert!(again.header("location").ends_with("/me?error=INVALID_TOKEN"), "{version} {again:?}");
        assert_signed_out(&visitor).await;
    }
}

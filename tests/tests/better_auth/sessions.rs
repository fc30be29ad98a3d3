//! Sign-in, sign-out and sessions of a real server through the proxy.

use std::time::Duration;

use auth_proxy_tests::Answer;
use serde_json::{Value, json};

use crate::proxy::{assert_signed_in, assert_signed_out, front_door};
use crate::server::{
    BetterAuthServer, PASSWORD, SECRET, SESSION_DATA, SESSION_TOKEN, VERSIONS, Visitor, cleared, email,
    names, pair, pairs,
};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn visitor_signs_up_in_and_out_through_the_proxy() {
    for version in VERSIONS {
        for secret in [None, Some(SECRET)] {
            let door = front_door(json!({ "version": version }), |auth| match secret {
                Some(secret) => auth.upstream_secret([secret]),
                None => auth,
            })
            .await;
            let visitor = door.visitor();
            assert_signed_out(&visitor).await;
            assert_eq!(door.lookups().await, 0, "{version}");
            let signed_up = visitor.sign_up("ada").await;
            assert_signed_in(&visitor, "ada@example.com").await;
            let session = visitor.get("/session").await.json();
            assert_eq!(session["user"]["id"], signed_up.json()["user"]["id"], "{version} {session}");
            assert_eq!(session["session"]["userId"], session["user"]["id"], "{version} {session}");
            let expires = session["expires"].as_str().expect("the end of the session");
            assert_eq!(session["session"]["expiresAt"], expires, "{version} {session}");
            let claims = visitor.get("/claims").await.json();
            assert_eq!(claims["sub"], session["user"]["id"], "{version} {claims}");
            let signed_out = visitor.sign_out().await;
            assert_eq!((signed_out.status, &signed_out.json()["success"]), (200, &json!(true)));
            assert!(cleared(&signed_out).contains(&SESSION_TOKEN.to_owned()), "{version} {signed_out:?}");
            assert_signed_out(&visitor).await;
            assert_eq!(visitor.sign_in("ada").await.status, 200, "{version}");
            assert_signed_in(&visitor, "ada@example.com").await;
            let wrong = json!({ "email": email("ada"), "password": "another password" });
            let refused = door.visitor().post("/sign-in/email", wrong).await;
            assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("INVALID_EMAIL_OR_PASSWORD")));
        }
    }
}

/// The upstream clears the cookies of a revoked session, and the browser gets that.
#[tokio::test]
async fn revoked_session_is_401_and_the_browser_loses_its_cookies() {
    for version in VERSIONS {
        let door = front_door(json!({ "version": version }), |auth| auth.upstream_secret([SECRET])).await;
        for path in ["/me", "/protected", "/claims", "/optional"] {
            let visitor = door.visitor();
            let name = format!("ada{}", path.trim_start_matches('/'));
            visitor.sign_up(&name).await;
            assert_eq!(visitor.get("/cookies").await.body, SESSION_TOKEN, "{version}");
            door.server.revoke(&email(&name)).await;
            let answer = visitor.get(path).await;
            assert!(cleared(&answer).contains(&SESSION_TOKEN.to_owned()), "{version} {path} {answer:?}");
            if path == "/optional" {
                assert_eq!((answer.status, answer.body.as_str()), (200, "a guest"), "{version}");
            } else {
                assert_eq!((answer.status, answer.code().as_str()), (401, "session_refused"), "{version}");
            }
            assert_eq!(visitor.get("/cookies").await.body, "", "{version} {path}");
        }
    }
}

/// With the secret a forged cookie is refused without a question to the upstream. Without it there is one question.
#[tokio::test]
async fn forged_cookies_are_401_and_cost_at_most_one_lookup() {
    for version in VERSIONS {
        for (secret, lookups) in [(Some(SECRET), 0), (None, 1)] {
            let door = front_door(json!({ "version": version }), |auth| {
                let auth = auth.session_cache(HOUR);
                if let Some(secret) = secret { auth.upstream_secret([secret]) } else { auth }
            })
            .await;
            let foreign = json!({ "version": version, "secret": "the secret of some other server, long" });
            let foreign = BetterAuthServer::start(foreign);
            let theirs = Visitor::at(foreign.url()).sign_up("ada").await;
            let own = door.visitor();
            let mine = own.sign_up("ada").await;
            assert_signed_in(&own, "ada@example.com").await;
            let (token, signature) = pair(&mine, SESSION_TOKEN).rsplit_once('.').map(split).unwrap();
            let (_, other) = pair(&theirs, SESSION_TOKEN).rsplit_once('.').map(split).unwrap();
            for cookie in [
                format!("{SESSION_TOKEN}=garbage"),
                format!("{SESSION_TOKEN}=garbage.garbage"),
                pair(&theirs, SESSION_TOKEN),
                token.clone(),
                format!("{token}.{other}"),
                format!("{token}x.{signature}"),
            ] {
                let before = door.lookups().await;
                let answer = own.browser.get_with("/me", &[("cookie", &cookie)]).await;
                assert_eq!(answer.status, 401, "{version} {answer:?}");
                assert!(answer.cookies().is_empty(), "{version} {answer:?}");
                assert_eq!(door.lookups().await - before, lookups, "{version} {secret:?}");
            }
            assert_signed_in(&own, "ada@example.com").await;
        }
    }
}

fn split((start, end): (&str, &str)) -> (String, String) {
    (start.to_owned(), end.to_owned())
}

/// Visitors get their own session, also when sessions are cached.
#[tokio::test]
async fn visitors_get_their_own_session() {
    let door = front_door(json!({}), |auth| auth.session_cache(HOUR)).await;
    let visitors: Vec<_> = (0..8).map(|_| door.visitor()).collect();
    for (number, visitor) in visitors.iter().enumerate() {
        visitor.sign_up(&format!("user{number}")).await;
    }
    for _ in 0..2 {
        for (number, visitor) in visitors.iter().enumerate() {
            assert_signed_in(visitor, &email(&format!("user{number}"))).await;
        }
    }
}

/// The raw token of a session signs in by itself on a server with the plugin `bearer`. No page gets it.
#[tokio::test]
async fn session_token_is_in_no_response_to_pages() {
    for version in VERSIONS {
        for (options, token) in [
            (json!({ "version": version, "plugins": ["bearer"] }), None),
            (json!({ "version": version, "cookieCache": { "strategy": "compact" } }), Some("compact")),
        ] {
            let door = front_door(options, |auth| {
                let auth = auth.upstream_secret([SECRET]);
                if let Some(token) = token { auth.upstream_token(token.parse().unwrap()) } else { auth }
            })
            .await;
            let visitor = door.visitor();
            let token = visitor.sign_up("ada").await.json()["token"].as_str().unwrap().to_owned();
            let shows = |answer: &Answer| answer.body.contains(&token);
            for path in ["/session", "/claims", "/me", "/name"] {
                let answer = visitor.get(path).await;
                assert_eq!(answer.status, 200, "{version} {path} {answer:?}");
                assert!(!shows(&answer), "{version} {path} {answer:?}");
            }
            for query in ["", "?disableCookieCache=true", "?disableRefresh=true"] {
                let answer = visitor.get(&format!("/api/auth/get-session{query}")).await;
                let session = answer.json();
                assert_eq!(session["user"]["email"], "ada@example.com", "{version} {answer:?}");
                assert!(session["session"]["expiresAt"].is_string(), "{version} {answer:?}");
                assert!(session["session"].get("token").is_none() && !shows(&answer), "{version} {answer:?}");
            }
        }
    }
}

/// A lookup extends an old session. The browser gets the cookie, with its new life.
#[tokio::test]
async fn extended_session_reaches_the_browser() {
    for version in VERSIONS {
        let options = json!({ "version": version, "session": { "updateAge": 0 } });
        let door = front_door(options, |auth| auth.upstream_secret([SECRET])).await;
        let visitor = door.visitor();
        let signed_up = visitor.sign_up("ada").await;
        let answer = visitor.get("/me").await;
        assert_eq!(answer.status, 200, "{version} {answer:?}");
        assert_eq!(pairs(&answer), [pair(&signed_up, SESSION_TOKEN)], "{version}");
        assert!(answer.cookies()[0].contains("Max-Age=604800"), "{version} {answer:?}");
    }
}

/// With `deferSessionRefresh` lookups do not extend a session. The client does, by a POST through the proxy.
#[tokio::test]
async fn deferred_refresh_works_through_the_proxy() {
    for version in VERSIONS {
        let session = json!({ "updateAge": 0, "deferSessionRefresh": true });
        let door = front_door(json!({ "version": version, "session": session }), |auth| auth).await;
        let visitor = door.visitor();
        visitor.sign_up("ada").await;
        assert_signed_in(&visitor, "ada@example.com").await;
        assert!(visitor.get("/me").await.cookies().is_empty(), "{version}");
        let asked = visitor.session().await.json();
        assert_eq!(asked["needsRefresh"], true, "{version} {asked}");
        assert!(asked["session"].get("token").is_none(), "{version} {asked}");
        let extended = visitor.post("/get-session", json!({})).await;
        assert_eq!((extended.status, names(&extended)), (200, vec![SESSION_TOKEN.to_owned()]), "{version}");
        assert!(extended.json()["session"].get("token").is_none(), "{version} {extended:?}");
        assert_signed_in(&visitor, "ada@example.com").await;
    }
}

/// A change through the proxy is seen at once, although sessions are cached.
#[tokio::test]
async fn changes_through_the_proxy_are_seen_despite_the_session_cache() {
    for version in VERSIONS {
        let options = json!({ "version": version, "plugins": ["multi-session"] });
        let door = front_door(options, |auth| auth.session_cache(HOUR)).await;
        let visitor = door.visitor();
        let ada = visitor.sign_up("ada").await;
        assert_eq!(visitor.get("/name").await.body, "ada", "{version}");
        assert_eq!(visitor.post("/update-user", json!({ "name": "Ada L." })).await.status, 200);
        assert_eq!(visitor.get("/name").await.body, "Ada L.", "{version}");
        // A second user in the same browser, and back to the first.
        visitor.sign_up("bob").await;
        assert_signed_in(&visitor, "bob@example.com").await;
        let back = json!({ "sessionToken": ada.json()["token"] });
        let answer = visitor.post("/multi-session/set-active", back).await;
        assert_eq!(answer.status, 200, "{version} {answer:?}");
        assert_signed_in(&visitor, "ada@example.com").await;
        visitor.sign_out().await;
        assert_signed_out(&visitor).await;
    }
}

/// Behind TLS the names begin with `__Secure-`, and a `Domain` that contains this app is kept.
#[tokio::test]
async fn secure_cookies_of_a_shared_domain_are_sessions() {
    for version in VERSIONS {
        for secret in [None, Some(SECRET)] {
            let own = "https://app.example.com";
            let shared = json!({ "crossSubDomainCookies": { "enabled": true, "domain": "example.com" } });
            let options = json!({ "version": version, "baseURL": own, "advanced": shared });
            let door = front_door(options, |auth| {
                let auth = auth.public_url(own);
                if let Some(secret) = secret { auth.upstream_secret([secret]) } else { auth }
            })
            .await;
            let browser = door.visitor().browser;
            let body = json!({ "name": "ada", "email": email("ada"), "password": PASSWORD });
            let signed_up =
                browser.post_json_with("/api/auth/sign-up/email", &body, &[("origin", own)]).await;
            let name = "__Secure-better-auth.session_token";
            assert_eq!(names(&signed_up), [name], "{version} {signed_up:?}");
            let line = signed_up.cookies()[0].to_owned();
            assert!(line.contains("; Secure") && line.contains("; Domain=example.com"), "{version} {line}");
            let cookie = pair(&signed_up, name);
            for (path, body) in [("/me", "ada@example.com"), ("/protected", "ok")] {
                let answer = browser.get_with(path, &[("cookie", &cookie)]).await;
                assert_eq!((answer.status, answer.body.as_str()), (200, body), "{version} {answer:?}");
            }
            let out = [("cookie", cookie.as_str()), ("origin", own)];
            let signed_out = browser.post_json_with("/api/auth/sign-out", &json!({}), &out).await;
            assert!(cleared_with_domain(&signed_out).contains(&name.to_owned()), "{version} {signed_out:?}");
            let after = browser.get_with("/me", &[("cookie", &cookie)]).await;
            assert_eq!(after.status, 401, "{version} {after:?}");
        }
    }
}

/// The names of the cookies that an answer clears, each with the `Domain` under which the browser has it.
fn cleared_with_domain(answer: &Answer) -> Vec<String> {
    let lines = answer.cookies().into_iter();
    let lines = lines.filter(|line| line.contains("=; Max-Age=0;") && line.contains("; Domain=example.com"));
    lines.map(|line| line.split('=').next().unwrap().to_owned()).collect()
}

/// The cookies of the plugin `multi-session` have names that begin like that of the session cookie.
#[tokio::test]
async fn multi_session_cookie_alone_is_no_session() {
    for version in VERSIONS {
        let options = json!({ "version": version, "plugins": ["multi-session"] });
        let door = front_door(options, |auth| auth).await;
        let visitor = door.visitor();
        let signed_up = visitor.sign_up("ada").await;
        let multi = pairs(&signed_up).into_iter().find(|pair| pair.contains("_multi-")).unwrap();
        let answer = door.visitor().browser.get_with("/me", &[("cookie", &multi)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "session_absent"), "{version}");
        assert_eq!(door.lookups().await, 0, "{version}");
    }
}

/// Without a database the cookie cache is the session.
#[tokio::test]
async fn sessions_without_a_database_work() {
    for version in VERSIONS {
        for token in [None, Some("jwe")] {
            let door = front_door(json!({ "version": version, "stateless": true }), |auth| match token {
                Some(token) => auth.upstream_secret([SECRET]).upstream_token(token.parse().unwrap()),
                None => auth,
            })
            .await;
            let visitor = door.visitor();
            let signed_up = visitor.sign_up("ada").await;
            assert!(names(&signed_up).contains(&SESSION_DATA.to_owned()), "{version} {signed_up:?}");
            assert_signed_in(&visitor, "ada@example.com").await;
            assert_eq!(door.lookups().await > 0, token.is_none(), "{version} {token:?}");
            visitor.sign_out().await;
            assert_signed_out(&visitor).await;
            assert_eq!(visitor.get("/cookies").await.body, "", "{version}");
        }
    }
}

/// The upstream accepts cookies that are signed with its first secret only. The app knows both.
#[tokio::test]
async fn rotation_of_secrets_keeps_to_the_first_secret() {
    let (old, new) =
        ("the old secret of this server, long enough", "the new secret of this server, long enough");
    let secrets: Value = json!([{ "version": 2, "value": new }, { "version": 1, "value": old }]);
    for version in VERSIONS {
        let before = BetterAuthServer::start(json!({ "version": version, "secret": old }));
        let cookie = pair(&Visitor::at(before.url()).sign_up("ada").await, SESSION_TOKEN);
        let door = front_door(json!({ "version": version, "secrets": secrets }), |auth| {
            auth.upstream_secret([new, old])
        })
        .await;
        let visitor = door.visitor();
        let answer = visitor.browser.get_with("/me", &[("cookie", &cookie)]).await;
        assert_eq!(answer.status, 401, "{version} {answer:?}");
        visitor.sign_up("ada").await;
        assert_signed_in(&visitor, "ada@example.com").await;
    }
}

/// A user who should not be remembered has cookies without a `Max-Age`, and lookups need the cookie that says so.
#[tokio::test]
async fn visitor_who_is_not_remembered_is_signed_in() {
    for version in VERSIONS {
        let options = json!({ "version": version, "session": { "updateAge": 0 } });
        let door = front_door(options, |auth| auth.upstream_secret([SECRET])).await;
        door.visitor().sign_up("ada").await;
        let visitor = door.visitor();
        let body = json!({ "email": email("ada"), "password": PASSWORD, "rememberMe": false });
        assert_eq!(visitor.post("/sign-in/email", body).await.status, 200, "{version}");
        let answer = visitor.get("/me").await;
        assert_eq!(answer.body, "ada@example.com", "{version}");
        assert!(!answer.cookies().iter().any(|line| line.contains("Max-Age=604800")), "{version} {answer:?}");
        let requests = door.server.requests().await;
        let lookup =
            requests.iter().rev().find(|request| request["path"] == "/api/auth/get-session").unwrap();
        assert!(
            lookup["cookies"].as_array().unwrap().contains(&json!("better-auth.dont_remember")),
            "{lookup}"
        );
    }
}

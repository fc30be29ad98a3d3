//! Forwarded routes: statuses, headers and cookies as the server sends them.

use auth_proxy_tests::{Answer, loopback_client};
use reqwest::Method;
use serde_json::json;

use crate::proxy::{assert_signed_in, front_door, front_door_alone};
use crate::server::{BetterAuthServer, PASSWORD, SESSION_TOKEN, VERSIONS, Visitor, email, names, pairs};

async fn status(method: &Method, url: String) -> (u16, String) {
    let answer = loopback_client().request(method.clone(), url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Unknown paths and methods are answered as by the server.
#[tokio::test]
async fn statuses_are_those_of_the_server() {
    for version in VERSIONS {
        let door = front_door(json!({ "version": version, "plugins": ["jwt", "admin"] }), |auth| auth).await;
        for (method, path) in [
            (Method::GET, "/ok"),
            (Method::GET, "/get-session"),
            (Method::GET, "/error?error=access_denied"),
            (Method::GET, "/token"),
            (Method::POST, "/token"),
            (Method::POST, "/get-session"),
            (Method::DELETE, "/get-session"),
            (Method::OPTIONS, "/get-session"),
            (Method::GET, "/get-session/"),
            (Method::GET, "/unknown"),
            (Method::GET, "/sign-in/email"),
            (Method::GET, "/admin/list-users"),
            (Method::GET, "/verify-email?token=a"),
        ] {
            let own = status(&method, format!("{}/api/auth{path}", door.own)).await;
            let direct = status(&method, format!("{}/api/auth{path}", door.server.url())).await;
            assert_eq!(own, direct, "{version} {method} {path}");
        }
    }
}

/// HEAD of a mail link, as link scanners send it, does not spend the link.
#[tokio::test]
async fn head_does_not_spend_a_magic_link() {
    for version in VERSIONS {
        let door = front_door(json!({ "version": version, "plugins": ["magic-link"] }), |auth| auth).await;
        let visitor = door.visitor();
        let body = json!({ "email": email("ada"), "callbackURL": "/me" });
        assert_eq!(visitor.post("/sign-in/magic-link", body).await.status, 200);
        let link = door.server.mails().await[0]["url"].as_str().unwrap().to_owned();
        assert_eq!(status(&Method::HEAD, link.clone()).await.0, 404, "{version}");
        let answer = visitor.get(&link).await;
        assert_eq!((answer.status, answer.header("location")), (302, format!("{}/me", door.own).as_str()));
        assert_signed_in(&visitor, "ada@example.com").await;
    }
}

/// The check of the origin is that of the server: a POST with a cookie needs the origin of the app.
#[tokio::test]
async fn posts_are_checked_against_the_origin_of_the_app() {
    for version in VERSIONS {
        let door = front_door(json!({ "version": version }), |auth| auth).await;
        door.visitor().sign_up("ada").await;
        let body = json!({ "email": email("ada"), "password": PASSWORD });
        let page = format!("{}/page", door.own);
        for (name, value, status) in [
            ("x-nothing", "", 403),
            ("origin", "null", 403),
            ("origin", "https://evil.example", 403),
            ("origin", door.server.url(), 403),
            ("origin", &door.own, 200),
            ("referer", &page, 200),
        ] {
            let headers = [("cookie", "theme=dark"), (name, value)];
            let browser = door.visitor().browser;
            let answer = browser.post_json_with("/api/auth/sign-in/email", &body, &headers).await;
            assert_eq!(answer.status, status, "{version} {name}: {value} {answer:?}");
            assert_eq!(names(&answer).is_empty(), status == 403, "{version} {answer:?}");
        }
    }
}

/// No header of a client ends a bare node server.
#[tokio::test]
async fn no_forwarded_header_of_a_client_ends_the_server() {
    for version in VERSIONS {
        // Without a base URL the server builds its origin from the request.
        for trusted in [false, true] {
            let options = json!({ "version": version, "baseURL": null });
            let door =
                front_door_alone(
                    options,
                    |auth| if trusted { auth.trusted_proxies(["127.0.0.1"]) } else { auth },
                )
                .await;
            let host = door.own.trim_start_matches("http://").to_owned();
            for head in [
                format!(
                    "GET /api/auth/get-session HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: https, http\r\n"
                ),
                format!(
                    "GET /api/auth/get-session HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: https\r\n\
                     X-Forwarded-Proto: http\r\n"
                ),
                format!(
                    "GET /api/auth/ok HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: https://evil/x?\r\n"
                ),
                format!(
                    "GET /me HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: , \r\nCookie: {SESSION_TOKEN}=a\r\n"
                ),
                format!("GET /api/auth/ok HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: a b, c\r\n"),
                format!("TRACE /api/auth/ok HTTP/1.1\r\nHost: {host}\r\n"),
                "GET /api/auth/ok HTTP/1.1\r\nHost: 127.0.0.1:99999\r\n".to_owned(),
                "GET /api/auth/ok HTTP/1.1\r\nHost: a b\r\n".to_owned(),
                format!("GET /me HTTP/1.1\r\nHost: 127.0.0.1:99999\r\nCookie: {SESSION_TOKEN}=a\r\n"),
            ] {
                let answer = door.app.raw(format!("{head}Connection: close\r\n\r\n")).await;
                assert!(answer.starts_with("HTTP/1.1 "), "{version} {head} {answer}");
                let ok = loopback_client().get(format!("{}/api/auth/ok", door.server.url())).send().await;
                assert!(ok.is_ok_and(|ok| ok.status().is_success()), "the server ended: {head}");
            }
        }
    }
}

/// All `Set-Cookie` lines arrive, in the order of the server.
#[tokio::test]
async fn set_cookie_lines_keep_their_order() {
    for version in VERSIONS {
        let options = json!({
            "version": version, "plugins": ["multi-session"], "cookieCache": { "strategy": "compact" },
        });
        let direct = BetterAuthServer::start(options.clone());
        let door = front_door(options, |auth| auth).await;
        let mut here = Vec::new();
        let mut there = Vec::new();
        for (visitor, lines) in [(door.visitor(), &mut here), (Visitor::at(direct.url()), &mut there)] {
            let signed_up = visitor.sign_up_with("ada", json!({ "pad": "x".repeat(5000) })).await;
            lines.extend(shapes(&signed_up));
            // The server clears the chunks in the order of the request.
            let cookies = pairs(&signed_up).join("; ");
            let headers = [("cookie", cookies.as_str()), ("origin", visitor.browser.origin())];
            let short = json!({ "pad": "short" });
            let browser = &visitor.browser;
            lines.extend(shapes(&browser.post_json_with("/api/auth/update-user", &short, &headers).await));
        }
        assert!(here.len() > 6, "{version} {here:?}");
        assert_eq!(here, there, "{version}");
    }
}

/// The `Set-Cookie` lines of an answer: name, whether there is a value, attributes. Without the token in a name.
fn shapes(answer: &Answer) -> Vec<String> {
    let shape = |line: &&str| {
        let (pair, attributes) = line.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let name = name.split_inclusive("_multi-").next().unwrap();
        format!("{name} {} {attributes}", value.is_empty())
    };
    answer.cookies().iter().map(shape).collect()
}

/// Plugins can add any route below the base path. They are forwarded.
#[tokio::test]
async fn routes_of_plugins_are_forwarded() {
    for version in VERSIONS {
        let options = json!({ "version": version, "plugins": ["organization", "admin", "multi-session"] });
        let door = front_door(options, |auth| auth.session_cache(std::time::Duration::from_secs(3600))).await;
        let visitor = door.visitor();
        visitor.sign_up("ada").await;
        assert_signed_in(&visitor, "ada@example.com").await;
        let created = visitor.post("/organization/create", json!({ "name": "Acme", "slug": "acme" })).await;
        assert_eq!(created.status, 200, "{version} {created:?}");
        let set = json!({ "organizationId": created.json()["id"] });
        assert_eq!(visitor.post("/organization/set-active", set).await.status, 200, "{version}");
        // The session has changed, and a cached one would not show it.
        let session = visitor.get("/session").await.json();
        assert_eq!(session["session"]["activeOrganizationId"], created.json()["id"], "{version} {session}");
        assert_eq!(visitor.get("/api/auth/admin/list-users").await.status, 403, "{version}");
        door.server.role(&email("ada"), "admin").await;
        let users = visitor.get("/api/auth/admin/list-users").await;
        assert_eq!((users.status, &users.json()["total"]), (200, &json!(1)), "{version} {users:?}");
    }
}

//! Requests that only the upstream can answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::options::{RevocationList, SessionSource};
use auth_proxy_tests::{SharedStore, clears_the_session};
use serde_json::json;

use super::upstream::{OF_BROWSER, Upstream, cookie, poll};
use crate::revoke_route::{SECRET, revoke};
use crate::support::{Auth, app_of, upstream};

#[tokio::test]
async fn request_for_more_than_the_session_is_forwarded() {
    let upstream = Upstream::default();
    let (app, browser) = app_of(upstream.auth()).await;
    let one = format!("Cookie: {}", cookie("keptada"));
    assert_eq!(poll(&browser, &cookie("keptada")).await.status, 200);
    assert_eq!(upstream.asked(), (1, 0));
    let two = format!("Cookie: {}; {}", cookie("keptada"), cookie("keptbob"));
    let lines = format!("{one}\r\nCookie: {}", cookie("keptbob"));
    let secure = format!("{one}; __Secure-{}", cookie("keptbob"));
    let chunked = format!("{one}; authjs.session-token.0=keptbob");
    for (request, headers, status) in [
        ("GET /api/auth/session?", &*one, "200"),
        ("GET /api/auth/session?update", &one, "200"),
        ("GET /api/auth/session?disableCookieCache=true", &one, "200"),
        ("GET /api/auth/session/", &one, "200"),
        // The upstream here has no such route, so its answer is no session.
        ("GET /api/auth/%73ession", &one, "502"),
        ("GET /api/auth/SESSION", &one, "200"),
        ("HEAD /api/auth/session", &one, "200"),
        ("POST /api/auth/session", &one, "200"),
        ("GET /api/auth/session", &format!("{one}\r\nContent-Length: 2\r\n\r\n{{}}"), "200"),
        ("GET /api/auth/session", &format!("{one}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), "200"),
        ("GET /api/auth/session", &format!("{one}\r\nRange: bytes=0-1"), "200"),
        ("GET /api/auth/session", &format!("{one}\r\nIf-None-Match: \"a\""), "200"),
        (
            "GET /api/auth/session",
            &format!("{one}\r\nIf-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT"),
            "200",
        ),
        ("GET /api/auth/session", &format!("{one}\r\nCache-Control: no-cache"), "200"),
        ("GET /api/auth/session", &format!("{one}\r\nPragma: no-cache"), "200"),
        ("GET /api/auth/session", &format!("{one}\r\nAuthorization: Bearer keptbob"), "200"),
        ("GET /api/auth/session", &two, "200"),
        ("GET /api/auth/session", &lines, "200"),
        ("GET /api/auth/session", &secure, "200"),
        ("GET /api/auth/session", &chunked, "200"),
    ] {
        poll(&browser, &cookie("keptada")).await;
        upstream.asked();
        let head =
            format!("{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-Of-Browser: 1", app.addr);
        let answer = app.raw(format!("{head}\r\n{headers}\r\n\r\n")).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{request} {headers}: {answer}");
        assert_eq!(upstream.asked(), (0, 1), "{request} {headers}");
    }
    for request in
        ["GET http://other.test/api/auth/session", "GET /api/auth/../auth/session", "GET /api/auth//session"]
    {
        let head =
            format!("{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-Of-Browser: 1", app.addr);
        let answer = app.raw(format!("{head}\r\n{one}\r\n\r\n")).await;
        assert_eq!(answer.split(' ').nth(1), Some("400"), "{request}: {answer}");
        assert_eq!(upstream.asked(), (0, 0), "{request}");
    }
}

/// Cookies that are none of the session do not matter.
#[tokio::test]
async fn other_cookies_do_not_keep_a_request_from_being_answered() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    let own = cookie("keptada");
    let all = format!("a=b; {own}; authjs.csrf-token=x; authjs.session-token-old=y; theme=dark");
    for cookies in [&own, &all] {
        assert_eq!(poll(&browser, cookies).await.json()["user"]["name"], "keptada");
    }
    assert_eq!(upstream.asked(), (1, 0));
}

#[tokio::test]
async fn other_routes_are_always_forwarded() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    poll(&browser, &cookie("ada")).await;
    for path in [
        "/api/auth/csrf",
        "/api/auth/providers",
        "/api/auth/get-session",
        "/api/auth/session/x",
        "/api/auth/x/session",
    ] {
        let count = || {
            let version = upstream.state().version;
            version + upstream.asked().1
        };
        let before = count();
        browser.get_with(path, &[("cookie", &cookie("ada")), OF_BROWSER]).await;
        assert!(count() > before, "{path}");
    }
}

/// The upstream clears the cookies of such a visitor.
#[tokio::test]
async fn visitor_without_a_session_gets_the_answer_of_the_upstream() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    for cookies in ["", "theme=dark", "authjs.session-token="] {
        let answer = poll(&browser, cookies).await;
        assert_eq!((&*answer.body, upstream.asked()), ("null", (0, 1)), "{cookies}");
        assert_eq!(answer.cookies().len(), 1, "the cookie with the CSRF token");
    }
    for _ in 0..2 {
        let answer = poll(&browser, &cookie("refused")).await;
        assert_eq!((&*answer.body, upstream.asked()), ("null", (1, 1)));
        assert!(answer.cookies().into_iter().all(clears_the_session), "{answer:?}");
    }
    // `null` that does not clear the cookie: the database of the upstream may be down.
    let answer = poll(&browser, &cookie("unclear")).await;
    assert_eq!(answer.code(), "upstream_ambiguous_session");
}

/// A revoked token is no session of the extractors, so it is none here. It does not reach the upstream either.
#[tokio::test]
async fn revoked_session_is_not_answered() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    for source in [SessionSource::Upstream, SessionSource::Local] {
        let builder = Auth::builder()
            .upstream_base_url(upstream.url())
            .upstream_secret([upstream.secret()])
            .session_source(source)
            .session_revocation(RevocationList::Store)
            .session_store(store.clone())
            .revocation_webhook_secret([SECRET])
            .option("session.answer_session", "cached");
        let builder = match source {
            SessionSource::Local => builder.option("session.renew", "1h"),
            _ => builder.option("session.cache", "1h"),
        };
        let (app, browser) = app_of(builder).await;
        browser.sign_in("demo", "demo").await;
        assert_eq!(browser.get("/api/auth/session").await.json()["user"]["name"], "Demo");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let next = now.as_secs() + 1;
        let message = json!({ "subject": "1", "issued_before": next });
        assert_eq!(revoke(&app, message).await.0, 204);
        let answer = browser.get("/api/auth/session").await;
        assert_eq!(answer.body, "null", "{source}");
        // The next sign-in must have a later `iat`.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
}

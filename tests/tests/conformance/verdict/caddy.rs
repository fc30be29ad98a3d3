//! `Caddyfile` of the example with real Caddy.

use std::path::PathBuf;
use std::process::Command;

use auth_proxy_tests::Browser;
use auth_proxy_tests::process::Process;

use super::{
    Behind, DEMO, cacheable_service, encoded, headers_at_the_service, identity, is_private_with_cookie,
    odd_names, raw, sent_back, upgrades_at_the_service, upgrading,
};

const PAGE: [(&str, &str); 2] = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];

pub(super) fn caddy(behind: &Behind) -> (String, Process) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("verdict-caddy-{}", behind.port));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("Caddyfile");
    let configuration = behind.configured(include_str!("../../../../examples/verdict/Caddyfile"));
    std::fs::write(&file, configuration).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
    // It keeps its own files there.
    command.env("HOME", &folder).env("XDG_DATA_HOME", &folder).env("XDG_CONFIG_HOME", &folder);
    (behind.origin(), Process::answering(&mut command, behind.port, "/"))
}

#[tokio::test]
async fn caddy_lets_only_signed_in_visitors_pass_and_tells_the_service_who_they_are() {
    let behind = Behind::with_passwords(0);
    let (origin, _caddy) = caddy(&behind);
    let browser = Browser::at(&origin);
    let program = browser.get("/").await;
    assert_eq!((program.status, program.code().as_str()), (401, "session_absent"));
    let page = browser.get_with("/a/b?c=%2F&d=1", &PAGE).await;
    let own = encoded(&origin);
    let sign_in = format!("{origin}/api/auth/signin?callbackUrl={own}%2Fa%2Fb%3Fc%3D%252F%26d%3D1");
    assert_eq!((page.status, page.header("location")), (303, sign_in.as_str()), "{page:?}");

    assert_eq!(browser.sign_in("demo", "demo").await.header("location"), format!("{origin}/"));
    assert_eq!(browser.get("/").await.body, "hello, Demo (1, demo@example.com)\n");
    assert_eq!(identity(&headers_at_the_service(&browser.get("/headers").await.body)), DEMO);
    assert_eq!(browser.post("/", &[("a", &"x".repeat(100_000))]).await.status, 200);
    assert_eq!(browser.sign_out().await.status, 302);
    assert_eq!(browser.get("/").await.status, 401);
}

#[tokio::test]
async fn caddy_passes_no_identity_header_of_a_client_and_no_claim_about_the_request() {
    let behind = Behind::with_passwords(0);
    let (origin, _caddy) = caddy(&behind);
    let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
    for lines in [
        "X-Auth-Subject: 2",
        "x-auth-subject: 2",
        "X_Auth_Subject: 2",
        "X-Auth_Subject: 2",
        "X.Auth.Subject: 2",
        "SCRIPT_NAME: /assets\r\nPATH_INFO: /admin",
        "X!Auth!Subject: 1\r\nX#Auth: 2\r\nX$Auth: 3\r\nX%Auth: 4\r\nX&Auth: 5\r\nX'Auth: 6\r\nX*Auth: 7",
        "X+Auth: 1\r\nX^Auth: 2\r\nX`Auth: 3\r\nX|Auth: 4\r\nX~Auth: 5",
        "X-AUTH-SUBJECT:2\r\nX-Auth-Subject: 3",
        "X-Auth-Roles: admin\r\nX_AUTH_ROLES: admin",
        "X-Auth-Token: e30.e30.",
        "X-Forwarded-Uri: /assets/a\r\nX-Forwarded-Method: OPTIONS",
        "X-Original-URI: /assets/a\r\nX-Original-Method: GET",
        "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https",
    ] {
        let head = format!("GET /headers HTTP/1.1\r\nHost: {}\r\n", &origin["http://".len()..]);
        let signed_in = format!("{head}Cookie: {cookie}\r\n{lines}\r\nConnection: close\r\n\r\n");
        let answer = raw(&origin, &signed_in).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{lines}: {answer}");
        let body =
            answer.lines().find(|line| line.starts_with('[')).unwrap_or_else(|| panic!("{lines}: {answer}"));
        let headers = headers_at_the_service(body);
        assert_eq!((identity(&headers), odd_names(&headers)), (DEMO.to_vec(), vec![]), "{lines}");
        let signed_out = raw(&origin, &signed_in.replace(&cookie, "a=b")).await;
        assert!(signed_out.starts_with("HTTP/1.1 401"), "{lines}: {signed_out}");
        let page = raw(&origin, &signed_in.replace(&cookie, "a=b\r\nAccept: text/html")).await;
        assert!(!page.contains("evil.example"), "{page}");
    }
    // A header that is named in `Connection` does not reach the service, so its removal must not be asked for.
    let host = &origin["http://".len()..];
    for named in ["X-Auth-Subject", "close, x-auth-subject", "keep-alive\r\nConnection: X-Auth-Roles"] {
        let request =
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: {named}\r\n");
        let answer = raw(&origin, &format!("{request}Connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{named}: {answer}");
    }
}

#[tokio::test]
async fn caddy_passes_on_the_503_of_an_outage() {
    let mut behind = Behind::with_passwords(0);
    let (origin, _caddy) = caddy(&behind);
    let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
    drop(behind.login.take());
    let outage = Browser::at(&origin).get_with("/", &[("cookie", &cookie)]).await;
    assert_eq!((outage.status, outage.code().as_str()), (502, "upstream_unreachable"));
    assert_eq!((outage.header("retry-after"), outage.cookies().len()), ("5", 0));
    drop(behind.auth.take());
    assert_eq!(Browser::at(&origin).get_with("/", &[("cookie", &cookie)]).await.status, 502);
}

#[tokio::test]
async fn caddy_hands_back_renewed_cookies_of_several_chunks() {
    for (padding, chunks) in [(0, 1), (7000, 3)] {
        let behind = Behind::with_passwords(padding);
        let (origin, _caddy) = caddy(&behind);
        let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
        let renewed = Browser::at(&origin).get_with("/", &[("cookie", &cookie)]).await;
        assert_eq!((renewed.status, renewed.cookies().len()), (200, chunks), "{renewed:?}");
        let again = Browser::at(&origin).get_with("/", &[("cookie", &sent_back(&renewed))]).await;
        assert_eq!(again.body, "hello, Demo (1, demo@example.com)\n");
        // No header but `Set-Cookie` has the session.
        let other = renewed.headers.iter().filter(|(name, _)| name.as_str() != "set-cookie");
        assert!(
            !other.map(|(_, value)| value.to_str().unwrap()).any(|value| value.contains("session-token"))
        );
    }
}

/// Shared caches prefer headers such as `CDN-Cache-Control` to `Cache-Control`.
#[tokio::test]
async fn no_shared_cache_keeps_a_renewed_cookie_behind_caddy() {
    let mut behind = Behind::with_passwords(0);
    let service = cacheable_service().await;
    behind.service_port = service.addr.port();
    let (origin, _caddy) = caddy(&behind);
    let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
    let renewed = Browser::at(&origin).get_with("/", &[("cookie", &cookie)]).await;
    assert!(renewed.status == 200 && is_private_with_cookie(&renewed), "{renewed:?}");
    assert_eq!((renewed.header("x-kept"), renewed.body.as_str()), ("1", "for all"));
}

/// Through another protocol, such as HTTP/2, a client could send requests that no verdict is asked about.
#[tokio::test]
async fn caddy_passes_no_upgrade_other_than_websocket() {
    let behind = Behind::with_passwords(0);
    let (origin, _caddy) = caddy(&behind);
    let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
    for lines in ["Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "Upgrade: h2c, websocket"] {
        let answer = raw(&origin, &upgrading(&origin, &cookie, lines)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lines}: {answer}");
    }
    for lines in ["Upgrade: WebSocket", "Upgrade: h2c\r\nUpgrade: websocket"] {
        let answer = raw(&origin, &upgrading(&origin, &cookie, lines)).await;
        assert_eq!(upgrades_at_the_service(&answer), ["websocket"], "{lines}");
    }
}

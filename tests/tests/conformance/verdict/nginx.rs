//! `nginx.conf` of the example with real nginx: `auth_request`.

use std::path::PathBuf;
use std::process::Command;

use auth_proxy_tests::chromium::{output, run};
use auth_proxy_tests::process::{self, Process};
use auth_proxy_tests::{Browser, free_port};

use super::{
    Behind, DEMO, cacheable_service, encoded, headers_at_the_service, identity, is_private_with_cookie,
    odd_names, raw, sent_back, upgrades_at_the_service, upgrading,
};
use crate::server::Server;
use auth_proxy::options::SessionStrategy;

const PAGE: [(&str, &str); 2] = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];

pub(super) fn nginx(behind: &Behind) -> (String, Process) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("verdict-{}", behind.port));
    let configuration = behind.configured(include_str!("../../../../examples/verdict/nginx.conf"));
    (behind.origin(), process::nginx(&folder, &configuration, behind.port))
}

/// A reader copies it into `http`.
#[test]
fn nginx_starts_with_the_part_of_the_guide() {
    let guide = include_str!("../../../../auth-proxy/docs/guide/reverse_proxies.md");
    let (_, block) = guide.split_once("```nginx\n").unwrap();
    let block = block.split("\n```").next().unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("verdict-guide");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("nginx.conf");
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};\n"));
    let head = format!("pid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{}", paths.concat());
    std::fs::write(&file, format!("{head}{block}\n}}\n")).unwrap();
    let mut command = Command::new("nginx");
    let output = command.arg("-t").arg("-p").arg(&folder).args(["-e", "stderr", "-c"]).arg(&file).output();
    let output = output.expect("nginx runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn nginx_lets_only_signed_in_visitors_pass_and_tells_the_service_who_they_are() {
    let behind = Behind::with_passwords(0);
    let (origin, _nginx) = nginx(&behind);
    let browser = Browser::at(&origin);
    let program = browser.get("/").await;
    assert_eq!((program.status, program.header("location")), (401, ""));
    assert_eq!(browser.post("/", &[]).await.status, 401);
    let page = browser.get_with("/a/b?c=%2F&d=1", &PAGE).await;
    let own = encoded(&origin);
    let sign_in = format!("{origin}/api/auth/signin?callbackUrl={own}%2Fa%2Fb%3Fc%3D%252F%26d%3D1");
    assert_eq!((page.status, page.header("location")), (303, sign_in.as_str()), "{page:?}");

    assert_eq!(browser.sign_in("demo", "demo").await.header("location"), format!("{origin}/"));
    assert_eq!(browser.get("/").await.body, "hello, Demo (1, demo@example.com)\n");
    assert_eq!(identity(&headers_at_the_service(&browser.get("/headers").await.body)), DEMO);
    // A body reaches the service, and the question about it has none.
    assert_eq!(browser.post("/", &[("a", &"x".repeat(100_000))]).await.status, 200);
    assert_eq!(browser.sign_out().await.status, 302);
    assert_eq!(browser.get("/").await.status, 401);
}

/// What a client sends as an identity never reaches the service, in no spelling and no number.
#[tokio::test]
async fn nginx_passes_no_identity_header_of_a_client() {
    let behind = Behind::with_passwords(0);
    let (origin, _nginx) = nginx(&behind);
    let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
    let forged = [
        "X-Auth-Subject: 2",
        "x-auth-subject: 2",
        "X_Auth_Subject: 2",
        "X-Auth_Subject: 2",
        "X.Auth.Subject: 2",
        "X!Auth-Subject: 2",
        "SCRIPT_NAME: /assets",
        "X-AUTH-SUBJECT:2\r\nX-Auth-Subject: 3",
        "X-Auth-Roles: admin",
        "X_AUTH_ROLES: admin",
        "X-Auth-Token: e30.e30.",
        "X-Auth-Email: admin@example.com",
        "X-Auth-Subject : 2",
        "X-Auth-Subject: 2\r\nConnection: X-Auth-Subject",
    ];
    for lines in forged {
        let head = format!("GET /headers HTTP/1.1\r\nHost: {}\r\n", &origin["http://".len()..]);
        let signed_in = format!("{head}Cookie: {cookie}\r\n{lines}\r\nConnection: close\r\n\r\n");
        let answer = raw(&origin, &signed_in).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        // nginx refuses a request whose header name ends in a space.
        if lines.contains(" :") && head.starts_with("HTTP/1.1 400") {
            continue;
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{lines}: {answer}");
        let body = body.lines().find(|line| line.starts_with('[')).unwrap();
        let headers = headers_at_the_service(body);
        assert_eq!((identity(&headers), odd_names(&headers)), (DEMO.to_vec(), vec![]), "{lines}");
        let signed_out = signed_in.replace(&cookie, "a=b");
        assert!(raw(&origin, &signed_out).await.starts_with("HTTP/1.1 401"), "{lines}");
    }
}

/// A client cannot say which request the question is about, and cannot ask itself.
#[tokio::test]
async fn nginx_lets_no_client_ask_or_change_the_question() {
    let behind = Behind::with_passwords(0);
    let (origin, _nginx) = nginx(&behind);
    let browser = Browser::at(&origin);
    for path in ["/_auth/verdict", "/_auth/verdict?x", "/%5fauth/verdict"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    // These are paths of the service, and the rules of the example refuse `//`.
    for (path, status) in
        [("/_auth/verdict/envoy/", 401), ("/_auth/verdict/", 401), ("/_auth//verdict/x", 400)]
    {
        assert_eq!(browser.get(path).await.status, status, "{path}");
    }
    for (name, value) in [
        ("x-original-uri", "/api/auth/signin"),
        ("x-original-method", "OPTIONS"),
        ("x-forwarded-uri", "/api/auth/signin"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "127.0.0.1"),
    ] {
        assert_eq!(browser.get_with("/", &[(name, value)]).await.status, 401, "{name}");
        let page = browser.get_with("/x", &[PAGE[0], PAGE[1], (name, value)]).await;
        let own = encoded(&origin);
        let location = format!("{origin}/api/auth/signin?callbackUrl={own}%2Fx");
        assert_eq!(page.header("location"), location, "{name}: {page:?}");
    }
}

/// Shared caches prefer headers such as `CDN-Cache-Control` to `Cache-Control`.
#[tokio::test]
async fn no_shared_cache_keeps_a_renewed_cookie_behind_nginx() {
    let mut behind = Behind::with_passwords(0);
    let service = cacheable_service().await;
    behind.service_port = service.addr.port();
    let (origin, _nginx) = nginx(&behind);
    let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
    let renewed = Browser::at(&origin).get_with("/", &[("cookie", &cookie)]).await;
    assert!(renewed.status == 200 && is_private_with_cookie(&renewed), "{renewed:?}");
    assert_eq!((renewed.header("x-kept"), renewed.body.as_str()), ("1", "for all"));
}

/// Through another protocol, such as HTTP/2, a client could send requests that no verdict is asked about.
#[tokio::test]
async fn nginx_passes_no_upgrade_other_than_websocket() {
    let behind = Behind::with_passwords(0);
    let (origin, _nginx) = nginx(&behind);
    let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
    for (lines, expected) in [
        ("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", &[][..]),
        ("Upgrade: h2c, websocket", &[]),
        ("Upgrade: h2c\r\nUpgrade: websocket", &[]),
        ("Upgrade: WebSocket", &["websocket"]),
    ] {
        let answer = raw(&origin, &upgrading(&origin, &cookie, lines)).await;
        assert_eq!(upgrades_at_the_service(&answer), expected, "{lines}");
    }
}

/// The login server writes the host into the links of its mails.
#[tokio::test]
async fn nginx_refuses_hosts_that_are_not_its_own() {
    let behind = Behind::with_passwords(0);
    let (origin, _nginx) = nginx(&behind);
    // nginx chooses its server by the host of the target, if there is one, and passes on `Host`.
    for target in ["", origin.as_str(), "http://localhost"] {
        for path in ["/", "/assets/a", "/api/auth/signin", "/api/auth/providers"] {
            for host in
                ["evil.example", "localhost.evil.example", "evil.example:80", "localhost:1.evil.example", ""]
            {
                let request =
                    format!("GET {target}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                let answer = raw(&origin, &request).await;
                let is_refused =
                    ["HTTP/1.1 421", "HTTP/1.1 400"].iter().any(|status| answer.starts_with(status));
                assert!(is_refused && !answer.contains("evil"), "{target}{path} {host}: {answer}");
            }
        }
    }
    for host in ["LOCALHOST", &origin["http://".len()..]] {
        let request =
            format!("GET /api/auth/providers HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert!(raw(&origin, &request).await.starts_with("HTTP/1.1 200"), "{host}");
    }
}

#[tokio::test]
async fn nginx_answers_503_in_an_outage_of_the_login_or_of_the_endpoint() {
    let mut behind = Behind::with_passwords(0);
    let (origin, _nginx) = nginx(&behind);
    let browser = Browser::at(&origin);
    let cookie = sent_back(&browser.sign_in("demo", "demo").await);
    drop(behind.login.take());
    // The example caches a session for ten seconds, and this one was not looked up.
    let headers = [("cookie", cookie.as_str())];
    let outage = browser.get_with("/", &headers).await;
    assert_eq!((outage.status, outage.header("retry-after")), (503, "5"), "{outage:?}");
    assert!(outage.cookies().is_empty());
    // A visitor without a cookie is signed out, whether or not the login answers.
    assert_eq!(Browser::at(&origin).get("/").await.status, 401);
    drop(behind.auth.take());
    let outage = browser.get_with("/", &headers).await;
    assert_eq!((outage.status, outage.header("retry-after")), (503, "5"), "{outage:?}");
}

/// Auth.js renews the session in each lookup. A large session has several cookies.
#[tokio::test]
async fn nginx_hands_back_renewed_cookies_of_several_chunks() {
    for (padding, chunks) in [(0, 1), (7000, 3)] {
        let behind = Behind::with_passwords(padding);
        let (origin, _nginx) = nginx(&behind);
        let cookie = sent_back(&Browser::at(&origin).sign_in("demo", "demo").await);
        let renewed = Browser::at(&origin).get_with("/", &[("cookie", &cookie)]).await;
        assert_eq!(renewed.status, 200);
        let cookies = renewed.cookies();
        assert_eq!(cookies.len(), chunks, "{cookies:?}");
        assert_eq!(renewed.header("cache-control"), "private", "a shared cache would keep the cookie");
        assert!(cookies.iter().all(|cookie| cookie.starts_with("authjs.session-token")), "{cookies:?}");
        let renewed = sent_back(&renewed);
        assert_ne!(renewed, cookie);
        let again = Browser::at(&origin).get_with("/", &[("cookie", &renewed)]).await;
        assert_eq!(again.body, "hello, Demo (1, demo@example.com)\n");
        // A cookie that the login refuses is removed from the browser.
        let refused = Browser::at(&origin)
            .get_with("/", &[("cookie", "authjs.session-token=eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA")])
            .await;
        assert!(refused.status == 401 && refused.cookies()[0].contains("Max-Age=0"), "{refused:?}");
    }
}

#[tokio::test]
async fn sign_in_through_nginx_works_in_chromium() {
    let port = free_port();
    let callback = format!("http://127.0.0.1:{port}/api/auth/callback/idp");
    let provider = Server::identity_provider(&callback);
    let login = Server::with(SessionStrategy::Jwt, "/api/auth", &[("ISSUER", &provider.url)]);
    let behind = Behind::start(login, port);
    let (origin, _nginx) = nginx(&behind);
    let vars = vec![("APP", origin), ("OUTPUT", output("verdict-nginx"))];
    run("verdict.mjs", vars, "sent to sign in, back, known, signed out, refused").await;
}

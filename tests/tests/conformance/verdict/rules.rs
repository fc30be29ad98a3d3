//! The rules of the example, with paths as real proxies send them.

use auth_proxy_tests::Browser;
use auth_proxy_tests::process::Process;

use super::caddy::caddy;
use super::nginx::nginx;
use super::{Behind, raw, sent_back};

type StartProxy = fn(&Behind) -> (String, Process);

#[tokio::test]
async fn rules_hold_behind_nginx_and_caddy_for_every_spelling_of_a_path() {
    let proxies: [StartProxy; 2] = [nginx, caddy];
    for proxy in proxies {
        let behind = Behind::with_passwords(0);
        let (origin, _proxy) = proxy(&behind);
        let cookie = |answer| sent_back(&answer);
        let user = cookie(Browser::at(&origin).sign_in("demo", "demo").await);
        let admin = cookie(Browser::at(&origin).sign_in("admin", "admin").await);
        let status = async |path: &str, cookie: &str| {
            let host = &origin["http://".len()..];
            let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n");
            let answer = raw(&origin, &format!("{head}Connection: close\r\n\r\n")).await;
            answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).unwrap_or_default()
        };
        for (path, guest, as_user, as_admin) in [
            ("/assets/a.css", 200, 200, 200),
            ("/reports", 401, 200, 200),
            ("/admin", 401, 403, 200),
            ("/admin/users?tab=1", 401, 403, 200),
            ("/%61dmin/users", 401, 403, 200),
        ] {
            assert_eq!(status(path, "a=b").await, guest, "{origin}{path}");
            assert_eq!(status(path, &user).await, as_user, "{origin}{path}");
            assert_eq!(status(path, &admin).await, as_admin, "{origin}{path}");
        }
        for path in [
            "/ADMIN/users",
            "/admin;x/users",
            "//admin/users",
            "/x/../admin/users",
            "/assets/..%2fadmin",
            "/assets/..;/admin",
            "/assets/%2e%2e/admin",
            "/assets%5C..%5Cadmin",
            "/admin.",
            "/%2561dmin",
            "/admin%00",
            "/assets\\..\\admin",
            "/admin%2Fusers",
        ] {
            let status = status(path, &user).await;
            assert!((300..500).contains(&status) && status != 401, "{origin}{path}: {status}");
        }
    }
}

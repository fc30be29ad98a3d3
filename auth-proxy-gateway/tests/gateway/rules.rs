//! Rules by path, with visitors of different roles.

use auth_proxy_tests::Answer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::identity::cookie_of_user;
use crate::support::{Running, app, authjs, config, received};

const RULES: &str = "[[rules]]\npath = \"/public/**\"\nrequire = \"public\"\n[[rules]]\npath = \"/hello\"\nrequire = \"guests\"\n\
    [[rules]]\npath = \"/admin/**\"\nrequire = \"role:admin\"\n";

#[tokio::test]
async fn first_rule_that_matches_the_path_counts() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", RULES));
    let visitors =
        [String::new(), cookie_of_user(&gateway, "demo").await, cookie_of_user(&gateway, "admin").await];
    for (path, statuses) in [
        ("/public", [200, 200, 200]),
        ("/public/a/b?c", [200, 200, 200]),
        ("/hello", [200, 200, 200]),
        ("/hello/there", [401, 200, 200]),
        ("/admin", [401, 403, 200]),
        ("/admin/", [401, 403, 200]),
        ("/admin/users?public", [401, 403, 200]),
        ("/publicity", [401, 200, 200]),
        ("/", [401, 200, 200]),
        // Some servers would read these as `/admin`.
        ("/ADMIN", [400, 400, 400]),
        ("/%61dmin", [401, 403, 200]),
        ("/public/..%2fadmin", [400, 400, 400]),
        ("/public/..;/admin", [400, 400, 400]),
        ("/public/%2e%2e/admin", [400, 400, 400]),
        ("//admin", [400, 400, 400]),
        ("/admin;x=1", [400, 400, 400]),
        ("/public%00/../admin", [400, 400, 400]),
        // Some login servers would read these as sign-in routes, which have a limit.
        ("/api/auth/session", [200, 200, 200]),
        ("/API/AUTH/session", [400, 400, 400]),
        ("/api%2fauth/session", [400, 400, 400]),
        ("/api;x/auth/session", [400, 400, 400]),
        ("/api/authors", [401, 200, 200]),
    ] {
        let mut found = Vec::new();
        for cookie in &visitors {
            found.push(raw(&gateway, path, cookie).await);
        }
        assert_eq!(found, statuses, "{path}");
    }
}

/// Also without any rule: the app may be the login server too, behind a server that resolves paths.
#[tokio::test]
async fn no_spelling_of_a_sign_in_route_reaches_the_app() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let cookie = cookie_of_user(&gateway, "demo").await;
    for (path, expected) in [
        ("/api/auth/session", 200),
        ("/API/AUTH/session", 400),
        ("//api/auth/session", 400),
        ("/x/../api/auth/session", 400),
        ("/x/..%2fapi/auth/session", 400),
        ("/resized/https://host/a.png", 200),
    ] {
        assert_eq!(raw(&gateway, path, &cookie).await, expected, "{path}");
    }
}

/// Sends exactly this path: a client library would normalize it. Returns the status.
async fn raw(gateway: &Running, path: &str, cookie: &str) -> u16 {
    let port = gateway.addr.port();
    let mut socket = TcpStream::connect(gateway.addr).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// A public path asks nobody, so it works during an outage. The app is told nothing, also if the client claims something.
#[tokio::test]
async fn public_paths_need_no_login_server_and_name_nobody() {
    let (_app, app) = app();
    let gateway = Running::start(&config("http://127.0.0.1:9", &app, "", RULES));
    let browser = gateway.browser();
    let headers =
        [("cookie", "authjs.session-token=a.b.c.d.e"), ("x-auth-subject", "1"), ("x_auth_subject", "1")];
    let answer: Answer = browser.get_with("/public/x", &headers).await;
    assert_eq!(answer.status, 200);
    for name in ["x-auth-subject", "x_auth_subject", "x-auth-name", "cookie"] {
        assert_eq!(received(&answer.body, name), [""; 0], "{name}");
    }
    // The answer is the same for everyone.
    assert!(!answer.header("cache-control").contains("private"), "{answer:?}");
}

//! Writes that pages of other origins have a visitor's browser send.

use auth_proxy::Builder;
use auth_proxy_tests::App;
use axum::Router;
use axum::routing::any;

use crate::support::Auth;

const COOKIE: &str = "Cookie: authjs.session-token=x\r\n";
const OWN: &str = "Origin: https://app.example.com\r\n";
const OTHER: &str = "Origin: https://evil.example\r\n";

async fn app(builder: impl FnOnce(Builder<Auth>) -> Builder<Auth>) -> App {
    let auth = builder(Auth::builder().base_url("http://127.0.0.1:9")).build().unwrap();
    let layer = auth.cross_origin_protection();
    App::start(Router::new().route("/", any(|| async { "done" })).layer(layer)).await
}

/// The status, and whether the handler ran.
async fn send(app: &App, method: &str, headers: &str) -> u16 {
    let answer = app
        .raw(&format!("{method} / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n{headers}\r\n"))
        .await;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    match status {
        200 => assert!(method == "HEAD" || answer.contains("done")),
        _ => assert!(answer.contains("\"cross_origin_refused\"") && answer.contains("no-store"), "{answer}"),
    }
    status
}

#[tokio::test]
async fn a_write_by_cookie_comes_from_an_own_page() {
    let app = app(|builder| builder.public_url("https://app.example.com")).await;
    let site = |site: &str| format!("Sec-Fetch-Site: {site}\r\n");
    for (headers, expected) in [
        (site("same-origin") + OWN, 200),
        (site("none"), 200),
        (site("same-site") + "Origin: https://sister.example.com\r\n", 403),
        (site("cross-site") + OTHER, 403),
        // A page of this host on plain http is another origin, and the browser says so.
        (site("cross-site") + "Origin: http://app.example.com\r\n", 403),
        (site("cross-site") + OWN, 403),
        (site("cross-site"), 403),
        (site("cross-site") + &site("same-origin"), 403),
        (site("Same-Origin"), 403),
        (site(""), 403),
        // Browsers without Fetch Metadata.
        (OWN.to_owned(), 200),
        ("Origin: https://APP.example.com:443\r\n".to_owned(), 200),
        (OTHER.to_owned(), 403),
        ("Origin: http://app.example.com\r\n".to_owned(), 403),
        ("Origin: https://app.example.com.evil.example\r\n".to_owned(), 403),
        ("Origin: https://app.example.com@evil.example\r\n".to_owned(), 403),
        ("Origin: https://evil.example/https://app.example.com\r\n".to_owned(), 403),
        ("Origin: null\r\n".to_owned(), 403),
        ("Origin: \r\n".to_owned(), 403),
        (OWN.to_owned() + OTHER, 403),
        // No browser.
        (String::new(), 200),
        ("Referer: https://evil.example/\r\n".to_owned(), 200),
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
            assert_eq!(send(&app, method, &(headers.clone() + COOKIE)).await, expected, "{method} {headers}");
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(send(&app, method, &(headers.clone() + COOKIE)).await, 200, "{method} {headers}");
        }
    }
}

#[tokio::test]
async fn what_a_browser_does_not_add_by_itself_is_nobodys_to_abuse() {
    let app = app(|builder| builder.public_url("https://app.example.com")).await;
    let foreign = OTHER.to_owned() + "Sec-Fetch-Site: cross-site\r\n";
    let bearer = "Authorization: Bearer x\r\n";
    let chunks = "Cookie: a=b; authjs.session-token.0=x\r\n";
    for (sent, expected) in [
        (String::new(), 200),
        ("Cookie: theme=dark; authjs.session-tokens=x\r\n".to_owned(), 200),
        (bearer.to_owned(), 200),
        (COOKIE.to_owned(), 403),
        (chunks.to_owned(), 403),
        // A cookie wins over a Bearer token.
        (COOKIE.to_owned() + bearer, 403),
        // What cannot be read here may be to others.
        ("Authorization: Bearer\r\n".to_owned(), 403),
    ] {
        assert_eq!(send(&app, "POST", &(foreign.clone() + &sent)).await, expected, "{sent}");
    }
}

#[tokio::test]
async fn a_websocket_is_a_write() {
    let app = app(|builder| builder.public_url("https://app.example.com")).await;
    let upgrade = "Upgrade: websocket\r\n";
    assert_eq!(send(&app, "GET", &format!("{upgrade}{COOKIE}{OTHER}")).await, 403);
    assert_eq!(send(&app, "GET", &format!("{upgrade}{COOKIE}{OWN}")).await, 200);
    assert_eq!(send(&app, "GET", &format!("{upgrade}{OTHER}")).await, 200);
}

/// Without `public_url` the host is the one that was asked for: a page can choose neither it nor its own
/// origin.
#[tokio::test]
async fn the_own_host_is_the_one_that_was_asked_for() {
    let app = app(|builder| builder).await;
    for (headers, expected) in [
        (OWN, 200),
        ("Origin: http://app.example.com\r\n", 200),
        ("Origin: https://app.example.com:8443\r\n", 403),
        (OTHER, 403),
        ("X-Forwarded-Host: evil.example\r\nOrigin: https://evil.example\r\n", 403),
    ] {
        assert_eq!(send(&app, "POST", &format!("{COOKIE}{headers}")).await, expected, "{headers}");
    }
}

#[tokio::test]
async fn pages_that_are_named_may_write() {
    let named = "https://page.example.net";
    let app = app(|builder| builder.public_url("https://app.example.com").cors_origins([named])).await;
    let from = |origin: &str| format!("{COOKIE}Sec-Fetch-Site: cross-site\r\nOrigin: {origin}\r\n");
    assert_eq!(send(&app, "POST", &from(named)).await, 200);
    assert_eq!(send(&app, "POST", &from("https://page.example.net:444")).await, 403);
    assert_eq!(send(&app, "POST", &from("https://evil.example")).await, 403);
}

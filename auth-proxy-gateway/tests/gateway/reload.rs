//! SIGHUP: the file is read again, and no request is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::identity::cookie_of;
use crate::support::{Running, app, authjs, config};
use crate::websocket::{frame, read_frame, upgrade};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reload_changes_the_app_and_drops_no_request() {
    let ((_auth, auth), (_one, one), (_two, two)) = (authjs(), app(), app());
    let gateway = Running::start(&config(&auth, &one, "", "[log]\nrequests = false"));
    let cookie = cookie_of(&gateway).await;
    let ends = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|n| {
            let (url, cookie, ends) =
                (gateway.url(&format!("/slow?ms={}", n * 20)), cookie.clone(), Arc::clone(&ends));
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                let mut count = 0;
                while !ends.load(Ordering::Relaxed) {
                    let response =
                        client.get(&url).header("cookie", &cookie).send().await.expect("an answer");
                    assert_eq!(response.status(), 200);
                    response.bytes().await.expect("a whole body");
                    count += 1;
                }
                count
            })
        })
        .collect();
    let first = reqwest::Client::new();
    let host = async |gateway: &Running| {
        let response = first.get(gateway.url("/me")).header("cookie", &cookie).send().await.unwrap();
        response.text().await.unwrap()
    };
    assert!(host(&gateway).await.contains("/me"));
    for n in 0..10 {
        let app = if n % 2 == 0 { &two } else { &one };
        gateway.reload(&config(&auth, app, "", "host = \"app\"\n[log]\nrequests = false"));
        let seen = app.trim_start_matches("http://");
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while !host(&gateway).await.contains(&format!("\"host\":[\"{seen}\"]")) {
            assert!(std::time::Instant::now() < until, "{}", gateway.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    ends.store(true, Ordering::Relaxed);
    let mut count = 0;
    for client in clients {
        count += client.await.unwrap();
    }
    assert!(count >= 20, "{count} requests");
}

#[tokio::test]
async fn file_with_mistakes_changes_nothing_and_each_mistake_is_logged() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let browser = gateway.signed_in("demo").await;
    gateway.reload("listen = \"127.0.0.1:0\"\nunautenticated = \"status\"\n[app]\nurl = 1\n");
    gateway.logs("the configuration stays as it was").await;
    let log = gateway.log();
    for mistake in [
        "gateway.toml:2:1: there is no option `unautenticated`: write `unauthenticated`",
        "gateway.toml:4:7: expected `url = \"http://127.0.0.1:3000\"`, found a number",
        "`upstream.base_url` is missing",
    ] {
        assert!(log.contains(mistake), "{mistake}: {log}");
    }
    assert_eq!(browser.get("/me").await.status, 200);
}

#[tokio::test]
async fn addresses_cannot_change_while_the_gateway_runs() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    gateway.reload(&config(&auth, &app, "", "").replace("127.0.0.1:0", "127.0.0.1:1"));
    gateway.logs("gateway.toml:1:10: `listen` cannot change while the gateway runs: restart it").await;
    gateway.reload(&config(&auth, &app, "admin_listen = \"127.0.0.1:1\"", ""));
    gateway.logs("`admin_listen` cannot change while the gateway runs: restart it").await;
    assert_eq!(gateway.browser().get("/me").await.code(), "session_absent");
}

/// The caches and the state of the breaker go on if the options of the sign-in stay the same.
#[tokio::test]
async fn cached_sessions_survive_a_reload_of_other_options() {
    let ((mut auth_process, auth), (_app, app)) = (authjs(), app());
    let file = |level: &str| {
        config(&auth, &app, "", &format!("[session]\ncache = \"10m\"\n[log]\nlevel = \"{level}\"\n"))
            .replace("secret = \"${AUTH_SECRET}\"\n", "")
    };
    let gateway = Running::start(&file("info"));
    let browser = gateway.signed_in("demo").await;
    assert_eq!(browser.get("/me").await.status, 200);
    assert!(auth_process.is_running());
    drop(auth_process);
    gateway.reload(&file("debug"));
    gateway.logs("the configuration file was read again").await;
    assert_eq!(browser.get("/me").await.status, 200, "the session is cached");
}

/// A sign-out goes to the new login, and what the one before let in would not learn of it.
#[tokio::test]
async fn websockets_end_if_an_option_of_the_login_changes() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let public = "[[rules]]\npath = \"/open/**\"\nrequire = \"public\"\n";
    let file = |tables: &str| config(&auth, &app, "", &format!("{public}{tables}"));
    let gateway = Running::start(&file(""));
    let cookie = cookie_of(&gateway).await;
    let (mut socket, head) = upgrade(&gateway, "/ws", &cookie, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let (mut guest, head) = upgrade(&gateway, "/open/ws", "a=b", "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    // With the same login, it goes on.
    gateway.reload(&file("[log]\nlevel = \"debug\"\n"));
    gateway.logs("the configuration file was read again").await;
    socket.write_all(&frame("still there")).await.unwrap();
    assert_eq!(read_frame(&mut socket).await, "still there");
    gateway.reload(&file("[session]\ncache = \"30s\"\n"));
    let closed = tokio::time::timeout(Duration::from_secs(20), socket.read(&mut [0])).await;
    assert_eq!(closed.expect("it is closed").unwrap_or(0), 0);
    // The WebSocket of a guest has no session that could end.
    guest.write_all(&frame("still there")).await.unwrap();
    assert_eq!(read_frame(&mut guest).await, "still there");
    let (_, head) = upgrade(&gateway, "/ws", &cookie, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
}

//! The gateway under visitors that hang up, sign in and out, and send what the app breaks off, while its file is read again.
//! It takes five seconds, or `SOAK_SECONDS`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::identity::cookie_of;
use crate::support::{Running, app, authjs, config, received};
use crate::websocket::{frame, read_frame, upgrade};

const TABLES: &str =
    "[[rules]]\npath = \"/public/**\"\nrequire = \"public\"\n[log]\nrequests = false\nlevel = \"error\"";

fn lasting() -> Duration {
    let seconds = std::env::var("SOAK_SECONDS").map(|text| text.parse().expect("a number of seconds"));
    Duration::from_secs(seconds.unwrap_or(5))
}

/// One visitor, who does each thing in turn. Returns the number of rounds.
async fn visitor(gateway: Arc<Running>, until: Instant) -> usize {
    let cookie = cookie_of(&gateway).await;
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(gateway.url(path)).header("cookie", &cookie);
    let mut rounds = 0;
    while Instant::now() < until {
        let mine = get("/me").send().await.unwrap();
        assert_eq!(mine.status(), 200);
        assert_eq!(received(&mine.text().await.unwrap(), "x-auth-subject"), ["1"]);
        let guest = client.get(gateway.url("/me")).header("x-auth-subject", "1").send().await.unwrap();
        assert_eq!(guest.status(), 401);
        let public =
            client.get(gateway.url("/public/me")).header("x-auth-subject", "1").send().await.unwrap();
        assert_eq!(received(&public.text().await.unwrap(), "x-auth-subject"), [""; 0]);
        let upload = client.post(gateway.url("/upload")).header("cookie", &cookie).body(vec![b'x'; 200_000]);
        assert_eq!(upload.send().await.unwrap().json::<serde_json::Value>().await.unwrap()["bytes"], 200_000);
        assert_eq!(get("/resets").send().await.unwrap().status(), 502);
        assert!(get("/breaks").send().await.unwrap().bytes().await.is_err(), "half of a body is an error");
        // Clients that hang up: before the head, within a body, and within a stream of events.
        timeout(Duration::from_millis(20), get("/slow?ms=5000").send()).await.unwrap_err();
        drop(get("/download?bytes=10000000").send().await.unwrap());
        let mut events = get("/events?ms=20&count=1000").send().await.unwrap();
        assert_eq!(events.status(), 200);
        // A reload with another login ends streams, perhaps before the first event.
        drop(events.chunk().await);
        let (mut socket, head) = upgrade(&gateway, "/ws", &cookie, "websocket").await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        socket.write_all(&frame("hello")).await.unwrap();
        // And WebSockets, perhaps before the answer.
        drop(timeout(Duration::from_secs(5), read_or_end(&mut socket)).await.unwrap());
        rounds += 1;
    }
    rounds
}

async fn read_or_end(socket: &mut tokio::net::TcpStream) -> Option<String> {
    if socket.peek(&mut [0]).await.ok()? == 0 {
        return None;
    }
    Some(read_frame(socket).await)
}

/// Signs in and out again and again. The session is good in between, and never after.
async fn short_visits(gateway: Arc<Running>, until: Instant) -> usize {
    let mut visits = 0;
    while Instant::now() < until {
        let browser = gateway.signed_in("demo").await;
        assert_eq!(browser.get("/me").await.status, 200);
        browser.sign_out().await;
        assert_eq!(browser.get("/me").await.status, 401);
        visits += 1;
    }
    visits
}

/// How many files and sockets the process has open.
fn open_files(gateway: &Running) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", gateway.id())).unwrap().count()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visitors_that_hang_up_and_reloads_leave_nothing_behind() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let file = |cache: &str| {
        config(
            &auth,
            &app,
            "admin_listen = \"127.0.0.1:0\"",
            &format!("{TABLES}\n[session]\nsource = \"upstream\"\ncache = \"{cache}\""),
        )
    };
    let gateway = Arc::new(Running::start(&file("1s")));
    let run = async |lasting: Duration| {
        let until = Instant::now() + lasting;
        let mut visitors = JoinSet::new();
        for _ in 0..4 {
            visitors.spawn(visitor(Arc::clone(&gateway), until));
        }
        visitors.spawn(short_visits(Arc::clone(&gateway), until));
        let mut n = 0;
        while Instant::now() < until {
            n += 1;
            // Each second reload has another login, with a cache of its own.
            gateway.reload(&file(["1s", "1s", "2s", "2s"][n % 4]));
            sleep(Duration::from_millis(200)).await;
        }
        let rounds = visitors.join_all().await;
        assert!(rounds.iter().all(|rounds| *rounds > 0), "{rounds:?}");
    };
    // The first run fills pools and caches.
    run(Duration::from_secs(2)).await;
    sleep(Duration::from_secs(1)).await;
    let (files, memory) = (open_files(&gateway), gateway.memory());
    run(lasting()).await;
    let until = Instant::now() + Duration::from_secs(20);
    while open_files(&gateway) > files + 5 {
        assert!(Instant::now() < until, "{files} open files became {}", open_files(&gateway));
        sleep(Duration::from_millis(100)).await;
    }
    let grown = gateway.memory().saturating_sub(memory) / 1024;
    println!("{grown} KiB more than {} KiB", memory / 1024);
    assert!(grown < 8 * 1024, "{grown} KiB more");
    let metrics = reqwest::get(format!("http://{}/metrics", gateway.admin.unwrap())).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let under_way =
        metrics.lines().filter(|line| line.starts_with("auth_proxy_") && line.contains("in_flight"));
    for gauge in under_way {
        assert!(gauge.ends_with(" 0"), "{gauge}");
    }
    assert!(!gateway.log().contains("panicked"), "{}", gateway.log());
}

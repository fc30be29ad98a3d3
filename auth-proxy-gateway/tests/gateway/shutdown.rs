//! SIGTERM and SIGINT: requests that are under way are answered.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::identity::cookie_of;
use crate::support::{Running, app, authjs, config};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_way_are_answered_and_new_ones_are_refused() {
    for signal in ["-TERM", "-INT"] {
        let ((_auth, auth), (_app, app)) = (authjs(), app());
        let mut gateway = Running::start(&config(&auth, &app, "", ""));
        let cookie = cookie_of(&gateway).await;
        let slow = reqwest::Client::new().get(gateway.url("/slow?ms=1500")).header("cookie", &cookie).send();
        let slow = tokio::spawn(slow);
        // An idle connection must not hold up the end.
        let mut idle = TcpStream::connect(gateway.addr).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        gateway.signal(signal);
        gateway.logs("stopping").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(TcpStream::connect(gateway.addr).await.is_err(), "it still accepts connections");
        let response = slow.await.unwrap().expect("the request under way is answered");
        assert_eq!(response.status(), 200);
        assert!(response.text().await.unwrap().contains("/slow"));
        assert_eq!(gateway.end().await.code(), Some(0), "{}", gateway.log());
        assert!(gateway.log().contains("stopped"));
        assert_eq!(idle.read(&mut [0]).await.unwrap_or(0), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_that_does_not_end_is_cut_off_after_the_limit() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let mut gateway = Running::start(&config(&auth, &app, "", "[server]\nshutdown_timeout = \"1s\"\n"));
    let cookie = cookie_of(&gateway).await;
    let hangs = reqwest::Client::new().get(gateway.url("/slow?ms=60000")).header("cookie", &cookie).send();
    let hangs = tokio::spawn(hangs);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    gateway.signal("-TERM");
    assert_eq!(gateway.end().await.code(), Some(0));
    assert!(
        (Duration::from_millis(900)..Duration::from_secs(8)).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
    assert!(gateway.log().contains("stopping before all requests are answered"), "{}", gateway.log());
    assert!(hangs.await.unwrap().is_err());
    assert!(!gateway.is_running());
}

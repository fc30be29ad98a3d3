//! Bodies that are streamed in both directions, and an app that fails.

use std::time::{Duration, Instant};

use auth_proxy_tests::Answer;
use reqwest::Body;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::identity::cookie_of;
use crate::support::{Running, app, authjs, config};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn events_arrive_when_the_app_sends_them() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let cookie = cookie_of(&gateway).await;
    let begun = Instant::now();
    let request = reqwest::Client::new().get(gateway.url("/events?ms=300&count=3")).header("cookie", cookie);
    let mut response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let first = response.chunk().await.unwrap().unwrap();
    let (first_at, mut rest) = (begun.elapsed(), String::new());
    assert_eq!(first, "data: 0\n\n");
    while let Some(chunk) = response.chunk().await.unwrap() {
        rest += std::str::from_utf8(&chunk).unwrap();
    }
    assert_eq!(rest, "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    assert!(begun.elapsed() - first_at > Duration::from_millis(800), "the events came together");
}

/// 64 MiB in each direction, with less memory.
#[tokio::test]
async fn large_bodies_are_not_kept_in_memory() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", "[log]\nrequests = false"));
    let cookie = cookie_of(&gateway).await;
    let before = gateway.memory();
    let upload = reqwest::Client::new().post(gateway.url("/upload")).header("cookie", &cookie);
    let upload = Answer::of(upload.body(vec![b'x'; 64 * MIB]).send().await.unwrap()).await;
    assert_eq!(upload.json()["bytes"], 64 * MIB, "{upload:?}");
    let download =
        reqwest::Client::new().get(gateway.url("/download?bytes=67108864")).header("cookie", &cookie);
    let mut response = download.send().await.unwrap();
    let (mut bytes, mut most) = (0, 0);
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes += chunk.len();
        if bytes % (8 * MIB) < chunk.len() {
            // A slow client must not fill the memory.
            tokio::time::sleep(Duration::from_millis(20)).await;
            most = most.max(gateway.memory());
        }
    }
    assert_eq!(bytes, 64 * MIB);
    assert!(most < before + 24 * MIB, "{before} bytes before, {most} then");
}

/// A chunked body of unknown length reaches the app while it is sent, and takes longer than `app.timeout`.
#[tokio::test]
async fn upload_may_take_longer_than_the_timeout() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", "timeout = \"1s\""));
    let cookie = cookie_of(&gateway).await;
    let mut socket = TcpStream::connect(gateway.addr).await.unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..5 {
        socket.write_all(b"4\r\nabcd\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    socket.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"bytes\":20"), "{answer}");
}

#[tokio::test]
async fn failures_of_the_app_have_codes_of_their_own() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", "timeout = \"500ms\""));
    let browser = gateway.signed_in("demo").await;
    let late = browser.get("/slow?ms=3000").await;
    assert_eq!((late.status, late.code().as_str()), (504, "app_timeout"));
    let reset = browser.get("/resets").await;
    assert_eq!((reset.status, reset.code().as_str()), (502, "app_failed"));
    // The visitor is still signed in.
    assert_eq!(browser.get("/me").await.status, 200);
    // A body that breaks off is no whole answer.
    let cookie = cookie_of(&gateway).await;
    let broken =
        reqwest::Client::new().get(gateway.url("/breaks")).header("cookie", cookie).send().await.unwrap();
    assert_eq!(broken.status(), 200);
    assert!(broken.bytes().await.is_err());
    let gateway = Running::start(&config(&auth, "http://127.0.0.1:9", "", ""));
    let browser = gateway.signed_in("demo").await;
    let down = browser.get("/me").await;
    assert_eq!((down.status, down.code().as_str()), (502, "app_unreachable"));
    assert_eq!(down.header("retry-after"), "5");
    let page = browser.get_with("/me", &[("accept", "text/html"), ("sec-fetch-mode", "navigate")]).await;
    assert!(page.status == 502 && page.header("content-type").starts_with("text/html"), "{page:?}");
    gateway.logs("app unavailable").await;
}

/// The app learns the size of a body, as the client wrote it, and gets the body of a GET too.
#[tokio::test]
async fn size_of_a_body_reaches_the_app() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let cookie = cookie_of(&gateway).await;
    for method in ["POST", "GET", "PUT"] {
        let request = reqwest::Client::new().request(method.parse().unwrap(), gateway.url("/me"));
        let answer = Answer::of(request.header("cookie", &cookie).body("abc").send().await.unwrap()).await;
        assert_eq!(crate::support::received(&answer.body, "content-length"), ["3"], "{method}");
        assert_eq!(crate::support::received(&answer.body, "transfer-encoding"), [""; 0], "{method}");
    }
    // A body whose size the client does not tell, as a search with a GET may have.
    for method in ["POST", "GET", "DELETE"] {
        let mut socket = TcpStream::connect(gateway.addr).await.unwrap();
        let request = format!(
            "{method} /upload HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\n\
             Connection: close\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("\"bytes\":4"), "{method}: {answer}");
    }
}

/// A client that breaks off its upload is not a failure of the app.
#[tokio::test]
async fn client_that_breaks_off_does_not_count_as_a_failure_of_the_app() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let cookie = cookie_of(&gateway).await;
    for _ in 0..3 {
        let mut socket = TcpStream::connect(gateway.addr).await.unwrap();
        let head = format!(
            "POST /upload HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nContent-Length: 100\r\n\r\nabc"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let upload = reqwest::Client::new().post(gateway.url("/upload")).header("cookie", &cookie);
    let upload = Answer::of(upload.body(Body::from("abc")).send().await.unwrap()).await;
    assert_eq!(upload.json()["bytes"], 3);
    assert!(!gateway.log().contains("app unavailable"), "{}", gateway.log());
}

#[tokio::test]
async fn answers_of_the_app_stay_as_they_are() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let browser = gateway.signed_in("demo").await;
    let redirect = browser.get("/redirect").await;
    assert_eq!((redirect.status, redirect.header("location")), (302, "/elsewhere"));
    assert_eq!(redirect.header("alt-svc"), "", "another port has no rule in front of it");
    let sets = browser.get("/sets").await;
    // The third is the session cookie, which Auth.js renews with each lookup.
    assert_eq!(sets.cookies()[..2], ["a=1; Path=/", "b=2; Path=/"]);
    assert!(sets.cookies()[2].starts_with("authjs.session-token="), "{sets:?}");
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let cookie = cookie_of(&gateway).await;
        let request = reqwest::Client::new().request(method.parse().unwrap(), gateway.url("/a%20b?c=%2F&d"));
        let answer = Answer::of(request.header("cookie", cookie).send().await.unwrap()).await;
        assert_eq!(answer.json()["method"], method);
        assert_eq!(answer.json()["url"], "/a%20b?c=%2F&d");
    }
    let cookie = cookie_of(&gateway).await;
    let head = reqwest::Client::new().head(gateway.url("/me")).header("cookie", cookie).send().await.unwrap();
    assert_eq!(head.status(), 200);
}

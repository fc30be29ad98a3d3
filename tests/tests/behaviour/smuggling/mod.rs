//! Request smuggling: no request goes up that was not asked for, in any reading of the bytes.

mod cases;

use std::time::Duration;

use auth_proxy_tests::App;

use self::cases::{Case, LAST};
use crate::support::{Auth, app_of};
use crate::wire::{Message, Recorder, exchange};

async fn stage() -> (Recorder, App) {
    let upstream = Recorder::start().await;
    let builder =
        Auth::builder().upstream_base_url(upstream.url.clone()).upstream_timeout(Duration::from_secs(1));
    let (app, _browser) = app_of(builder).await;
    (upstream, app)
}

/// Sends every case, and after each of them an innocent request on a connection of its own.
async fn run(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let (upstream, app) = stage().await;
    let mut wrong = Vec::new();
    for (n, case) in cases.into_iter().enumerate() {
        let shown = String::from_utf8_lossy(&case.bytes[..case.bytes.len().min(400)]).into_owned();
        let answers = exchange(app.addr, &[case.bytes.as_slice(), LAST.as_bytes()].concat()).await;
        let statuses: Vec<u16> = answers.iter().map(Message::status).collect();
        let seen = upstream.take();
        let up: Vec<String> = seen.requests.iter().map(line).collect();
        let bodies: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status() == 200)
            .map(|answer| plain(&answer.body))
            .collect();
        // Each answer is that to its own request, in their order.
        if !seen.faults.is_empty() || statuses != case.answers || up != case.up || bodies != up {
            wrong.push(format!("{shown:?}: {statuses:?} {bodies:?}, up went {up:?} {:?}", seen.faults));
        }
        wrong.extend(seen.requests.iter().flat_map(unclean).map(|what| format!("{shown:?}: {what}")));

        let innocent =
            format!("GET /api/auth/innocent{n} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answers = exchange(app.addr, innocent.as_bytes()).await;
        let bodies: Vec<_> = answers.iter().map(|answer| plain(&answer.body)).collect();
        let up: Vec<String> = upstream.take().requests.iter().map(line).collect();
        let own = [format!("GET /api/auth/innocent{n} | ")];
        if bodies != own || up != own {
            wrong.push(format!("{shown:?}: who came after got {bodies:?}, up went {up:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn line(request: &Message) -> String {
    plain(&format!("{} | {}", request.start, request.body))
}

fn plain(line: &str) -> String {
    line.replacen(" HTTP/1.1 | ", " | ", 1)
}

/// What is wrong with a request that went up: what the connection to the client said stays there, what is
/// said of the client is our word, and a body is framed once.
fn unclean(request: &Message) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in [
        "connection",
        // Sent by no case but under `Connection`, or in a trailer.
        "cookie",
        "expect",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
    ] {
        if !request.all(name).is_empty() {
            wrong.push(format!("{name} went up"));
        }
    }
    for (name, value) in [
        ("host", "localhost"),
        ("x-api-key", "k3y"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "for=127.0.0.1;host=\"localhost\";proto=http"),
    ] {
        if request.all(name) != [value] {
            wrong.push(format!("{name} is {:?}", request.all(name)));
        }
    }
    let said = format!("{:?}", request.headers);
    if ["evil", "9.9.9.9", "forged", "tossed"].iter().any(|word| said.contains(word)) {
        wrong.push(format!("the client's word: {said}"));
    }
    let framing = request.all("content-length").len() + request.all("transfer-encoding").len();
    if framing > 1 || (framing == 0 && !request.body.is_empty()) {
        wrong.push(format!("framing: {said}"));
    }
    wrong
}

#[tokio::test]
async fn both_framings_of_a_body() {
    run(cases::both_framings(), 50).await;
}

#[tokio::test]
async fn lengths_that_are_none_or_two() {
    run(cases::lengths(), 30).await;
}

#[tokio::test]
async fn chunks_that_are_no_chunks() {
    run(cases::chunks(), 45).await;
}

#[tokio::test]
async fn request_lines_with_two_readings() {
    run(cases::lines(), 35).await;
}

#[tokio::test]
async fn headers_of_the_connection() {
    run(cases::headers(), 30).await;
}

/// What starts as HTTP/2 is not read as HTTP/1 anywhere.
#[tokio::test]
async fn prefaces_of_http_2() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (upstream, app) = stage().await;
    for preface in
        ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r", "PRI * HTTP/2.0\r\n\r\n"]
    {
        let mut socket = tokio::net::TcpStream::connect(app.addr).await.unwrap();
        socket.write_all(format!("{preface}{LAST}{LAST}").as_bytes()).await.ok();
        let mut answer = Vec::new();
        let read = socket.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("left open").ok();
        assert!(
            crate::wire::find(&answer, b" 200 ").is_none(),
            "{preface:?}: {:?}",
            String::from_utf8_lossy(&answer)
        );
        let seen = upstream.take();
        assert!(seen.requests.is_empty() && seen.faults.is_empty(), "{preface:?}: {:?}", seen.requests);
    }
}

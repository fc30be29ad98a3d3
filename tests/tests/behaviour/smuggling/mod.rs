//! Request smuggling: the upstream gets no request that the client did not send as one.

mod cases;

use std::time::Duration;

use auth_proxy_tests::App;

use self::cases::{Case, LAST};
use crate::http1::{Message, Recorder, exchange};
use crate::support::{Auth, app_of};

async fn stage() -> (Recorder, App) {
    let upstream = Recorder::start().await;
    let builder =
        Auth::builder().upstream_base_url(upstream.url.clone()).upstream_timeout(Duration::from_secs(1));
    let (app, _browser) = app_of(builder).await;
    (upstream, app)
}

/// Sends every case, and after each one a regular request on a new connection.
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
        // Each response belongs to its own request, in order.
        if !seen.faults.is_empty() || statuses != case.answers || up != case.up || bodies != up {
            wrong.push(format!(
                "{shown:?}: {statuses:?} {bodies:?}, the upstream got {up:?} {:?}",
                seen.faults
            ));
        }
        wrong.extend(seen.requests.iter().flat_map(unclean).map(|what| format!("{shown:?}: {what}")));

        let innocent =
            format!("GET /api/auth/innocent{n} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answers = exchange(app.addr, innocent.as_bytes()).await;
        let bodies: Vec<_> = answers.iter().map(|answer| plain(&answer.body)).collect();
        let up: Vec<String> = upstream.take().requests.iter().map(line).collect();
        let own = [format!("GET /api/auth/innocent{n} | ")];
        if bodies != own || up != own {
            wrong.push(format!("{shown:?}: the next client got {bodies:?}, the upstream got {up:?}"));
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

/// The errors of a forwarded request: it has no connection headers of the client, its forwarding headers are the
/// proxy's own, and its body has one framing.
fn unclean(request: &Message) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in [
        "connection",
        // The cases send it only under `Connection` or in a trailer.
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
            wrong.push(format!("{name} was forwarded"));
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
        wrong.push(format!("values of the client were forwarded: {said}"));
    }
    let framing = request.all("content-length").len() + request.all("transfer-encoding").len();
    if framing > 1 || (framing == 0 && !request.body.is_empty()) {
        wrong.push(format!("framing: {said}"));
    }
    wrong
}

#[tokio::test]
async fn conflicting_framings_smuggle_no_request() {
    run(cases::both_framings(), 50).await;
}

#[tokio::test]
async fn invalid_content_lengths_smuggle_no_request() {
    run(cases::lengths(), 30).await;
}

#[tokio::test]
async fn invalid_chunks_smuggle_no_request() {
    run(cases::chunks(), 45).await;
}

#[tokio::test]
async fn ambiguous_request_lines_smuggle_no_request() {
    run(cases::lines(), 35).await;
}

#[tokio::test]
async fn connection_headers_smuggle_no_request() {
    run(cases::headers(), 30).await;
}

/// Bytes that start like HTTP/2 are not read as HTTP/1.
#[tokio::test]
async fn http2_prefaces_are_rejected() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (upstream, app) = stage().await;
    for preface in
        ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r", "PRI * HTTP/2.0\r\n\r\n"]
    {
        let mut socket = tokio::net::TcpStream::connect(app.addr).await.unwrap();
        socket.write_all(format!("{preface}{LAST}{LAST}").as_bytes()).await.ok();
        let mut answer = Vec::new();
        let read = socket.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(20), read)
            .await
            .expect("the connection is closed within 20 s")
            .ok();
        assert!(
            crate::http1::find(&answer, b" 200 ").is_none(),
            "{preface:?}: {:?}",
            String::from_utf8_lossy(&answer)
        );
        let seen = upstream.take();
        assert!(seen.requests.is_empty() && seen.faults.is_empty(), "{preface:?}: {:?}", seen.requests);
    }
}

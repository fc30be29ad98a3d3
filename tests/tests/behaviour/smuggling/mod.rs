//! Request smuggling: the upstream never receives a request that the client hid in the bytes of another request.

mod cases;

use std::time::Duration;

use auth_proxy_tests::App;

use self::cases::{Case, LAST};
use crate::http1::{Message, Recorder, exchange};
use crate::support::{Auth, app_of};

async fn recorder_and_app() -> (Recorder, App) {
    let upstream = Recorder::start().await;
    let builder =
        Auth::builder().upstream_base_url(upstream.url.clone()).upstream_timeout(Duration::from_secs(1));
    let (app, _browser) = app_of(builder).await;
    (upstream, app)
}

/// Sends every case, and after each one a regular request on a new connection.
async fn run(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let (upstream, app) = recorder_and_app().await;
    let mut wrong = Vec::new();
    for (n, case) in cases.into_iter().enumerate() {
        let shown = String::from_utf8_lossy(&case.bytes[..case.bytes.len().min(400)]).into_owned();
        let answers = exchange(app.addr, &[case.bytes.as_slice(), LAST.as_bytes()].concat()).await;
        let statuses: Vec<u16> = answers.iter().map(Message::status).collect();
        let seen = upstream.take();
        let received: Vec<String> = seen.requests.iter().map(summary).collect();
        let bodies: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status() == 200)
            .map(|answer| without_version(&answer.body))
            .collect();
        // The upstream echoes each request, so the bodies show whether every response belongs to its request.
        if !seen.faults.is_empty()
            || statuses != case.statuses
            || received != case.forwarded
            || bodies != received
        {
            wrong.push(format!(
                "{shown:?}: {statuses:?} {bodies:?}, the upstream got {received:?} {:?}",
                seen.faults
            ));
        }
        wrong.extend(
            seen.requests.iter().flat_map(forwarding_errors).map(|what| format!("{shown:?}: {what}")),
        );

        let innocent =
            format!("GET /api/auth/innocent{n} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answers = exchange(app.addr, innocent.as_bytes()).await;
        let bodies: Vec<_> = answers.iter().map(|answer| without_version(&answer.body)).collect();
        let received: Vec<String> = upstream.take().requests.iter().map(summary).collect();
        let own = [format!("GET /api/auth/innocent{n} | ")];
        if bodies != own || received != own {
            wrong.push(format!("{shown:?}: the next client got {bodies:?}, the upstream got {received:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn summary(request: &Message) -> String {
    without_version(&format!("{} | {}", request.start, request.body))
}

fn without_version(summary: &str) -> String {
    summary.replacen(" HTTP/1.1 | ", " | ", 1)
}

/// Lists the errors of a forwarded request. It must have no connection headers of the client, only the proxy's own
/// forwarding headers, and at most one header that sets the body length.
fn forwarding_errors(request: &Message) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in [
        "connection",
        // The cases send a cookie only as a trailer or as a header that `Connection` names, so none may arrive.
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
    let headers = format!("{:?}", request.headers);
    if ["evil", "9.9.9.9", "forged", "tossed"].iter().any(|word| headers.contains(word)) {
        wrong.push(format!("client values were forwarded: {headers}"));
    }
    let framing = request.all("content-length").len() + request.all("transfer-encoding").len();
    if framing > 1 || (framing == 0 && !request.body.is_empty()) {
        wrong.push(format!("wrong body length headers: {headers}"));
    }
    wrong
}

#[tokio::test]
async fn conflicting_framings_smuggle_no_request() {
    run(cases::conflicting_framings(), 50).await;
}

#[tokio::test]
async fn invalid_content_lengths_smuggle_no_request() {
    run(cases::content_lengths(), 30).await;
}

#[tokio::test]
async fn invalid_chunks_smuggle_no_request() {
    run(cases::chunked_bodies(), 45).await;
}

#[tokio::test]
async fn ambiguous_request_lines_smuggle_no_request() {
    run(cases::request_lines(), 35).await;
}

#[tokio::test]
async fn connection_headers_smuggle_no_request() {
    run(cases::headers(), 30).await;
}

/// An HTTP/2 connection preface is not read as HTTP/1 requests.
#[tokio::test]
async fn http2_prefaces_are_rejected() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (upstream, app) = recorder_and_app().await;
    for preface in
        ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r", "PRI * HTTP/2.0\r\n\r\n"]
    {
        let mut socket = tokio::net::TcpStream::connect(app.addr).await.unwrap();
        socket.write_all(format!("{preface}{LAST}{LAST}").as_bytes()).await.ok();
        let mut answer = Vec::new();
        let read = socket.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(20), read)
            .await
            .expect("the connection must be closed within 20 s")
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

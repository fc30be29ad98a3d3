//! Request smuggling: the app never receives a request that the client hid in the bytes of another request.

#[path = "../../../tests/tests/behaviour/smuggling/cases.rs"]
mod cases;
#[path = "../../../tests/tests/behaviour/support/http1.rs"]
mod http1;

use self::cases::{Case, LAST};
use self::http1::{Message, Recorder, exchange};
use crate::support::Running;

/// The cases are for the path `/api/auth`. Here it is a path of the app, which everyone may have.
fn file(app: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nbase_path = \"/login\"\n[upstream]\nbase_url = \"http://127.0.0.1:9\"\n[app]\nurl = \"{app}\"\n\
         timeout = \"1s\"\n[[rules]]\npath = \"/api/auth/**\"\nrequire = \"public\"\n[server]\nheader_timeout = \"1s\"\n\
         body_timeout = \"1s\"\n[log]\nrequests = false\n"
    )
}

fn summary(request: &Message) -> String {
    format!("{} | {}", request.start, request.body).replacen(" HTTP/1.1 | ", " | ", 1)
}

/// A case that the sign-in routes refuse because of the method or of `Upgrade`. The app gets it as an ordinary request.
fn is_ordinary_here(case: &Case) -> bool {
    let text = String::from_utf8_lossy(&case.bytes).to_ascii_lowercase();
    text.contains("upgrade:") || case.statuses.first() == Some(&405)
}

/// The sign-in routes have a limit for the size of a body, and other codes for a body that is late.
fn is_same_kind(status: u16, expected: u16) -> bool {
    status == expected || ((400..=431).contains(&status) && (400..=431).contains(&expected))
}

async fn run(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let app = Recorder::start().await;
    let gateway = Running::start(&file(&app.url));
    let mut wrong = Vec::new();
    for (n, case) in cases.into_iter().enumerate() {
        let shown = String::from_utf8_lossy(&case.bytes[..case.bytes.len().min(400)]).into_owned();
        let answers = exchange(gateway.addr, &[case.bytes.as_slice(), LAST.as_bytes()].concat()).await;
        let statuses: Vec<u16> = answers.iter().map(Message::status).collect();
        let seen = app.take();
        let received: Vec<String> = seen.requests.iter().map(summary).collect();
        let fits = statuses.len() == case.statuses.len()
            && statuses.iter().zip(&case.statuses).all(|(status, expected)| is_same_kind(*status, *expected));
        let as_expected = fits && received == case.forwarded;
        let hidden = received.iter().any(|request| request.starts_with("GET /api/auth/hidden "));
        if !seen.faults.is_empty() || !(as_expected || (is_ordinary_here(&case) && !hidden)) {
            wrong.push(format!(
                "{shown:?}: {statuses:?} and not {:?}, the app got {received:?} and not {:?}, {:?}",
                case.statuses, case.forwarded, seen.faults
            ));
        }
        for request in &seen.requests {
            for name in [
                "connection",
                "cookie",
                "expect",
                "keep-alive",
                "te",
                "trailer",
                "upgrade",
                "proxy-connection",
            ] {
                if !request.all(name).is_empty() {
                    wrong.push(format!("{shown:?}: {name} was forwarded"));
                }
            }
            let framing = request.all("content-length").len() + request.all("transfer-encoding").len();
            if framing > 1 || (framing == 0 && !request.body.is_empty()) {
                wrong.push(format!("{shown:?}: wrong body length headers: {:?}", request.headers));
            }
        }
        let innocent =
            format!("GET /api/auth/innocent{n} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answers = exchange(gateway.addr, innocent.as_bytes()).await;
        let received: Vec<String> = app.take().requests.iter().map(summary).collect();
        if answers.len() != 1 || received != [format!("GET /api/auth/innocent{n} | ")] {
            wrong.push(format!("{shown:?}: then the app got {received:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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

/// Every target of the corpus, below a path that everyone may have: what reaches the app leads nowhere else, however the app
/// reads it.
#[tokio::test]
async fn paths_reach_the_app_unchanged_or_not_at_all() {
    let app = Recorder::start().await;
    let gateway = Running::start(&file(&app.url));
    let corpus = include_str!("../../../tests/corpus/paths.txt");
    let targets = corpus.lines().filter(|line| line.starts_with('/') && !line.contains("\\x"));
    let (mut wrong, mut passed, mut refused) = (Vec::new(), 0, 0);
    for target in targets.map(|line| line.replace("\\\\", "\\")) {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answers = exchange(gateway.addr, request.as_bytes()).await;
        let status = answers.first().map_or(0, Message::status);
        let received: Vec<String> = app.take().requests.iter().map(|request| request.start.clone()).collect();
        // A fragment is not sent on: hyper ends the target there.
        let expected = [format!("GET {} HTTP/1.1", target.split('#').next().unwrap())];
        let path = target.split(['?', '#']).next().unwrap();
        match status {
            200 if received == expected && !leaves(path) => passed += 1,
            400 | 401 | 414 | 421 | 502 if received.is_empty() => refused += 1,
            _ => wrong.push(format!("{target:?}: {status}, the app got {received:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(passed > 30 && refused > 100, "{passed} passed, {refused} refused");
}

/// Whether some server could read a path as one that does not begin with `/api/auth`.
fn leaves(path: &str) -> bool {
    let mut text = path.to_owned();
    (0..3).any(|_| {
        let read = text.replace('\\', "/");
        let url = reqwest::Url::parse(&format!("http://app.test{read}"));
        let leaves = url.is_ok_and(|url| {
            !decoded(url.path()).starts_with("/api/auth") || url.host_str() != Some("app.test")
        });
        text = decoded(&text);
        leaves
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

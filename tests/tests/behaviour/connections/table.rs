//! Retries of requests to the upstream, over http and https: a table of upstream failures and kinds of requests.

use std::time::Duration;

use auth_proxy_tests::{Answer, Browser, free_port};

use super::upstream::{OK, Then, Upstream, url};
use crate::support::{Auth, app_of};

/// A kind of request in the table.
#[derive(Clone, Copy, Debug, PartialEq)]
enum RequestKind {
    /// A GET that changes nothing, so it may be retried.
    Read,
    /// A GET that spends a one-time token.
    Callback,
    /// A POST with a body.
    Form,
}

const ALL: [RequestKind; 3] = [RequestKind::Read, RequestKind::Callback, RequestKind::Form];

impl RequestKind {
    async fn send(self, browser: &Browser) -> Answer {
        match self {
            Self::Read => browser.get("/api/auth/providers").await,
            Self::Callback => browser.get("/api/auth/callback/github?code=1").await,
            Self::Form => browser.post("/api/auth/signout", &[("csrfToken", "x")]).await,
        }
    }

    /// The start of its request line.
    fn request_line(self) -> &'static str {
        match self {
            Self::Read => "GET /api/auth/providers ",
            Self::Callback => "GET /api/auth/callback/github?code=1 ",
            Self::Form => "POST /api/auth/signout ",
        }
    }
}

/// The behaviour of an upstream, and the expected result of each kind of request.
struct Case {
    name: &'static str,
    then: fn(connection: usize, request: usize) -> Then,
    /// Whether a successful GET comes first and leaves an idle connection in the pool.
    warm: bool,
    /// The expected body or error code, and how often the request arrives at the upstream.
    expected: fn(RequestKind) -> (&'static str, usize),
}

const CASES: [Case; 8] = [
    Case { name: "answers", then: |_, _| Then::Answer(OK), warm: false, expected: |_| ("ok", 1) },
    Case {
        name: "closed an idle connection",
        then: |connection, _| if connection == 0 { Then::AnswerAndClose(OK) } else { Then::Answer(OK) },
        warm: true,
        expected: |_| ("ok", 1),
    },
    Case {
        name: "closes a used connection after it read the request",
        then: |connection, n| if (connection, n) == (0, 1) { Then::Close } else { Then::Answer(OK) },
        warm: true,
        expected: |kind| if kind == RequestKind::Read { ("ok", 2) } else { ("upstream_failed", 1) },
    },
    Case {
        name: "closes a new connection after it read the request",
        then: |connection, _| if connection == 0 { Then::Close } else { Then::Answer(OK) },
        warm: false,
        expected: |kind| if kind == RequestKind::Read { ("ok", 2) } else { ("upstream_failed", 1) },
    },
    Case {
        name: "closes in the middle of the response head",
        then: |connection, _| {
            if connection == 0 { Then::AnswerAndClose("HTTP/1.1 200 OK\r\nConte") } else { Then::Answer(OK) }
        },
        warm: false,
        expected: |kind| if kind == RequestKind::Read { ("ok", 2) } else { ("upstream_failed", 1) },
    },
    Case {
        name: "answers something that is not HTTP",
        then: |connection, _| {
            if connection == 0 { Then::AnswerAndClose("SSH-2.0-OpenSSH_9.6\r\n") } else { Then::Answer(OK) }
        },
        warm: false,
        expected: |kind| if kind == RequestKind::Read { ("ok", 2) } else { ("upstream_failed", 1) },
    },
    Case {
        name: "sends an informational response first",
        then: |_, _| {
            Then::Answer(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            )
        },
        warm: true,
        expected: |_| ("ok", 1),
    },
    Case {
        name: "is overloaded for a moment",
        then: |connection, n| {
            if (connection, n) == (0, 0) {
                Then::Answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
            } else {
                Then::Answer(OK)
            }
        },
        warm: false,
        expected: |kind| if kind == RequestKind::Read { ("ok", 2) } else { ("busy", 1) },
    },
];

/// The error code of a problem response, or else the body.
fn code_or_body(answer: &Answer) -> String {
    if answer.header("content-type") == "application/problem+json" {
        answer.code()
    } else {
        answer.body.clone()
    }
}

#[tokio::test]
async fn only_reads_are_retried_after_an_upstream_failure() {
    for case in CASES {
        for kind in ALL {
            let name = format!("{} {kind:?}", case.name);
            let upstream = Upstream::start(case.then).await;
            let (_app, browser) = upstream.app().await;
            if case.warm {
                assert_eq!(browser.get("/api/auth/csrf").await.body, "ok", "{name}");
                // The proxy needs a moment to notice a close.
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            let answer = kind.send(&browser).await;
            let (expected, times) = (case.expected)(kind);
            assert_eq!(
                (code_or_body(&answer).as_str(), upstream.count(kind.request_line())),
                (expected, times),
                "{name}"
            );
        }
    }
}

/// Without a connection nothing was sent, so even a form may be retried until the upstream has restarted.
#[tokio::test]
async fn refused_connection_is_retried_for_reads_callbacks_and_forms() {
    for kind in ALL {
        let port = free_port();
        let (_app, browser) = app_of(Auth::builder().upstream_base_url(url(port)).upstream_retries(10)).await;
        let request = tokio::spawn(async move { kind.send(&browser).await });
        tokio::time::sleep(Duration::from_millis(60)).await;
        let upstream = Upstream::start_at(port, |_, _| Then::Answer(OK)).await;
        let answer = request.await.unwrap();
        assert_eq!(
            (code_or_body(&answer).as_str(), upstream.count(kind.request_line())),
            ("ok", 1),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn refused_connection_gives_upstream_unreachable() {
    for kind in ALL {
        let (_app, browser) =
            app_of(Auth::builder().upstream_base_url(url(free_port())).upstream_retries(1)).await;
        let answer = kind.send(&browser).await;
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"), "{kind:?}");
    }
}

//! One behaviour for http and https: which requests go out once more, and which never do.

use std::time::Duration;

use auth_proxy_tests::{Answer, Browser, free_port};

use super::upstream::{OK, Then, Upstream, url};
use crate::support::{Auth, app_of};

/// A request of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ask {
    /// It changes nothing, and may be repeated.
    Read,
    /// A GET that spends a one-time token.
    Callback,
    /// A POST with a body.
    Form,
}

const ALL: [Ask; 3] = [Ask::Read, Ask::Callback, Ask::Form];

impl Ask {
    async fn send(self, browser: &Browser) -> Answer {
        match self {
            Self::Read => browser.get("/api/auth/providers").await,
            Self::Callback => browser.get("/api/auth/callback/github?code=1").await,
            Self::Form => browser.post("/api/auth/signout", &[("csrfToken", "x")]).await,
        }
    }

    /// How its head begins.
    fn start(self) -> &'static str {
        match self {
            Self::Read => "GET /api/auth/providers ",
            Self::Callback => "GET /api/auth/callback/github?code=1 ",
            Self::Form => "POST /api/auth/signout ",
        }
    }
}

/// How an upstream treats its first connections. The later ones are answered.
struct Case {
    name: &'static str,
    then: fn(connection: usize, request: usize) -> Then,
    /// Whether a GET that is answered comes first, so that there is an idle connection.
    warm: bool,
    /// What comes of each request, and how often it arrives.
    expected: fn(Ask) -> (&'static str, usize),
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
        expected: |ask| if ask == Ask::Read { ("ok", 2) } else { ("upstream_failed", 1) },
    },
    Case {
        name: "closes a new connection after it read the request",
        then: |connection, _| if connection == 0 { Then::Close } else { Then::Answer(OK) },
        warm: false,
        expected: |ask| if ask == Ask::Read { ("ok", 2) } else { ("upstream_failed", 1) },
    },
    Case {
        name: "breaks off in the head of the response",
        then: |connection, _| {
            if connection == 0 { Then::AnswerAndClose("HTTP/1.1 200 OK\r\nConte") } else { Then::Answer(OK) }
        },
        warm: false,
        expected: |ask| if ask == Ask::Read { ("ok", 2) } else { ("upstream_failed", 1) },
    },
    Case {
        name: "answers something that is not HTTP",
        then: |connection, _| {
            if connection == 0 { Then::AnswerAndClose("SSH-2.0-OpenSSH_9.6\r\n") } else { Then::Answer(OK) }
        },
        warm: false,
        expected: |ask| if ask == Ask::Read { ("ok", 2) } else { ("upstream_failed", 1) },
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
        expected: |ask| if ask == Ask::Read { ("ok", 2) } else { ("busy", 1) },
    },
];

fn word(answer: &Answer) -> String {
    if answer.header("content-type") == "application/problem+json" {
        answer.code()
    } else {
        answer.body.clone()
    }
}

#[tokio::test]
async fn every_case() {
    for case in CASES {
        for ask in ALL {
            let name = format!("{} {ask:?}", case.name);
            let upstream = Upstream::start(case.then).await;
            let (_app, browser) = upstream.app().await;
            if case.warm {
                assert_eq!(browser.get("/api/auth/csrf").await.body, "ok", "{name}");
                // So that a close has arrived.
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            let answer = ask.send(&browser).await;
            let (expected, times) = (case.expected)(ask);
            assert_eq!((word(&answer).as_str(), upstream.count(ask.start())), (expected, times), "{name}");
        }
    }
}

/// Nothing of a request was sent while nothing listened. So a form may wait for an upstream that restarts.
#[tokio::test]
async fn refused_connection_is_retried_for_every_request() {
    for ask in ALL {
        let port = free_port();
        let (_app, browser) = app_of(Auth::builder().upstream_base_url(url(port)).upstream_retries(10)).await;
        let asked = tokio::spawn(async move { ask.send(&browser).await });
        tokio::time::sleep(Duration::from_millis(60)).await;
        let upstream = Upstream::start_at(port, |_, _| Then::Answer(OK)).await;
        let answer = asked.await.unwrap();
        assert_eq!((word(&answer).as_str(), upstream.count(ask.start())), ("ok", 1), "{ask:?}");
    }
}

#[tokio::test]
async fn refused_connection_is_an_unreachable_upstream() {
    for ask in ALL {
        let (_app, browser) =
            app_of(Auth::builder().upstream_base_url(url(free_port())).upstream_retries(1)).await;
        let answer = ask.send(&browser).await;
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"), "{ask:?}");
    }
}

//! The expected outcome of each fault.

use std::time::Duration;

use auth_proxy::testing::Fault;

use super::caller::{Caller, Outcome, Seen, Visitor};

/// The outcome that a caller must get.
#[derive(Clone, Copy, Debug)]
pub(super) enum May {
    /// The visitor is signed in, since the response of the upstream is valid.
    Present,
    /// An error with this code.
    Trouble(&'static str),
    /// The upstream's response with this status, or with the status of a healthy response.
    Pass(Option<u16>),
    /// A head and a body that is cut off, or an error with this code if the body failed before the head was sent.
    Break(&'static str),
}

/// The expected outcome of lookups and of proxied routes.
pub(super) struct Expected {
    fault: Fault,
    lookup: May,
    proxied: May,
}

impl Expected {
    pub(super) fn of(&self, caller: Caller) -> May {
        match (self.fault, caller) {
            // A forwarded session with status 200 is judged like a lookup; any other status is forwarded.
            (_, Caller::Session) => match (self.lookup, self.proxied) {
                (lookup, May::Pass(None | Some(200)) | May::Break(_)) if !matches!(lookup, May::Present) => {
                    lookup
                }
                (_, proxied) => proxied,
            },
            // The sign-in response is a redirect without a body.
            (Fault::TrickleBody(_), Caller::SignIn) => May::Pass(None),
            (_, caller) if caller.looks_up() => self.lookup,
            _ => self.proxied,
        }
    }

    /// Whether the request ends by its deadline.
    pub(super) fn is_late(&self) -> bool {
        matches!(self.lookup, May::Trouble("upstream_timeout"))
    }
}

/// Codes that may replace the expected one after earlier failures: the circuit is open or the queue is full.
pub(super) const INSTEAD: &[&str] = &["circuit_open", "upstream_overloaded"];

/// The status of each error code.
fn status(code: &str) -> u16 {
    match code {
        "upstream_unreachable"
        | "upstream_failed"
        | "upstream_invalid_response"
        | "upstream_ambiguous_session" => 502,
        "circuit_open" | "upstream_overloaded" => 503,
        "upstream_timeout" => 504,
        other => panic!("{other} is not an outage code"),
    }
}

pub(super) fn expected(fault: Fault) -> Expected {
    use May::{Break, Pass, Present, Trouble};
    let (lookup, proxied) = match fault {
        Fault::Refused => (Trouble("upstream_unreachable"), Trouble("upstream_unreachable")),
        Fault::HangBeforeHead
        | Fault::HangWithinHead
        | Fault::EndlessHints
        | Fault::Trickle(_)
        | Fault::Delayed(_) => (Trouble("upstream_timeout"), Trouble("upstream_timeout")),
        Fault::HangWithinBody | Fault::TrickleBody(_) => {
            (Trouble("upstream_timeout"), Break("upstream_timeout"))
        }
        Fault::ResetBeforeHead
        | Fault::CloseBeforeHead
        | Fault::ContentLengthNotANumber
        | Fault::ContentLengthTwice
        // More headers than the upstream client accepts.
        | Fault::ManyHeaders
        | Fault::Garbage => (Trouble("upstream_failed"), Trouble("upstream_failed")),
        Fault::ResetWithinBody | Fault::TruncatedBody | Fault::TruncatedChunks => {
            (Trouble("upstream_failed"), Break("upstream_failed"))
        }
        Fault::InternalError => (Trouble("upstream_failed"), Pass(Some(500))),
        Fault::Overloaded => (Trouble("upstream_overloaded"), Pass(Some(503))),
        Fault::RedirectLoop => (Trouble("upstream_failed"), Pass(Some(302))),
        Fault::EmptyObject | Fault::Undecided => (Trouble("upstream_ambiguous_session"), Pass(Some(200))),
        Fault::Html
        | Fault::JsonString
        | Fault::EmptyArray
        | Fault::NestedJson
        | Fault::HugeJson
        | Fault::InvalidUtf8
        | Fault::GzipBomb => (Trouble("upstream_invalid_response"), Pass(Some(200))),
        // The body is complete by its own `Content-Length`, so it is forwarded.
        Fault::ContentLengthTooShort => (Trouble("upstream_invalid_response"), Pass(None)),
        Fault::HugeHeader | Fault::MalformedCookies | Fault::Http10 | Fault::EarlyClose => {
            (Present, Pass(None))
        }
        other => panic!("no expectation for the fault {other:?}"),
    };
    Expected { fault, lookup, proxied }
}

/// How much later than its deadline a response may be on a busy machine.
const SLACK: Duration = Duration::from_secs(8);

/// The errors of a response: differences from the expectation, and violations of the rules for every fault.
pub(super) fn complaints(
    visitor: &Visitor,
    seen: &Seen,
    healthy: &Seen,
    may: May,
    limit: Duration,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{:?}: {what}: {seen:?}, expected {may:?}", visitor.caller));
        }
    };
    let fits = match (&seen.outcome, may) {
        (Outcome::Present, May::Present) => seen.status == 200,
        (Outcome::Passed(_), May::Pass(status)) => seen.status == status.unwrap_or(healthy.status),
        (Outcome::Broken(_), May::Break(_)) => seen.status == healthy.status,
        (Outcome::Trouble(code), May::Trouble(own) | May::Break(own)) => {
            code == own || INSTEAD.contains(&code.as_str())
        }
        _ => false,
    };
    check(fits, "unexpected outcome");
    if let Outcome::Trouble(code) = &seen.outcome {
        check(seen.status == status(code), "the status does not match the code");
        check(seen.header("retry-after").parse::<u32>().is_ok(), "no Retry-After");
        check(seen.headers.get("set-cookie").is_none(), "an error sets a cookie");
    }
    check(!seen.clears_the_session(), "an outage cleared the session cookie");
    check(!matches!(seen.outcome, Outcome::SignedOut(_)), "an outage was treated as signed out");
    check(!matches!(seen.outcome, Outcome::Wrong(_)), "a handler ran for another visitor");
    check(seen.took < limit + SLACK, "late");
    wrong
}

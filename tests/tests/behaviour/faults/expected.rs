//! The expected outcome of each upstream fault, and the check of an actual outcome.

use std::time::Duration;

use auth_proxy::testing::Fault;

use super::caller::{Caller, Outcome, Seen, Visitor};
use super::family::Family;

/// The required outcome of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum ExpectedOutcome {
    /// The handler runs for the visitor, since the upstream's response is valid despite the fault.
    Present,
    /// An error with this code.
    Error(&'static str),
    /// The upstream's response with this status. `None`: the status is the same as without a fault.
    Forward(Option<u16>),
    /// The head and a part of the body, or an error with this code if the body failed before the head was sent.
    CutOff(&'static str),
}

/// The expected outcomes of one fault, for lookups and for proxied routes.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    family: Family,
    fault: Fault,
    lookup: ExpectedOutcome,
    proxied: ExpectedOutcome,
}

impl Expected {
    pub(super) fn of(&self, caller: Caller) -> ExpectedOutcome {
        match (self.fault, caller) {
            // The upstream finds this session in the cookie too.
            (Fault::DatabaseDown, Caller::Session) if self.family == Family::BetterAuthCache => {
                ExpectedOutcome::Forward(None)
            }
            // The proxy checks a forwarded session with status 200 like a lookup. It forwards any other status.
            (_, Caller::Session) => match (self.lookup, self.proxied) {
                (lookup, ExpectedOutcome::Forward(None | Some(200)) | ExpectedOutcome::CutOff(_))
                    if !matches!(lookup, ExpectedOutcome::Present) =>
                {
                    lookup
                }
                (_, proxied) => proxied,
            },
            // The sign-in response of Auth.js is a redirect without a body.
            (Fault::TrickleBody(_), Caller::SignIn) if self.family == Family::Authjs => {
                ExpectedOutcome::Forward(None)
            }
            // This route needs no database.
            (Fault::DatabaseDown, Caller::Providers) => ExpectedOutcome::Forward(None),
            (_, caller) if caller.looks_up() && self.family == Family::BetterAuthCache => {
                ExpectedOutcome::Present
            }
            (_, caller) if caller.looks_up() => self.lookup,
            _ => self.proxied,
        }
    }

    /// Whether a lookup ends by `upstream.timeout`.
    pub(super) fn is_late(&self) -> bool {
        matches!(self.lookup, ExpectedOutcome::Error("upstream_timeout"))
    }
}

/// Codes that are also allowed in place of the expected one: earlier failures opened the circuit or filled the queue.
pub(super) const ALTERNATIVE_CODES: &[&str] = &["circuit_open", "upstream_overloaded"];

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

pub(super) fn expected_of(family: Family, fault: Fault) -> Expected {
    use ExpectedOutcome::{CutOff, Error, Forward, Present};
    let (lookup, proxied) = match fault {
        Fault::Refused => (Error("upstream_unreachable"), Error("upstream_unreachable")),
        Fault::HangBeforeHead
        | Fault::HangWithinHead
        | Fault::EndlessHints
        | Fault::Trickle(_)
        | Fault::Delayed(_) => (Error("upstream_timeout"), Error("upstream_timeout")),
        Fault::HangWithinBody | Fault::TrickleBody(_) => {
            (Error("upstream_timeout"), CutOff("upstream_timeout"))
        }
        Fault::ResetBeforeHead
        | Fault::CloseBeforeHead
        | Fault::ContentLengthNotANumber
        | Fault::ContentLengthTwice
        // The response has more headers than this proxy accepts from an upstream.
        | Fault::ManyHeaders
        | Fault::Garbage => (Error("upstream_failed"), Error("upstream_failed")),
        Fault::ResetWithinBody | Fault::TruncatedBody | Fault::TruncatedChunks => {
            (Error("upstream_failed"), CutOff("upstream_failed"))
        }
        Fault::InternalError => (Error("upstream_failed"), Forward(Some(500))),
        Fault::Overloaded => (Error("upstream_overloaded"), Forward(Some(503))),
        Fault::RateLimited => (Error("upstream_overloaded"), Forward(Some(429))),
        Fault::DatabaseDown if family.is_better_auth() => (Error("upstream_failed"), Forward(Some(500))),
        // The tokens of Auth.js need no database.
        Fault::DatabaseDown => (Present, Forward(None)),
        Fault::RedirectLoop => (Error("upstream_failed"), Forward(Some(302))),
        Fault::EmptyObject | Fault::Undecided => (Error("upstream_ambiguous_session"), Forward(Some(200))),
        Fault::Html
        | Fault::JsonString
        | Fault::EmptyArray
        | Fault::NestedJson
        | Fault::HugeJson
        | Fault::InvalidUtf8
        | Fault::GzipBomb => (Error("upstream_invalid_response"), Forward(Some(200))),
        // The body is as long as `Content-Length` says, so it is forwarded as complete.
        Fault::ContentLengthTooShort => (Error("upstream_invalid_response"), Forward(None)),
        Fault::HugeHeader | Fault::MalformedCookies | Fault::Http10 | Fault::EarlyClose => {
            (Present, Forward(None))
        }
        other => panic!("no expectation for the fault {other:?}"),
    };
    Expected { family, fault, lookup, proxied }
}

/// The allowed delay after the deadline, for a busy machine.
const SLACK: Duration = Duration::from_secs(8);

/// The violations of a response: an unexpected outcome, and broken rules that hold for every fault.
pub(super) fn violations_of(
    visitor: &Visitor,
    seen: &Seen,
    healthy: &Seen,
    expected: ExpectedOutcome,
    limit: Duration,
) -> Vec<String> {
    let mut violations = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            violations.push(format!("{:?}: {what}: {seen:?}, expected {expected:?}", visitor.caller));
        }
    };
    let as_expected = match (&seen.outcome, expected) {
        (Outcome::Present, ExpectedOutcome::Present) => seen.status == 200,
        (Outcome::Forwarded(_), ExpectedOutcome::Forward(status)) => {
            seen.status == status.unwrap_or(healthy.status)
        }
        (Outcome::CutOff(_), ExpectedOutcome::CutOff(_)) => seen.status == healthy.status,
        (Outcome::Error(code), ExpectedOutcome::Error(wanted) | ExpectedOutcome::CutOff(wanted)) => {
            code == wanted || ALTERNATIVE_CODES.contains(&code.as_str())
        }
        _ => false,
    };
    check(as_expected, "unexpected outcome");
    if let Outcome::Error(code) = &seen.outcome {
        check(seen.status == status(code), "the status does not match the code");
        check(seen.header("retry-after").parse::<u32>().is_ok(), "an error without a Retry-After header");
        check(seen.headers.get("set-cookie").is_none(), "an error sets a cookie");
    }
    check(!seen.clears_the_session(), "an outage cleared the session cookie");
    check(!matches!(seen.outcome, Outcome::SignedOut(_)), "an outage was treated as signed out");
    check(
        !matches!(seen.outcome, Outcome::Unexpected(_)),
        "a handler ran for another visitor, or the response is unexpected",
    );
    check(seen.took < limit + SLACK, "the response came after the deadline");
    violations
}

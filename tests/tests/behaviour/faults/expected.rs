//! The one place that says what each fault means.

use std::time::Duration;

use auth_proxy::testing::Fault;

use super::caller::{Caller, Outcome, Seen, Visitor};

/// What a caller may get. An outcome that is none of these is an error.
#[derive(Clone, Copy, Debug)]
pub(super) enum May {
    /// The visitor, who is signed in: the upstream said so.
    Present,
    /// Trouble by this code.
    Trouble(&'static str),
    /// The upstream's own answer with this status, or with the one of a healthy answer.
    Pass(Option<u16>),
    /// A head, and a body that is seen to break off; or trouble, where that came first.
    Break(&'static str),
}

/// What lookups get, and what the proxied routes get.
pub(super) struct Expected {
    fault: Fault,
    lookup: May,
    proxied: May,
}

impl Expected {
    pub(super) fn of(&self, caller: Caller) -> May {
        match (self.fault, caller) {
            // Judged as a lookup is, where it says 200; any other status speaks for itself.
            (_, Caller::Session) => match (self.lookup, self.proxied) {
                (lookup, May::Pass(None | Some(200)) | May::Break(_)) if !matches!(lookup, May::Present) => {
                    lookup
                }
                (_, proxied) => proxied,
            },
            // A redirect has no body that could trickle.
            (Fault::TrickleBody(_), Caller::SignIn) => May::Pass(None),
            (_, caller) if caller.looks_up() => self.lookup,
            _ => self.proxied,
        }
    }

    /// Whether the deadline is what ends it.
    pub(super) fn is_late(&self) -> bool {
        matches!(self.lookup, May::Trouble("upstream_timeout"))
    }
}

/// Codes that an answer may have in the place of its own because the upstream failed before: somebody who
/// does not ask it any more while it is in trouble, or who waits for too many others.
pub(super) const INSTEAD: &[&str] = &["circuit_open", "upstream_overloaded"];

/// The status of each code of trouble.
fn status(code: &str) -> u16 {
    match code {
        "upstream_unreachable"
        | "upstream_failed"
        | "upstream_invalid_response"
        | "upstream_ambiguous_session" => 502,
        "circuit_open" | "upstream_overloaded" => 503,
        "upstream_timeout" => 504,
        other => panic!("{other} is no trouble"),
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
        // More than the client to the upstream takes.
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
        // Whole, as far as anybody can tell by what it says of itself.
        Fault::ContentLengthTooShort => (Trouble("upstream_invalid_response"), Pass(None)),
        Fault::HugeHeader | Fault::MalformedCookies | Fault::Http10 | Fault::EarlyClose => {
            (Present, Pass(None))
        }
        other => panic!("what is to come of {other:?}?"),
    };
    Expected { fault, lookup, proxied }
}

/// By how much an answer may be later than its deadline on a machine that is busy.
const SLACK: Duration = Duration::from_secs(8);

/// What is wrong with an answer: against what is expected of the fault, and against what holds for all.
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
    check(fits, "not what was expected");
    if let Outcome::Trouble(code) = &seen.outcome {
        check(seen.status == status(code), "another status than that of its code");
        check(seen.header("retry-after").parse::<u32>().is_ok(), "no Retry-After");
        check(seen.headers.get("set-cookie").is_none(), "a cookie in trouble");
    }
    check(!seen.clears_the_session(), "logged out by an outage");
    check(!matches!(seen.outcome, Outcome::SignedOut(_)), "told signed out by an outage");
    check(!matches!(seen.outcome, Outcome::Wrong(_)), "a handler ran for nobody");
    check(seen.took < limit + SLACK, "late");
    wrong
}

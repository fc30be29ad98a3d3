//! Judges a response: whether it is right for this visitor on this route, in whatever state the upstream is.

use auth_proxy_tests::{clears_the_session, page_code};
use serde_json::Value;

/// The visitor who sent a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Who {
    /// A visitor who is signed in under this name.
    SignedIn(String),
    /// A visitor with a token that the upstream rejects.
    Forged,
    /// A visitor without a cookie.
    Guest,
}

/// The requested route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Route {
    Required,
    Optional,
    Guarded,
    Group,
    /// The route of `Guarded`, requested by a browser that navigates.
    Page,
    /// The forwarded route `providers`.
    Providers,
    /// The forwarded route `session`.
    Session,
}

impl Route {
    pub(crate) const ALL: [Self; 7] = [
        Self::Required,
        Self::Optional,
        Self::Guarded,
        Self::Group,
        Self::Page,
        Self::Providers,
        Self::Session,
    ];

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Required => "/required",
            Self::Optional => "/optional",
            Self::Guarded | Self::Page => "/guarded",
            Self::Group => "/group",
            Self::Providers => "/api/auth/providers",
            Self::Session => "/api/auth/session",
        }
    }

    fn is_forwarded(self) -> bool {
        matches!(self, Self::Providers | Self::Session)
    }
}

/// A response, or the part of it that arrived.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) location: String,
    pub(crate) cookies: Vec<String>,
    pub(crate) body: String,
    /// Whether the body is complete.
    pub(crate) is_complete: bool,
}

/// The kind of an acceptable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// The same as with a healthy upstream.
    Right,
    /// A forwarded response of the upstream that was cut off.
    CutOff,
    /// A forwarded 500 of the upstream.
    ForwardedError,
    /// 502: the session could not be looked up.
    Failed,
    /// 503: too many requests, or the circuit is open.
    Overloaded,
    /// 504: the upstream took too long.
    Late,
}

/// Judges a response.
///
/// # Errors
/// If a visitor was wrongly accepted or wrongly treated as signed out, or if the response is of no known kind.
pub(crate) fn judge(who: &Who, route: Route, answer: &Answer) -> Result<Verdict, String> {
    let wrong = |what: &str| Err(format!("{what}: {who:?} on {route:?} got {answer:?}"));
    if *who != Who::Forged && answer.cookies.iter().any(|line| clears_the_session(line)) {
        return wrong("the session cookie was cleared");
    }
    let is_page = route == Route::Page && page_code(&answer.body).is_some();
    if (is_page || answer.kind == "application/problem+json") && answer.status >= 500 {
        if *who == Who::Guest && !route.is_forwarded() {
            return wrong("a lookup was made without a cookie");
        }
        if !answer.cookies.is_empty() {
            return wrong("an error sets a cookie");
        }
        return match answer.status {
            502 => Ok(Verdict::Failed),
            503 => Ok(Verdict::Overloaded),
            504 => Ok(Verdict::Late),
            _ => wrong("an error with an unexpected status"),
        };
    }
    if !answer.is_complete {
        return if route.is_forwarded() {
            Ok(Verdict::CutOff)
        } else {
            wrong("a response of the app was cut off")
        };
    }
    if route.is_forwarded() && answer.status == 500 {
        return Ok(Verdict::ForwardedError);
    }
    let right = match (route, who) {
        (Route::Providers, _) => answer.status == 200 && answer.body.contains("\"credentials\""),
        (Route::Session | Route::Optional, Who::SignedIn(name)) => {
            answer.status == 200 && named(answer) == *name
        }
        (Route::Session | Route::Optional, _) => answer.status == 200 && answer.body == "null",
        (Route::Required, Who::SignedIn(name)) => answer.status == 200 && named(answer) == *name,
        (Route::Guarded | Route::Group | Route::Page, Who::SignedIn(_)) => {
            answer.status == 200 && answer.body == "ok"
        }
        (Route::Page, _) => answer.status == 303 && answer.location.starts_with("/api/auth/signin"),
        (Route::Required | Route::Guarded | Route::Group, _) => answer.status == 401,
    };
    if right { Ok(Verdict::Right) } else { wrong("not the right response") }
}

fn named(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body["user"]["name"].as_str().unwrap_or_default().to_owned()
}

/// If `judge` accepted a wrong response, the load tests would prove nothing.
#[test]
fn judge_rejects_every_wrong_response() {
    let ada = Who::SignedIn("ada".to_owned());
    let answer =
        |status, body: &str| Answer { status, body: body.to_owned(), is_complete: true, ..Answer::default() };
    let session = r#"{"user":{"name":"ada"}}"#;
    assert_eq!(judge(&ada, Route::Required, &answer(200, session)), Ok(Verdict::Right));
    for (who, route, bad) in [
        (&Who::Forged, Route::Required, answer(200, session)),
        (&Who::Guest, Route::Optional, answer(200, session)),
        (&Who::Forged, Route::Guarded, answer(200, "ok")),
        (&Who::Guest, Route::Page, answer(200, "ok")),
        (&ada, Route::Required, answer(401, "")),
        (&ada, Route::Optional, answer(200, "null")),
        (&ada, Route::Session, answer(200, "null")),
        (&ada, Route::Page, answer(303, "")),
        (&ada, Route::Required, answer(200, r#"{"user":{"name":"bob"}}"#)),
        (&ada, Route::Guarded, answer(500, "")),
        (&ada, Route::Guarded, Answer { is_complete: false, ..answer(200, "o") }),
        (&ada, Route::Providers, answer(200, "{")),
    ] {
        assert!(judge(who, route, &bad).is_err(), "{who:?} {route:?} {bad:?}");
    }
    let mut cleared = answer(200, session);
    cleared.cookies.push("authjs.session-token=; Max-Age=0; Path=/".to_owned());
    assert!(judge(&ada, Route::Required, &cleared).is_err());
    let mut failure = answer(502, "");
    failure.kind = "application/problem+json".to_owned();
    assert_eq!(judge(&ada, Route::Required, &failure), Ok(Verdict::Failed));
    assert!(judge(&Who::Guest, Route::Required, &failure).is_err());
    assert_eq!(judge(&ada, Route::Session, &answer(500, session)), Ok(Verdict::ForwardedError));
}

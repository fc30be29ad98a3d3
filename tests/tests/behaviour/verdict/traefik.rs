//! What Traefik sends and what it does with the answer, as in its source, with the configuration of the example:
//! <https://github.com/traefik/traefik/blob/bd22897cd5292f3a0b8f8db28ab967b2840bbe96/pkg/middlewares/auth/forward.go>

use axum::Router;
use axum::http::{HeaderMap, HeaderValue};

use super::{Question, Verdict, app, builder_of, guests, upstream};
use serde_json::json;

const CONFIGURATION: &str = include_str!("../../../../examples/verdict/traefik.yml");

/// What happens to a request: it reaches the service, with its headers, or the client gets an answer.
enum Outcome {
    Passed(HeaderMap, Vec<HeaderValue>),
    Answered(Verdict),
}

/// The headers of a client, as Traefik has them.
fn client(lines: &[(&str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
        .collect()
}

/// A request to `https://app.example.com` with this method and target.
async fn traefik(app: &Router, method: &str, target: &str, client: HeaderMap) -> Outcome {
    // `writeHeader`: all headers but those that are hop-by-hop, and these in place of the client's.
    let mut asked = client.clone();
    for name in ["connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade"] {
        asked.remove(name);
    }
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-method", method),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.example.com"),
        ("x-forwarded-uri", target),
    ] {
        asked.insert(name, value.parse().unwrap());
    }
    let mut question = Question::bare();
    question.headers = asked.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let verdict = question.ask(app).await;
    if !(200..300).contains(&verdict.status) {
        return Outcome::Answered(verdict);
    }
    // `authResponseHeadersRegex`, first for what the client sent, then for what the answer has.
    assert!(CONFIGURATION.contains("authResponseHeadersRegex: (?i)^x-auth-|[^a-z0-9-]\n"));
    let is_odd = |c: char| !c.is_ascii_alphanumeric() && c != '-';
    let matches = |name: &str| name.starts_with("x-auth-") || name.contains(is_odd);
    let kept = client.iter().filter(|(name, _)| !matches(name.as_str()));
    let set = verdict.headers.iter().filter(|(name, _)| matches(name.as_str()));
    let passed = kept.chain(set).map(|(name, value)| (name.clone(), value.clone())).collect();
    // `buildModifier`: the cookies of these names.
    let is_named = |cookie: &&HeaderValue| {
        let name = cookie.to_str().unwrap().split('=').next().unwrap().to_owned();
        CONFIGURATION.contains(&format!("- __Secure-{name}\n"))
    };
    Outcome::Passed(passed, verdict.headers.get_all("set-cookie").iter().filter(is_named).cloned().collect())
}

const COOKIE: (&str, &str) = ("cookie", "authjs.session-token=ada");

#[tokio::test]
async fn traefik_passes_a_visitor_with_the_identity_of_the_verdict_only() {
    let headers = client(&[
        COOKIE,
        ("x-auth-subject", "1"),
        ("x_auth_subject", "1"),
        ("x-auth-roles", "admin"),
        ("X-AUTH_Email", "evil@example.com"),
        ("x.auth.subject", "1"),
        ("x!auth-roles", "admin"),
        ("script_name", "/admin"),
        ("x-forwarded-uri", "/public"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-other", "1"),
    ]);
    let Outcome::Passed(headers, _) = traefik(&app(), "POST", "/a?b=c", headers).await else { panic!() };
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.retain(|name| *name != "cookie" && !name.starts_with("x-forwarded"));
    names.sort_unstable();
    assert_eq!(names, ["x-auth-email", "x-auth-name", "x-auth-subject", "x-other"]);
    assert_eq!(headers.get_all("x-auth-subject").iter().collect::<Vec<_>>(), ["7"]);
}

#[tokio::test]
async fn traefik_passes_a_guest_without_any_identity() {
    let app = super::builder().build().unwrap().verdict().rules(guests()).router();
    let headers = client(&[("x-auth-subject", "1"), ("x_auth_subject", "1")]);
    let Outcome::Passed(headers, _) = traefik(&app, "GET", "/", headers).await else { panic!() };
    assert!(headers.is_empty(), "{headers:?}");
}

/// Traefik resolves a relative `Location` against its own address of the endpoint.
#[tokio::test]
async fn traefik_sends_a_browser_to_an_absolute_sign_in_page() {
    let page = client(&[
        ("accept", "text/html"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
    ]);
    let Outcome::Answered(answer) = traefik(&app(), "GET", "/a?b=c", page).await else { panic!() };
    let location = "https://app.example.com/api/auth/signin?callbackUrl=%2Fa%3Fb%3Dc";
    assert_eq!((answer.status, answer.header("location")), (303, Some(location)));
    let Outcome::Answered(answer) = traefik(&app(), "GET", "/a", client(&[])).await else { panic!() };
    assert_eq!(answer.outcome(), (401, "session_absent".to_owned()));
    let down = client(&[("cookie", "authjs.session-token=down")]);
    let Outcome::Answered(answer) = traefik(&app(), "GET", "/a", down).await else { panic!() };
    assert_eq!((answer.status, answer.header("retry-after")), (502, Some("5")));
}

#[tokio::test]
async fn traefik_hands_back_all_chunks_of_a_renewed_session() {
    let chunks = &["authjs.session-token.0=a; Path=/", "authjs.session-token.1=b; Path=/"];
    let app = builder_of(upstream(json!({ "id": "7" }), chunks)).build().unwrap().verdict().router();
    let Outcome::Passed(_, cookies) = traefik(&app, "GET", "/", client(&[COOKIE])).await else { panic!() };
    assert_eq!(cookies, chunks);
}

/// A client that says which request it is about with the headers of nginx is refused. It only harms itself.
#[tokio::test]
async fn traefik_refuses_a_client_that_claims_another_request() {
    for uri in ["/public", "/admin"] {
        // The second is no lie: it would choose the form of the answer for nginx, whose cookies a page can read.
        let headers = client(&[COOKIE, ("x-original-uri", uri), ("x-original-method", "GET")]);
        let Outcome::Answered(answer) = traefik(&app(), "GET", "/admin", headers).await else { panic!() };
        assert_eq!(answer.outcome(), (400, "original_request_invalid".to_owned()), "{uri}");
        assert_eq!(answer.header("x-set-cookie-1"), None);
    }
}

//! What Envoy sends and what it does with the answer, as in its source, with the configuration of the example:
//! <https://github.com/envoyproxy/envoy/blob/9c276e34a2eac758d2b06cd74c6b494a208f4fd9/source/extensions/filters/common/ext_authz/ext_authz_http_impl.cc>

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use super::{Question, Verdict, app, builder, builder_of, guests, upstream};

const CONFIGURATION: &str = include_str!("../../../../examples/verdict/envoy.yaml");

/// What happens to a request: it reaches the service, with its headers, or the client gets an answer.
enum Outcome {
    Passed(HeaderMap, Vec<HeaderValue>),
    Denied(Verdict),
    /// `status_on_error`, without the headers and the body of the verdict.
    Failed,
}

fn client(lines: &[(&str, &str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
}

/// Whether `allowed_headers` of the configuration has this name.
fn is_allowed(name: &str) -> bool {
    let part = |start: &str| CONFIGURATION.split_once(start).unwrap().1.split("http_service").next().unwrap();
    let allowed = part("allowed_headers:");
    let prefixes = allowed.lines().filter_map(|line| line.trim().strip_prefix("- prefix: "));
    name == "authorization"
        || allowed.contains(&format!("- exact: {name}\n"))
        || prefixes.into_iter().any(|prefix| name.starts_with(prefix))
}

/// A request with this method and path. Envoy has refused names with `_` before, and the Lua filter has removed names with other
/// characters.
async fn envoy(app: &Router, method: &'static str, path: &str, mut client: HeaderMap) -> Outcome {
    assert!(CONFIGURATION.contains("path_prefix: /_auth/verdict/envoy\n"));
    assert!(CONFIGURATION.contains("headers_with_underscores_action: REJECT_REQUEST"));
    let filters = ["envoy.filters.http.lua", "envoy.filters.http.ext_authz"];
    let [lua, ext_authz] = filters.map(|filter| CONFIGURATION.rfind(filter).unwrap());
    assert!(CONFIGURATION.contains(r#"name:find("[^%w:%-]")"#) && lua < ext_authz);
    let odd = |name: &&HeaderName| name.as_str().contains(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    for name in client.keys().filter(odd).cloned().collect::<Vec<_>>() {
        client.remove(name);
    }
    client.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
    client.insert("x-forwarded-proto", HeaderValue::from_static("https"));
    let mut question = Question::envoy(method, path).with("content-length", "0");
    let sent = client.iter().filter(|(name, _)| is_allowed(name.as_str()));
    question.headers.extend(sent.map(|(name, value)| (name.clone(), value.clone())));
    let mut verdict = question.ask(app).await;
    if verdict.status >= 500 {
        return Outcome::Failed;
    }
    let removed = verdict.headers.remove("x-envoy-auth-headers-to-remove");
    if verdict.status != 200 {
        return Outcome::Denied(verdict);
    }
    for name in removed.iter().flat_map(|value| value.to_str().unwrap().split(',')) {
        client.remove(name.trim());
    }
    // `allowed_upstream_headers` replaces, `allowed_client_headers_on_success` adds.
    assert!(CONFIGURATION.contains("allowed_upstream_headers: { patterns: [{ prefix: x-auth- }] }"));
    assert!(
        CONFIGURATION.contains("allowed_client_headers_on_success: { patterns: [{ exact: set-cookie }] }")
    );
    for (name, value) in verdict.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-auth-")) {
        client.insert(name, value.clone());
    }
    Outcome::Passed(client, verdict.headers.get_all("set-cookie").iter().cloned().collect())
}

const COOKIE: (&str, &str) = ("cookie", "authjs.session-token=ada");

fn identity(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let mut found: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name.as_str().replace('.', "-").starts_with("x-auth"))
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn envoy_passes_a_visitor_with_the_identity_of_the_verdict_only() {
    let forged = [
        COOKIE,
        ("x-auth-subject", "1"),
        ("x-auth-email", "evil@example.com"),
        ("x-auth-roles", "admin"),
        ("x-auth-token", "e30"),
        ("x.auth.email", "evil@example.com"),
    ];
    let app_of = |user| builder_of(upstream(user, &[])).build().unwrap().verdict().rules(guests()).router();
    // The session has no email address, so the client's must not stay.
    let app = app_of(json!({ "id": "7", "name": "Ada" }));
    let Outcome::Passed(headers, _) = envoy(&app, "POST", "/a?b=c", client(&forged)).await else { panic!() };
    assert_eq!(identity(&headers), [("x-auth-name", "Ada"), ("x-auth-subject", "7")]);
    let Outcome::Passed(headers, _) = envoy(&app, "GET", "/", client(&forged[1..])).await else { panic!() };
    assert!(identity(&headers).is_empty(), "a guest: {headers:?}");
}

#[tokio::test]
async fn envoy_sends_a_browser_to_sign_in_and_a_program_gets_401() {
    let page = client(&[("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("x-original-uri", "/x")]);
    let Outcome::Denied(answer) = envoy(&app(), "GET", "/a?b=c", page).await else { panic!() };
    let location = "/api/auth/signin?callbackUrl=%2Fa%3Fb%3Dc";
    assert_eq!((answer.status, answer.header("location")), (303, Some(location)));
    let Outcome::Denied(answer) = envoy(&app(), "GET", "/a", client(&[])).await else { panic!() };
    assert_eq!(answer.outcome(), (401, "session_absent".to_owned()));
    let bearer = client(&[("authorization", "Bearer ada")]);
    assert!(matches!(envoy(&app(), "DELETE", "/a", bearer).await, Outcome::Passed(..)));
}

/// Another proxy may resolve such a path, and so send a request of a visitor here that it means for a sign-in route.
#[tokio::test]
async fn path_with_dot_segments_is_no_question_even_without_rules() {
    for path in ["/..%2fx", "/..%2f..%2f..%2fapi/auth/x", "/%2e%2e/x", "/..;/x", "/.%2F..%2fx"] {
        let verdict = Question::envoy("GET", path).cookie("ada").ask(&app()).await;
        assert_eq!(verdict.outcome(), (400, "path_ambiguous".to_owned()), "{path}");
        assert!(verdict.identity().is_empty());
    }
}

/// Envoy answers `status_on_error` for any 5xx. Its default, 403, would say that the visitor may not pass.
#[tokio::test]
async fn outage_is_503_at_envoy() {
    assert!(CONFIGURATION.contains("status_on_error: { code: ServiceUnavailable }"));
    assert!(CONFIGURATION.contains("failure_mode_allow: false"));
    let down = client(&[("cookie", "authjs.session-token=down")]);
    assert!(matches!(envoy(&app(), "GET", "/a", down).await, Outcome::Failed));
}

#[tokio::test]
async fn envoy_hands_back_renewed_cookies_and_asks_about_web_sockets() {
    let chunks = &["authjs.session-token.0=a; Path=/", "authjs.session-token.1=b; Path=/"];
    let app = builder_of(upstream(json!({ "id": "7" }), chunks)).build().unwrap().verdict().router();
    let Outcome::Passed(_, cookies) = envoy(&app, "GET", "/", client(&[COOKIE])).await else { panic!() };
    assert_eq!(cookies, chunks);
    let app = builder().build().unwrap().verdict().refuse_cross_origin().router();
    let handshake = [COOKIE, ("upgrade", "websocket"), ("origin", "https://evil.example")];
    let Outcome::Denied(answer) = envoy(&app, "GET", "/socket", client(&handshake)).await else { panic!() };
    assert_eq!(answer.outcome(), (403, "cross_origin_refused".to_owned()));
}

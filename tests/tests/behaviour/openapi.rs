//! The feature `utoipa`: what an OpenAPI document says of guarded routes is what the server answers.

use std::collections::BTreeSet;
use std::time::Duration;

use auth_proxy::options::{Builder, UpstreamKind};
use auth_proxy::testing::Fault;
use auth_proxy::{Either, RequireSession, require_session};
use auth_proxy_tests::{Answer, App, Browser, free_port};
use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use utoipa::OpenApi as _;

use crate::support::Auth;

auth_proxy::auth_proxy! {
    struct Machines { upstream: { kind: generic, issuer: "https://issuer.example", audience: "api" }, jwks: { url: env("JWKS_URL") } }
}

#[require_session(Auth, role("admin"))]
#[utoipa::path(get, path = "/over", security(("Auth" = [])), responses((status = 200, body = String)))]
async fn over() -> &'static str {
    "ok"
}

/// Documents its own 403, and another way in.
#[utoipa::path(
    get, path = "/under", security(("other" = []), ("Auth" = [])),
    responses((status = 200, body = String), (status = 403, description = "only for admins"))
)]
#[require_session(Auth, all(role("admin"), max_age(10m)))]
async fn under() -> &'static str {
    "ok"
}

#[utoipa::path(get, path = "/public", security(()), responses((status = 200, body = String)))]
#[expect(dead_code, reason = "only its documentation is used")]
async fn public() -> &'static str {
    "ok"
}

#[utoipa::path(get, path = "/unsaid", responses((status = 200, body = String)))]
#[expect(dead_code, reason = "only its documentation is used")]
async fn unsaid() -> &'static str {
    "ok"
}

#[utoipa::path(
    get, path = "/machine", security(("Machines" = []), ("Auth" = [])), responses((status = 200, body = String))
)]
#[expect(dead_code, reason = "only its documentation is used")]
async fn machine(_: Either<RequireSession<Machines>, RequireSession<Auth>>) -> &'static str {
    "ok"
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(over, under, public, unsaid, machine))]
struct Api;

#[derive(utoipa::OpenApi)]
#[openapi(paths(unsaid, public), security(("Auth" = [])))]
struct AllGuarded;

fn auth(configure: impl FnOnce(Builder<Auth>) -> Builder<Auth>) -> Auth {
    configure(Auth::builder().upstream_base_url("http://auth")).build().unwrap()
}

fn document(auth: &Auth) -> Value {
    let mut document = Api::openapi();
    auth.add_to_openapi(&mut document);
    let once = serde_json::to_value(&document).unwrap();
    auth.add_to_openapi(&mut document);
    assert_eq!(serde_json::to_value(&document).unwrap(), once, "a second call changes nothing");
    once
}

fn statuses(document: &Value, path: &str) -> Vec<String> {
    document["paths"][path]["get"]["responses"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn guarded_operations_get_the_responses_and_security_schemes() {
    let document = document(&auth(|auth| auth));
    let all = ["200", "400", "401", "403", "502", "503", "504"];
    assert_eq!(statuses(&document, "/over"), all);
    assert_eq!(statuses(&document, "/under"), all);
    assert_eq!(statuses(&document, "/machine"), all);
    assert_eq!(statuses(&document, "/public"), ["200"]);
    assert_eq!(statuses(&document, "/unsaid"), ["200"]);
    let operation = |path: &str| &document["paths"][path]["get"];
    assert_eq!(operation("/under")["responses"]["403"]["description"], "only for admins");
    assert_eq!(
        operation("/over")["responses"]["401"],
        json!({ "$ref": "#/components/responses/AuthProxyUnauthorized" })
    );
    assert_eq!(
        operation("/over")["security"],
        json!([{ "Auth": [] }, { "AuthSecureCookie": [] }, { "AuthBearer": [] }])
    );
    assert_eq!(
        operation("/under")["security"],
        json!([{ "other": [] }, { "Auth": [] }, { "AuthSecureCookie": [] }, { "AuthBearer": [] }])
    );
    assert_eq!(operation("/public")["security"], json!([{}]));
    assert_eq!(operation("/unsaid").get("security"), None);
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        (&schemes["Auth"]["type"], &schemes["Auth"]["in"], &schemes["Auth"]["name"]),
        (&json!("apiKey"), &json!("cookie"), &json!("authjs.session-token"))
    );
    assert_eq!(
        (&schemes["AuthBearer"]["type"], &schemes["AuthBearer"]["scheme"]),
        (&json!("http"), &json!("bearer"))
    );
}

#[test]
fn security_of_the_document_guards_operations_without_their_own() {
    let mut document = AllGuarded::openapi();
    auth(|auth| auth).add_to_openapi(&mut document);
    let document = serde_json::to_value(document).unwrap();
    assert_eq!(
        document["security"],
        json!([{ "Auth": [] }, { "AuthSecureCookie": [] }, { "AuthBearer": [] }])
    );
    assert_eq!(statuses(&document, "/unsaid").len(), 7);
    assert_eq!(statuses(&document, "/public"), ["200"]);
}

#[test]
fn cookie_of_the_document_is_the_one_that_counts() {
    let names = |auth: &Auth| {
        let document = document(auth);
        let schemes = document["components"]["securitySchemes"].as_object().unwrap().clone();
        schemes.values().filter_map(|scheme| scheme["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let of = |configure: fn(Builder<Auth>) -> Builder<Auth>| names(&auth(configure));
    // It is not known here whether the upstream sees https.
    assert_eq!(of(|auth| auth), ["authjs.session-token", "__Secure-authjs.session-token"]);
    let http =
        |auth: Builder<Auth>| auth.upstream_kind(UpstreamKind::Authjs).public_url("http://localhost:3000");
    assert_eq!(of(http), ["authjs.session-token"]);
    let https =
        |auth: Builder<Auth>| auth.upstream_kind(UpstreamKind::Authjs).public_url("https://app.example.com");
    assert_eq!(of(https), ["__Secure-authjs.session-token"]);
    assert_eq!(of(|auth| auth.upstream_cookie_name("sid")), ["sid"]);
    let better_auth = of(|auth| auth.upstream_kind(UpstreamKind::BetterAuth));
    assert_eq!(better_auth, ["better-auth.session_token", "__Secure-better-auth.session_token"]);
    // Behind a trusted proxy, each request says whether it came by https.
    let either =
        |auth: Builder<Auth>| auth.upstream_kind(UpstreamKind::Authjs).trusted_proxies(["10.0.0.0/8"]);
    assert_eq!(of(either), ["authjs.session-token", "__Secure-authjs.session-token"]);
    // A proxy for machine clients has no cookie.
    let machines = Machines::builder().jwks_url("http://127.0.0.1:1/jwks").build().unwrap();
    let mut document = Api::openapi();
    machines.add_to_openapi(&mut document);
    auth(|auth| auth).add_to_openapi(&mut document);
    let document = serde_json::to_value(document).unwrap();
    let schemes: Vec<&String> =
        document["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(schemes, ["Auth", "AuthBearer", "AuthSecureCookie", "Machines"]);
    assert_eq!(
        document["paths"]["/machine"]["get"]["security"],
        json!([{ "Machines": [] }, { "Auth": [] }, { "AuthSecureCookie": [] }, { "AuthBearer": [] }])
    );
}

/// Resolves a reference of the document.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(path) => document.pointer(path.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{path}")),
        None => value,
    }
}

/// Checks a response of the server with what the document says of its status.
fn check(document: &Value, path: &str, answer: &Answer) {
    let status = answer.status.to_string();
    let response = resolved(document, &document["paths"][path]["get"]["responses"][&status]);
    let content = response["content"].as_object().unwrap_or_else(|| panic!("{status} is not documented"));
    let media_types: Vec<&String> = content.keys().collect();
    assert_eq!(media_types, [answer.header("content-type")], "{status}");
    for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        assert!(!answer.header(name).is_empty(), "{status} {name}: {answer:?}");
    }
    for name in ["www-authenticate", "retry-after"] {
        let is_documented = response["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .any(|(known, _)| known.eq_ignore_ascii_case(name));
        assert_eq!(!answer.header(name).is_empty(), is_documented, "{status} {name}");
    }
    let schema = resolved(document, &content["application/problem+json"]["schema"]);
    let body = answer.json();
    let required: BTreeSet<&str> =
        schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let sent: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(sent, required);
    for (name, value) in body.as_object().unwrap() {
        let kind = if value.is_u64() { "integer" } else { "string" };
        assert_eq!(schema["properties"][name]["type"], kind, "{name}");
    }
}

#[tokio::test]
async fn each_documented_response_is_one_that_the_server_gives() {
    let upstream = crate::support::upstream().await;
    let auth = |url: String, configure: fn(Builder<Auth>) -> Builder<Auth>| {
        let auth = configure(Auth::builder().upstream_base_url(url).upstream_retries(0)).build().unwrap();
        let router =
            Router::new().route("/over", get(over)).route("/under", get(under)).with_state(auth.clone());
        (document(&auth), auth.attach(router).with_state(()))
    };
    let (document, router) =
        auth(upstream.url().to_owned(), |auth| auth.upstream_timeout(Duration::from_millis(300)));
    let app = App::start(router).await;
    let browser = Browser::of(&app);
    let mut seen = BTreeSet::new();
    let mut expect = |answer: Answer, status: u16| {
        assert_eq!(answer.status, status, "{answer:?}");
        check(&document, "/over", &answer);
        seen.insert(status.to_string());
    };
    expect(browser.get("/over").await, 401);
    browser.sign_in("demo", "demo").await;
    expect(browser.get("/over").await, 403);
    let invalid = browser.get_with("/over", &[("host", "a b")]).await;
    assert_eq!(invalid.code(), "host_invalid");
    expect(invalid, 400);
    upstream.set_fault(Some(Fault::HangBeforeHead)).await.unwrap();
    expect(browser.get("/over").await, 504);
    upstream.set_fault(None).await.unwrap();
    let cookie = ("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd");
    let (_, router) =
        auth(format!("http://127.0.0.1:{}", free_port()), |auth| auth.upstream_circuit_breaker(1));
    let app = App::start(router).await;
    let down = Browser::of(&app);
    expect(down.get_with("/over", &[cookie]).await, 502);
    expect(down.get_with("/over", &[cookie]).await, 503);
    seen.insert("200".to_owned());
    assert_eq!(Vec::from_iter(seen), statuses(&document, "/over"));
    browser.sign_in("admin", "admin").await;
    assert_eq!(browser.get("/over").await.status, 200);
    let unknown = browser.get("/under").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (403, "sign_in_time_unknown"));
}

/// The parts of OpenAPI 3.1 that a reader of the document depends on: each reference leads somewhere, each scheme that is
/// required is declared, each response has a description, and the status codes are ones.
#[test]
fn document_is_consistent() {
    let document = document(&auth(|auth| auth));
    assert!(document["openapi"].as_str().unwrap().starts_with("3."), "{document}");
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 15, "{references:?}");
    for reference in references {
        let path = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(path).is_some(), "{reference}");
    }
    for response in document["components"]["responses"].as_object().unwrap().values() {
        assert!(response["description"].as_str().is_some_and(|text| text.len() > 10), "{response}");
        for header in response["headers"].as_object().into_iter().flatten().map(|(_, header)| header) {
            assert_eq!(header["schema"]["type"], "string");
        }
    }
    let declared = document["components"]["securitySchemes"].as_object().unwrap();
    for path in ["/over", "/machine"] {
        for required in document["paths"][path]["get"]["security"].as_array().unwrap() {
            let name = required.as_object().unwrap().keys().next().unwrap();
            assert!(declared.contains_key(name) || name == "Machines", "{name}");
        }
    }
    let schema = &document["components"]["schemas"]["AuthProxyProblem"];
    let properties: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let required: BTreeSet<String> =
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(required.iter().collect::<BTreeSet<_>>(), properties);
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

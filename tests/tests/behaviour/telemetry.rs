//! Spans, and the trace context that goes to the upstream.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy_tests::{App, Browser, COOKIE_NAME, SharedStore, SpanCapture, free_port};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::support::{Auth, app_of, routes, upstream};

/// An upstream that counts its requests and keeps their trace context.
#[derive(Clone, Default)]
struct Upstream {
    requests: Arc<AtomicUsize>,
    contexts: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    /// How many requests are answered 503 before it works.
    fails: Arc<AtomicUsize>,
}

impl Upstream {
    fn answer(&self, request: &Request) -> Response {
        self.requests.fetch_add(1, SeqCst);
        let path = request.uri().path().to_owned();
        self.contexts.lock().unwrap().push((path.clone(), request.headers().clone()));
        if self.fails.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        match path.as_str() {
            "/api/auth/session" => r#"{"user":{"name":"Ada"}}"#.into_response(),
            "/api/auth/callback/credentials" => StatusCode::UNAUTHORIZED.into_response(),
            _ => "{}".into_response(),
        }
    }

    fn auth(&self) -> Builder<Auth> {
        let upstream = self.clone();
        let router = Router::new().fallback(move |request: Request| {
            let answer = upstream.answer(&request);
            async { answer }
        });
        Auth::builder()
            .upstream_base_url("https://auth.example.com:8443")
            .upstream_session_strategy(SessionStrategy::Database)
            .upstream_fetch(router)
            .public_url("http://app.test")
    }

    /// The values of a header in the requests for a path.
    fn sent(&self, path: &str, header: &str) -> Vec<String> {
        let contexts = self.contexts.lock().unwrap();
        let of_path = contexts.iter().filter(|(requested, _)| requested == path);
        let text =
            |headers: &HeaderMap| headers.get(header).map_or("", |value| value.to_str().unwrap()).to_owned();
        of_path.map(|(_, headers)| text(headers)).collect()
    }
}

const COOKIE: [(&str, &str); 1] = [("cookie", "authjs.session-token=ada-secret-token")];

#[tokio::test]
async fn lookup_has_a_span_and_its_request_another_one_in_it() {
    let (spans, upstream) = (SpanCapture::start(), Upstream::default());
    let (_app, browser) = app_of(upstream.auth().session_cache(Duration::from_secs(60))).await;
    for _ in 0..2 {
        assert_eq!(browser.get_with("/session", &COOKIE).await.status, 200);
    }
    let lookups = spans.named("session lookup");
    let field = |name: &str| lookups.iter().map(|span| span.field(name).to_owned()).collect::<Vec<_>>();
    assert_eq!(field("auth.outcome"), ["present", "present"]);
    assert_eq!(field("auth.source"), ["upstream", "memory"]);
    assert_eq!(field("auth.shared"), ["false", "false"]);
    assert_eq!(field("auth.code"), ["", ""]);
    let requests = spans.named("HTTP request");
    assert_eq!(requests.len(), 1, "{requests:#?}");
    for (name, value) in [
        ("http.request.method", "GET"),
        ("server.address", "auth.example.com"),
        ("server.port", "8443"),
        ("http.response.status_code", "200"),
        ("otel.kind", "client"),
        ("otel.name", "GET"),
        ("auth.request", "lookup"),
        ("error.type", ""),
        ("http.request.resend_count", ""),
    ] {
        assert_eq!(requests[0].field(name), value, "{name}");
    }
    assert_eq!((requests[0].target.as_str(), requests[0].parent), ("lookup", "session lookup"));
    assert!(spans.all().iter().all(|span| span.has_ended), "{:#?}", spans.all());
}

#[tokio::test]
async fn shared_lookup_is_one_request_and_marked_in_the_others() {
    let (spans, upstream) = (SpanCapture::start(), Upstream::default());
    let auth = upstream.auth().build().unwrap();
    let headers = HeaderMap::from_iter([("cookie".parse().unwrap(), HeaderValue::from_static(COOKIE[0].1))]);
    let (one, two, three) =
        tokio::join!(auth.session(&headers), auth.session(&headers), auth.session(&headers));
    assert!([one, two, three].into_iter().all(|session| session.unwrap().is_some()));
    let lookups = spans.named("session lookup");
    let shared = lookups.iter().filter(|span| span.field("auth.shared") == "true").count();
    assert_eq!((lookups.len(), shared, spans.named("HTTP request").len()), (3, 2, 1));
}

#[tokio::test]
async fn each_attempt_has_a_span_with_its_error() {
    let (spans, upstream) = (SpanCapture::start(), Upstream::default());
    upstream.fails.store(2, SeqCst);
    let (_app, browser) = app_of(upstream.auth().upstream_retries(2)).await;
    assert_eq!(browser.get_with("/session", &COOKIE).await.status, 200);
    let requests = spans.named("HTTP request");
    let field = |name: &str| requests.iter().map(|span| span.field(name).to_owned()).collect::<Vec<_>>();
    assert_eq!(field("http.request.resend_count"), ["", "1", "2"]);
    assert_eq!(field("http.response.status_code"), ["503", "503", "200"]);
    assert_eq!(field("error.type"), ["503", "503", ""]);
    assert_eq!(field("otel.status_code"), ["ERROR", "ERROR", ""]);
}

#[tokio::test]
async fn outage_has_its_code_in_the_spans() {
    let spans = SpanCapture::start();
    let builder = Auth::builder().upstream_base_url(format!("http://127.0.0.1:{}", free_port()));
    let (_app, browser) = app_of(builder.upstream_retries(0)).await;
    let cookie = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")];
    assert_eq!(browser.get_with("/session", &cookie).await.code(), "upstream_unreachable");
    let lookup = &spans.named("session lookup")[0];
    assert_eq!(
        (lookup.field("auth.outcome"), lookup.field("auth.code")),
        ("unavailable", "upstream_unreachable")
    );
    let request = &spans.named("HTTP request")[0];
    assert_eq!(
        (request.field("error.type"), request.field("http.response.status_code")),
        ("upstream_unreachable", "")
    );
}

#[tokio::test]
async fn forwarded_request_has_a_span_without_its_path() {
    let (spans, upstream) = (SpanCapture::start(), Upstream::default());
    let (_app, browser) = app_of(upstream.auth()).await;
    let refused = browser.post("/api/auth/callback/credentials?code=one-time-code", &[]).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    let requests = spans.named("HTTP request");
    assert_eq!(requests.len(), 1);
    let names = ["http.request.method", "http.response.status_code", "error.type", "auth.request"];
    assert_eq!(names.map(|name| requests[0].field(name)), ["POST", "401", "401", "forward"]);
    assert_eq!(requests[0].target, "proxy");
    let all = format!("{:?}", spans.all());
    for secret in ["one-time-code", "callback", "ada-secret-token"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[tokio::test]
async fn token_and_store_have_spans() {
    let (spans, upstream, store) = (SpanCapture::start(), upstream().await, SharedStore::telling_ends());
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let (_app, browser) = app_of(builder.session_cache(Duration::from_secs(60)).session_store(store)).await;
    browser.sign_in("demo", "demo").await;
    assert_eq!(browser.get("/token").await.status, 200);
    let forged = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")];
    let refused = browser.get_with("/token", &forged).await;
    assert_eq!(browser.get("/session").await.status, 200);
    browser.sign_out().await;
    let verifications = spans.named("token verification");
    let seen: Vec<_> =
        verifications.iter().map(|span| (span.field("auth.outcome"), span.field("auth.code"))).collect();
    assert!(seen.starts_with(&[("present", ""), ("invalid", refused.code().as_str())]), "{seen:?}");
    assert!(verifications.iter().all(|span| span.target == "token" && span.level == tracing::Level::DEBUG));
    let calls = spans.named("session store");
    let operations: Vec<_> = calls.iter().map(|span| span.field("db.operation.name")).collect();
    for operation in ["get", "put", "end"] {
        assert!(operations.contains(&operation), "{operations:?}");
    }
    assert!(
        calls.iter().all(|span| span.target == "store" && span.field("error.type").is_empty()),
        "{calls:#?}"
    );
}

/// As many spans as requests that the upstream got, whatever their purpose.
#[tokio::test]
async fn every_request_to_the_upstream_has_one_span() {
    let (spans, upstream) = (SpanCapture::start(), Upstream::default());
    let (app, browser) = app_of(upstream.auth().upstream_circuit_breaker(2)).await;
    for _ in 0..3 {
        browser.get_with("/session", &COOKIE).await;
        browser.get("/api/auth/providers").await;
        browser.post("/api/auth/signin/github", &[]).await;
    }
    upstream.fails.store(20, SeqCst);
    for _ in 0..5 {
        browser.get_with("/session", &COOKIE).await;
        browser.get("/api/auth/session").await;
    }
    drop(app);
    // Health checks go on after the responses that began them.
    assert!(auth_proxy_tests::settles(|| spans.all().iter().all(|span| span.has_ended)).await);
    let requests = spans.named("HTTP request");
    assert_eq!(requests.len(), upstream.requests.load(SeqCst));
    let purposes =
        |purpose: &str| requests.iter().filter(|span| span.field("auth.request") == purpose).count();
    assert!(purposes("lookup") > 3 && purposes("forward") > 6 && purposes("health") > 0, "{requests:#?}");
}

#[tokio::test]
async fn trace_context_of_the_app_goes_to_the_upstream() {
    let upstream = Upstream::default();
    let number = AtomicUsize::new(0);
    let own = move |headers: &mut HeaderMap| {
        let number = number.fetch_add(1, SeqCst);
        headers.insert("traceparent", format!("own-{number}").parse().unwrap());
    };
    let auth = upstream.auth().trace_context(own).build().unwrap();
    let app = App::start(routes(&auth)).await;
    let browser = Browser::of(&app);
    let of_client = [COOKIE[0], ("traceparent", "client"), ("tracestate", "client"), ("b3", "client")];
    browser.get_with("/session", &of_client).await;
    browser.get_with("/api/auth/providers", &of_client).await;
    assert_eq!(upstream.sent("/api/auth/session", "traceparent"), ["own-0"]);
    assert_eq!(upstream.sent("/api/auth/providers", "traceparent"), ["own-1"]);
    for name in ["tracestate", "b3"] {
        assert_eq!(upstream.sent("/api/auth/providers", name), [""], "{name} belongs to another trace");
    }
    assert_eq!(upstream.sent("/api/auth/session", "cookie"), [format!("{COOKIE_NAME}=ada-secret-token")]);
}

#[tokio::test]
async fn without_a_trace_context_that_of_the_client_is_forwarded_only() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth()).await;
    let of_client = [COOKIE[0], ("traceparent", "client")];
    browser.get_with("/session", &of_client).await;
    browser.get_with("/api/auth/providers", &of_client).await;
    assert_eq!(upstream.sent("/api/auth/session", "traceparent"), [""]);
    assert_eq!(upstream.sent("/api/auth/providers", "traceparent"), ["client"]);
}

/// Operators build dashboards on the names: a change of them is a breaking change.
#[tokio::test]
async fn guide_lists_every_span_with_its_fields() {
    let (spans, upstream, store) = (SpanCapture::start(), upstream().await, SharedStore::telling_ends());
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let (_app, browser) = app_of(builder.session_cache(Duration::from_secs(60)).session_store(store)).await;
    browser.sign_in("demo", "demo").await;
    browser.get("/everything").await;
    let guide = include_str!("../../../auth-proxy/docs/guide/telemetry.md");
    let code =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut listed = BTreeMap::new();
    for row in guide.lines().filter(|line| line.contains("| `auth_proxy::")) {
        let cells: Vec<&str> = row.split('|').collect();
        let fields: BTreeSet<String> = code(cells[5]).into_iter().collect();
        listed.insert(code(cells[1])[0].clone(), (code(cells[2]), cells[3].trim().to_owned(), fields));
    }
    let mut seen = BTreeSet::new();
    for span in spans.all() {
        let (targets, level, fields) =
            listed.get(span.name).unwrap_or_else(|| panic!("{} is not listed", span.name));
        let names = span.names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(*fields, names, "{}", span.name);
        assert!(targets.contains(&format!("auth_proxy::{}", span.target)), "{}: {}", span.name, span.target);
        assert_eq!(level.to_uppercase(), span.level.to_string(), "{}", span.name);
        for name in span.fields.keys().filter(|name| name.starts_with("auth.")) {
            assert!(guide.contains(&format!("\n| `{name}` |")), "the values of {name} are not listed");
        }
        seen.insert(span.name);
    }
    assert_eq!(seen.len(), listed.len(), "{seen:?}");
}
